"""What Vault gives to service accounts: Kubernetes-auth roles, their policies, and the paths.

A login is by one role, and its token holds that role's policies: rights of two roles never add up
within one token. Other kinds of logins are not service accounts and only noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from access.evaluate import Acl, MergedRule
from access.grant import OWN_TOKEN, Grant
from access.model import Answer, Row, Subject, System, Takeover
from access.overlap import witness
from access.policy import Capability, PathRule, Policy

_ROOT = PathRule(path="*", capabilities=frozenset(Capability) - {Capability.DENY})
_OWN = {rule.path: rule.capabilities for rule in OWN_TOKEN}
# The parts of a KV v2 engine's API; any other second segment is a secret's own path.
_KV_PARTS = frozenset({"config", "data", "delete", "destroy", "metadata", "subkeys", "undelete"})
# Stands for a policy or role that is not there yet.
_UNNAMED = "not-yet-named"
_LOGIN = "auth/+/role/+"
_IDENTITIES = (
    "identity/entity",
    f"identity/entity/id/{_UNNAMED}",
    f"identity/entity/name/{_UNNAMED}",
    "identity/group",
    f"identity/group/id/{_UNNAMED}",
    f"identity/group/name/{_UNNAMED}",
)
# A token role gives its tokens policies that their maker does not hold.
_TOKEN_ROLE = (f"auth/token/roles/{_UNNAMED}", f"auth/token/create/{_UNNAMED}")


@dataclass(frozen=True, kw_only=True)
class VaultRole:
    """A Kubernetes-auth role: whom it lets in, and the policies it hands out.

    `accounts` and `namespaces` may be patterns; every account is let in from every namespace.
    `is_grant` tells that a grant made it, so that people know it by that name.
    """

    name: str
    accounts: tuple[str, ...]
    namespaces: tuple[str, ...]
    policies: tuple[str, ...]
    mount: str = "kubernetes"
    is_grant: bool = False

    @property
    def label(self) -> str:
        """What the role is called in the matrix."""
        kind = "grant" if self.is_grant else "role"
        return f"{kind} {self.name}" + ("" if self.mount == "kubernetes" else f" at {self.mount}/")

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everyone it lets in."""
        return tuple(
            Subject(space, name) for space, name in product(self.namespaces, self.accounts)
        )


