"""What a rule must say of one subject. Six kinds of case decide whether a rule can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.rule import Finding, Judgement, NotChecked, Requirement, Resource, Rule, StackRule

KINDS = frozenset({"pass", "fail", "wildcard", "second-position", "unknown", "not-applicable"})

Subject = Mapping[str, Any] | tuple[Resource, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A subject (a resource's properties, or a stack), how many findings and parts not checked it
    deserves, and what the first finding's evidence must mention."""

    subject: Subject
    findings: int = 0
    unknowns: int = 0
    evidence: str = ""

    def contradicted_by(self, judgements: list[Judgement]) -> bool:
        """Whether the judgements are not what the subject deserves."""
        found = [j for j in judgements if isinstance(j, Finding)]
        unread = [j for j in judgements if isinstance(j, NotChecked)]
        if (len(found), len(unread)) != (self.findings, self.unknowns):
            return True
        return any(self.evidence not in f.evidence or not f.fix for f in found[:1])


def ok(subject: Subject) -> Case:
    """Nothing is wrong."""
    return Case(subject=subject)


def bad(subject: Subject, evidence: str, findings: int = 1) -> Case:
    """So many findings, of which the first mentions `evidence`."""
    return Case(subject=subject, findings=findings, evidence=evidence)


def unsure(subject: Subject, unknowns: int = 1, findings: int = 0, evidence: str = "") -> Case:
    """So many parts cannot be judged, beside so many findings."""
    return Case(subject=subject, unknowns=unknowns, findings=findings, evidence=evidence)


def resource(kind: str, name: str, /, **properties: Any) -> Resource:
    """A resource of a stack for the cases of stack rules."""
    return Resource(type=kind, name=name, urn=f"urn:test::{name}", properties=properties)


def judgements(rule: Requirement, subject: Subject) -> list[Judgement]:
    """What the rule says of a subject."""
    if isinstance(rule, StackRule):
        assert isinstance(subject, tuple)
        return rule.judge(subject)
    assert isinstance(rule, Rule)
    assert isinstance(subject, Mapping)
    return rule.judge(subject)
