"""The questions that a reviewer asks of the events, each as one expression of Ibis.

Owns what counts as a call: its response, without an error. A refused call is logged twice and a
failed login once, so that refusals are counted by request and on the error, whatever the policies
said (a bad token has none). Nothing here runs anything: `audit.backend` does.
"""

from __future__ import annotations

from ibis import Deferred, Table, _, coalesce, ifelse, null, or_

from audit.schema import Phase, Source

# What the command line of Vault asks by itself before it reads a secret.
_NOISE = r"^(.*/)?sys/internal/"
_WRITES = ("create", "update", "patch", "delete", "deletecollection")
# Both dialects: Vault and OpenBao name some of these differently.
_CONTROL = (
    r"^(.*/)?(sys/(policy|policies|auth|mounts|remount|audit|generate-root|generate-root-token"
    r"|generate-recovery-token|rekey|rotate|seal|step-down|raw|config|plugins|namespaces)(/|$)"
    r"|auth/token/(create|roles)|auth/[^/]+/(role|config|users|groups|map|tune)(/|$)|identity/)"
)
# A secret may be called sys/policy too; it lies in another mount. Some calls have none.
_CONTROL_MOUNT = r"(^|/)(sys|auth|identity)/"
_MAKES_ROOT = r"^(.*/)?sys/generate-root(-token)?(/|$)"
_RBAC = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
# What Kubernetes answers is no refusal from 400 on either, but nothing has happened.
_FAILED = 400
_READS_IAM = r"^(Get|List|Simulate|Generate)"
_KEY_CONTROL = (
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
    "DisableKey",
    "CreateGrant",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "DeleteSecret",
)


def calls(events: Table) -> Table:
    """The calls that were answered without an error, one row each."""
    return events.filter(
        _.phase == Phase.RESPONSE,
        _.error.isnull(),
        ~_noise(),
    )


def by_path(events: Table) -> Table:
    """Per path: how often it was called, by how many subjects, and when last."""
    return (
        calls(events)
        .group_by("source", "path")
        .agg(calls=_.count(), subjects=_.subject.nunique(), first=_.time.min(), last=_.time.max())
        .order_by(_.calls.desc(), "path", "source")
    )


def by_subject(events: Table) -> Table:
    """Per subject and role: how many calls, paths and addresses, and when last."""
    return (
        calls(events)
        .group_by("source", "subject", "role")
        .agg(
            calls=_.count(),
            paths=_.path.nunique(),
            addresses=_.address.nunique(),
            first=_.time.min(),
            last=_.time.max(),
        )
        .order_by(_.calls.desc(), "subject", "role", "source")
    )


def who(events: Table, path: str) -> Table:
    """Who called a path, how often and from where; refused calls are counted beside.

    `path` is as people write it: `secret/ml/mlflow` is meant with its data and metadata. A `*` at
    its end means everything that begins so, a slash also the list of what is below.
    """
    return _used(events.filter(_names(path)), "subject", "role", "path", "operation", "address")


def used(events: Table, subject: str) -> Table:
    """What a subject called, how often, and when; refused calls are counted beside."""
    meant = events.filter(_.subject == subject, ~_noise())
    return _used(meant, "source", "path", "operation", "role")


def leases(events: Table) -> Table:
    """Who got which login: every lease, and every read of a static role's password."""
    static = (_.mount_type == "database") & _.path.contains("/static-creds/")
    return (
        calls(events)
        .filter(_.lease_id.notnull() | static)
        .select("time", "subject", "role", "path", "lease_id", "address", "file", "line")
        .order_by("time", "file", "line")
    )


def denials(events: Table) -> Table:
    """Refused and failed calls by subject, address and path; `requests` counts each call once."""
    return (
        events.filter(_.error.notnull())
        .group_by("source", "subject", "address", "operation", "path")
        .agg(
            requests=_.request_id.nunique(),
            first=_.time.min(),
            last=_.time.max(),
            error=_.error.max(),
        )
        .order_by(_.requests.desc(), "path", "operation", "subject", "address", "source")
    )