class VaultRights:
    """A `Source`: the roles and policies of one Vault. `kv_mounts` are its KV v2 engines."""

    def __init__(
        self,
        *,
        policies: Iterable[Policy],
        roles: Iterable[VaultRole],
        kv_mounts: Iterable[str] = (),
    ) -> None:
        # Vault drops the case of policies' names, and the spaces around them in a role.
        self._policies = {policy.name.lower(): policy for policy in policies}
        self._policies["root"] = Policy(name="root", rules=(_ROOT,))
        self._roles = tuple(
            replace(role, policies=tuple(name.strip().lower() for name in role.policies))
            for role in roles
        )
        # The longest first: a mount may lie below another's path.
        self._kv_mounts = sorted({mount.strip("/") for mount in kv_mounts}, key=len, reverse=True)
        self._acls = {
            role: Acl(self._policies[name] for name in role.policies if name in self._policies)
            for role in self._roles
        }

    @classmethod
    def of_grants(cls, grants: Iterable[Grant]) -> VaultRights:
        """What grants will give once they are deployed."""
        grants = tuple(grants)
        return cls(
            policies=(grant.policy for grant in grants),
            roles=(
                VaultRole(
                    name=grant.name,
                    accounts=grant.service_accounts,
                    namespaces=grant.namespaces,
                    policies=(grant.name,),
                    is_grant=True,
                )
                for grant in grants
            ),
            kv_mounts={
                path.partition("/")[0] for grant in grants for path in grant.secrets + grant.manages
            },
        )

    def rows(self) -> Iterator[Row]:
        """One row for each subject and path; care for the own token is left out."""
        for role, acl in self._acls.items():
            shown = [rule for rule in acl.rules if not _is_care_for_own_token(rule)]
            for subject, rule in product(role.subjects, shown):
                yield Row(
                    subject=subject,
                    path=self._as_people_write(rule.path),
                    system=System.VAULT,
                    via=role.label,
                    policy=", ".join(rule.policies),
                    capabilities=_ordered(rule.capabilities),
                    note=_note(rule),
                )

    def answers(self, path: str, capability: str) -> Iterator[Answer]:
        """Each role's decision, by Vault's own precedence."""
        if path.startswith(("k8s:", "arn:")) or capability not in set(Capability):
            return
        asked = Capability(capability)
        api_path = self._as_vault_sees(path, asked)
        for role, acl in self._acls.items():
            decision = acl.explain(api_path, asked)
            policies = decision.policies or (decision.rule.policies if decision.rule else ())
            for subject in role.subjects:
                yield Answer(
                    subject=subject,
                    system=System.VAULT,
                    via=role.label,
                    policy=", ".join(policies or role.policies),
                    allowed=decision.allowed,
                    reason=decision.reason,
                    lost=tuple(
                        f'"{lost.rule.path}" ({", ".join(lost.rule.policies)}): {lost.reason}'
                        for lost in decision.lost
                    ),
                )

    def takeovers(self) -> Iterator[Takeover]:
        """Who writes its own policies, a login or an identity, and so has what Vault holds.

        A role, a group or an entity hands out whatever policies its writer names.
        """
        for role, acl in self._acls.items():
            own = (f"sys/policies/acl/{policy}" for policy in role.policies)
            logins = filter(None, (witness(rule.path, _LOGIN) for rule in acl.rules))
            if any(_writes(acl, path) for path in (*own, *logins, *_IDENTITIES)) or all(
                _writes(acl, path) for path in _TOKEN_ROLE
            ):
                for subject in role.subjects:
                    yield Takeover(
                        subject=subject,
                        target=Subject("*", "*"),
                        how="write Vault's policies or logins",
                        via=role.label,
                        only=System.VAULT,
                    )

    def notes(self) -> Iterator[str]:
        """Policies and paths that cannot be judged, and policies that no service account gets."""
        held = {name for role in self._roles for name in role.policies}
        for role in self._roles:
            for name in role.policies:
                if name == "default":
                    yield f"{role.label} hands out Vault's default policy, which is not judged here"
                elif name not in self._policies:
                    yield (
                        f"{role.label} names the policy {name}, which is not among those known; "
                        "what it allows is not judged here"
                    )
        for name in sorted(self._policies.keys() & held):
            for rule in self._policies[name].rules:
                if "{{" in rule.path:
                    yield (
                        f"the policy {name} has a rule for {rule.path}, which depends on who logs "
                        "in; whom it lets read what is not judged here"
                    )
        for name in sorted(self._policies.keys() - held - {"root"}):
            yield (
                f"the policy {name} is handed out by no Kubernetes role; "
                "other kinds of logins are not judged here"
            )

    def _as_people_write(self, path: str) -> str:
        mount = self._kv_mount_of(path)
        part, _, secret = path.removeprefix(f"{mount}/").partition("/")
        plain = mount and part == "data" and secret and "+" not in secret
        return f"{mount}/{secret}" if plain and not path.endswith("*") else path

    def _as_vault_sees(self, path: str, capability: Capability) -> str:
        asked = path.strip().lstrip("/")
        mount = self._kv_mount_of(asked)
        rest = asked.removeprefix(f"{mount}/")
        if not mount or not rest or rest.split("/")[0] in _KV_PARTS:
            return path
        return f"{mount}/{'metadata' if capability is Capability.LIST else 'data'}/{rest}"

    def _kv_mount_of(self, path: str) -> str:
        """The KV v2 engine that a path leads into; empty for none."""
        return next((mount for mount in self._kv_mounts if path.startswith(f"{mount}/")), "")


def _writes(acl: Acl, path: str) -> bool:
    return bool(acl.capabilities(path) & {Capability.CREATE, Capability.UPDATE})


def _is_care_for_own_token(rule: MergedRule) -> bool:
    return rule.capabilities <= _OWN.get(rule.path, frozenset())


def _ordered(capabilities: frozenset[Capability]) -> tuple[str, ...]:
    return tuple(capability.value for capability in Capability if capability in capabilities)


def _note(rule: MergedRule) -> str:
    notes = []
    if "{{" in rule.path:
        notes.append("the path depends on who logs in and is not judged")
    if rule.is_conditional:
        notes.append("only for requests whose parameters the policy lets through")
    return "; ".join(notes)
