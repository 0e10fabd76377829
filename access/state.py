"""What a stack has deployed, from `pulumi stack export`: Vault, Kubernetes RBAC and AWS IAM.

Owns the export's shape and nothing of what the objects mean. Values that the export holds encrypted
are not guessed: the object is left out and a note says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from access.iam import IamError
from access.iam_rights import IamRights
from access.matrix import Matrix
from access.model import Source
from access.policy import Policy, PolicyError
from access.policy_hcl import parse
from access.rbac import Rbac
from access.rbac_rights import RbacRights
from access.state_iam import TYPES as IAM_TYPES
from access.state_iam import iam_roles
from access.vault_rights import VaultRights, VaultRole

_POLICY = "vault:index/policy:Policy"
_ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"
_MOUNT = "vault:index/mount:Mount"
_RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
_KINDS = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
_JUDGED = IAM_TYPES | {_POLICY, _ROLE, _MOUNT, *(_RBAC + kind for kind in _KINDS)}
_GRANT = "strongroom:vault:Grant"
# The components that a stack file's grants and service accounts become.
_DECLARED = frozenset({_GRANT, "strongroom:kubernetes:WorkloadAccess"})
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 -- the engine's mark, not a secret


class StateError(ValueError):
    """The text is no export of a stack, or holds an object that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class _Object:
    urn: str
    type: str
    values: Mapping[str, Any]

    @property
    def parents(self) -> frozenset[str]:
        return frozenset(self.urn.split("::")[2].split("$"))

    @property
    def is_encrypted(self) -> bool:
        return _has_secret(self.values)


def matrix_of(export: Any, *, beside: Iterable[Source] = (), declared_only: bool = False) -> Matrix:
    """The matrix of a deployed stack, with the rights of the sources `beside` it.

    `declared_only` keeps what grants and service accounts of a stack file became, to be compared
    with one, and leaves out the charts' own objects. Raises StateError.
    """
    with _told():
        return _matrix(tuple(_objects(export)), beside, declared_only=declared_only)


def namespaces_of(export: Any, type_: str) -> tuple[str, ...]:
    """The `namespace` inputs of every object of a type. Raises StateError."""
    with _told():
        resources = _resources(export)
        return tuple(r["inputs"]["namespace"] for r in resources if r["type"] == type_)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever an export may hold that it should not, as a StateError."""
    try:
        yield
    except IamError as error:
        raise StateError(f"holds an IAM document that cannot be read: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise StateError(
            f"is no exported stack: an object in it has not the expected form ({error!r}); "
            "write one with `pulumi stack export`"
        ) from error


def _matrix(
    objects: tuple[_Object, ...], beside: Iterable[Source], *, declared_only: bool
) -> Matrix:
    kept = [o for o in objects if not declared_only or o.parents & _DECLARED]
    shown = [o for o in kept if not o.is_encrypted]
    vault = VaultRights(
        policies=[_policy(o) for o in shown if o.type == _POLICY],
        roles=[_role(o) for o in shown if o.type == _ROLE],
        kv_mounts=[o.values["path"] for o in objects if _is_kv(o)],
    )
    rbac = Rbac(
        {**o.values, "kind": o.type.rpartition(":")[2]} for o in shown if o.type.startswith(_RBAC)
    )
    roles, notes = iam_roles((o.type, o.values) for o in shown if o.type in IAM_TYPES)
    notes += [_hidden(o) for o in kept if o.is_encrypted]
    return Matrix([vault, RbacRights(rbac), IamRights(roles), *beside], notes=notes)


def _resources(export: Any) -> Iterator[Mapping[str, Any]]:
    deployment = export.get("deployment") if isinstance(export, Mapping) else None
    if not isinstance(deployment, Mapping):
        raise StateError(
            "is no exported stack: it has no `deployment`; write one with `pulumi stack export`"
        )
    return (r for r in deployment.get("resources") or () if not r.get("delete"))


def _objects(export: Any) -> Iterator[_Object]:
    for resource in _resources(export):
        if resource["type"] in _JUDGED:
            values = {**resource.get("inputs", {}), **resource.get("outputs", {})}
            yield _Object(urn=resource["urn"], type=resource["type"], values=_readable(values))


def _policy(found: _Object) -> Policy:
    try:
        return parse(found.values["policy"], found.values["name"])
    except PolicyError as error:
        raise StateError(f"holds {found.urn}, which cannot be read: {error}") from error


def _role(found: _Object) -> VaultRole:
    values = found.values
    policies = tuple(values.get("tokenPolicies") or ())
    if not values.get("tokenNoDefaultPolicy"):
        policies = (*policies, "default")
    return VaultRole(
        name=values["roleName"],
        accounts=tuple(values["boundServiceAccountNames"]),
        namespaces=tuple(values.get("boundServiceAccountNamespaces") or ("*",)),
        policies=policies,
        mount=values.get("backend") or "kubernetes",
        is_grant=_GRANT in found.parents,
    )


def _is_kv(found: _Object) -> bool:
    if found.type != _MOUNT:
        return False
    kind, options = found.values.get("type"), found.values.get("options") or {}
    return kind == "kv-v2" or (kind == "kv" and str(options.get("version")) == "2")


def _hidden(found: _Object) -> str:
    return (
        f"{found.urn.rpartition('::')[2]} ({found.type}) is encrypted in the export "
        "and not judged; export with --show-secrets to have it judged"
    )


def _readable(value: Any) -> Any:
    """The value with secrets that `--show-secrets` has opened in clear."""
    if isinstance(value, Mapping):
        if _SECRET in value and "plaintext" in value:
            return json.loads(value["plaintext"])
        return {key: _readable(inner) for key, inner in value.items()}
    return [_readable(inner) for inner in value] if isinstance(value, list) else value


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _SECRET in value or any(_has_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_secret(inner) for inner in value)