def root_use(events: Table) -> Table:
    """Every call with a root token, and every step of making one."""
    return _answered(
        events.filter(_.policies.contains("root") | _.path.re_search(_MAKES_ROOT)), "operation"
    )


def changes(events: Table) -> Table:
    """Changes of policies, logins, mounts, audit devices and keys, done or attempted."""
    vault = (
        (_.source == Source.VAULT)
        & _.operation.isin(_WRITES)
        & _.path.re_search(_CONTROL)
        & _own_mount()
    ) & ~_.path.re_search(r"^(.*/)?auth/[^/]+/login")
    kubernetes = (_.source == Source.KUBERNETES) & _.operation.isin(_WRITES) & _.mount.isin(_RBAC)
    cloud = (_.source == Source.CLOUDTRAIL) & (
        ((_.mount == "iam") & ~_.operation.re_search(_READS_IAM)) | _.operation.isin(_KEY_CONTROL)
    )
    tried = events.filter(or_(vault, kubernetes, cloud))
    answer = "nothing was changed: HTTP status " + _.status.cast("string")
    undone = ifelse(_.status >= _FAILED, answer, null("string"))
    return _answered(tried.mutate(error=coalesce(_.error, undone)), "operation", "error")


def granted(events: Table) -> Table:
    """Per policy and path: which operations it allowed, how often, and when last."""
    allowed = ifelse(_.granted_by.length() > 0, _.granted_by, _.policies)
    return (
        calls(events)
        .filter(_.source == Source.VAULT)
        .select("path", "operation", "time", policy=allowed)
        .select("path", "operation", "time", policy=_.policy.unnest())
        .group_by("policy", "path", "operation")
        .agg(calls=_.count(), last=_.time.max())
        .order_by("policy", "path", "operation")
    )


def _noise() -> Deferred:
    return _.path.re_search(_NOISE) & _own_mount()


def _own_mount() -> Deferred:
    return _.mount.isnull() | _.mount.re_search(_CONTROL_MOUNT)


def _used(events: Table, *keys: str) -> Table:
    answered = _.phase == Phase.RESPONSE
    return (
        events.group_by(*keys)
        .agg(
            calls=(answered & _.error.isnull()).sum(),
            refused=_.request_id.nunique(where=_.error.notnull()),
            first=_.time.min(),
            last=_.time.max(),
        )
        .filter((_.calls > 0) | (_.refused > 0))
        .order_by(_.calls.desc(), _.refused.desc(), *keys)
    )


def _answered(events: Table, *more: str) -> Table:
    """One row a call: its response, or its request where no response can be (sealing)."""
    sealing = (_.phase == Phase.REQUEST) & _.path.endswith("sys/seal") & _.error.isnull()
    return (
        events.filter((_.phase == Phase.RESPONSE) | sealing)
        .select("time", "source", "subject", "role", *more, "path", "address", "file", "line")
        .order_by("time", "file", "line")
    )


def _names(path: str) -> Deferred:
    # With its slash a path is another one: the list of a folder, or of a namespace's Secrets.
    meant = {path.strip("/"), path.lstrip("/")}
    forms = [form for each in sorted(meant) for form in _forms(each)]
    if path.endswith("*"):
        return or_(*(_.path.startswith(form.rstrip("*")) for form in forms))
    return _.path.isin(forms)


def _forms(path: str) -> list[str]:
    """With each part of KV version 2's API where the mount may end: its name may have slashes."""
    steps = path.split("/")
    ends = [n for n in range(1, len(steps)) if steps[n:] != [""]]
    parts = ("data", "metadata", "delete", "undelete", "destroy")
    return [path, *("/".join([*steps[:n], part, *steps[n:]]) for n in ends for part in parts)]
