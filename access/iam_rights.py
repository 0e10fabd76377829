"""What AWS IAM gives to service accounts: roles that trust them, their policies, and resources.

Owns who a role's trust lets in (the `sub` of a web identity token) and how Allow and Deny of its
policies meet. Conditions are named and not evaluated, so a right that only a condition withholds is
shown as held. Resource policies, boundaries and organisations are not judged.
Source: AWS, "IAM JSON policy evaluation logic"; EKS, "IAM roles for service accounts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from access.iam import Condition, Document, Statement, matches_resource
from access.model import Answer, Row, Subject, System, Takeover
from access.rbac import account_of_user

_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_NAMING = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike"})


@dataclass(frozen=True, kw_only=True)
class IamRole:
    """A role: its trust policy, and its policies by name."""

    name: str
    trust: Document
    policies: tuple[tuple[str, Document], ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The service accounts that the trust lets in; patterns where it is wide."""
        found = [
            subject
            for statement in self.trust.allowing
            if statement.covers(_WEB_IDENTITY) and _is_federated(statement)
            for subject in _subjects(statement)
        ]
        return tuple(dict.fromkeys(found))


class IamRights:
    """A `Source`: the IAM roles of one account that service accounts may assume."""

    def __init__(self, roles: Iterable[IamRole]) -> None:
        self._roles = tuple(roles)

    def rows(self) -> Iterator[Row]:
        """One row for each subject, statement and resource."""
        for role in self._roles:
            for policy, statement in _statements(role):
                for resource in statement.resources or ("*",):
                    for subject in role.subjects:
                        yield Row(
                            subject=subject,
                            path=resource,
                            system=System.IAM,
                            via=_label(role),
                            policy=policy,
                            capabilities=_actions(statement),
                            note=_note(statement),
                        )

    def answers(self, path: str, capability: str) -> Iterator[Answer]:
        """What each role says about an action (`s3:GetObject`) on a resource's ARN."""
        if not path.startswith("arn:"):
            return
        for role in self._roles:
            found = [
                (policy, statement)
                for policy, statement in _statements(role)
                if statement.covers(capability) and _covers_resource(statement, path)
            ]
            # A Deny that depends on the request does not always deny: it takes nothing away here.
            denying = [
                (p, s) for p, s in found if not (s.allows or s.conditions or _has_variable(s))
            ]
            allowing = [(p, s) for p, s in found if s.allows]
            policy, statement = next(iter(denying or allowing), ("", None))
            for subject in role.subjects:
                yield Answer(
                    subject=subject,
                    system=System.IAM,
                    via=_label(role),
                    policy=policy,
                    allowed=bool(allowing and not denying),
                    reason=_reason(policy, statement, capability),
                )

    def takeovers(self) -> Iterator[Takeover]:
        """IAM lets nobody act as a service account."""
        return iter(())

    def notes(self) -> Iterator[str]:
        """What is generally not judged, once there is a role at all."""
        if any(role.subjects for role in self._roles):
            yield "of AWS only the roles' own policies are judged, no resource policy or boundary"


def _statements(role: IamRole) -> Iterator[tuple[str, Statement]]:
    return ((name, s) for name, document in role.policies for s in document.statements)


def _is_federated(statement: Statement) -> bool:
    return any(principal.kind in ("Federated", "*") for principal in statement.principals)


def _subjects(statement: Statement) -> Iterator[Subject]:
    named = [c for c in statement.conditions if c.key.endswith(":sub") and _lets_in(c)]
    for condition in named:
        for value in condition.values:
            subject = account_of_user(value)
            if subject:
                yield subject
            elif set("*?") & set(value):
                yield Subject("*", "*")
    if not named:
        yield Subject("*", "*")


def _lets_in(condition: Condition) -> bool:
    """Whether its values are those let in; a negated test, or one on presence, names nobody."""
    test = condition.operator.rpartition(":")[2].removesuffix("IfExists")
    return test in _NAMING


def _covers_resource(statement: Statement, arn: str) -> bool:
    if statement.not_resources:
        return not any(matches_resource(pattern, arn) for pattern in statement.not_resources)
    patterns = (_VARIABLE.sub("*", pattern) for pattern in statement.resources)
    return any(matches_resource(pattern, arn) for pattern in patterns)


def _has_variable(statement: Statement) -> bool:
    named = (*statement.resources, *statement.not_resources)
    return any(map(_VARIABLE.search, named))


def _actions(statement: Statement) -> tuple[str, ...]:
    actions = statement.actions or tuple(f"all but {action}" for action in statement.not_actions)
    return actions if statement.allows else tuple(f"deny {action}" for action in actions)


def _note(statement: Statement) -> str:
    notes = []
    if statement.not_resources:
        notes.append(f"all but {', '.join(statement.not_resources)}")
    if _has_variable(statement):
        notes.append("which resource that is depends on who asks, which is not judged")
    if statement.conditions:
        named = ", ".join(sorted({condition.key for condition in statement.conditions}))
        notes.append(f"only under a condition on {named}, which is not judged")
    return "; ".join(notes)


def _reason(policy: str, statement: Statement | None, action: str) -> str:
    if statement is None:
        return f"no statement speaks of {action} on it, so IAM denies it"
    which = f"statement {statement.sid or statement.index} of {policy}"
    if not statement.allows:
        return f"{which} denies {action}, and Deny wins over every Allow"
    note = _note(statement)
    return f"{which} allows {action}" + (f", {note}" if note else "")


def _label(role: IamRole) -> str:
    return f"IAM role {role.name}"
