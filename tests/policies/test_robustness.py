"""No value of any shape makes a rule fail, and no unknown value ever passes for a good one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policies.rule import Requirement, Resource
from policies.rules import ALL
from policies.view import UNKNOWN
from tests.policies.cases.case import Subject, judgements
from tests.policies.test_rules import CASES

ODD: tuple[Any, ...] = (None, True, 7, "", "x", [], ["x"], [[]], {}, {"x": "y"})
DOCUMENTS = ("policy", "policyDocument", "assumeRolePolicy", "policyData")

by_rule = pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)


def replaced(value: Any, by: Any) -> Iterator[Any]:
    """Every copy of a value in which one part, or the whole, is `by`."""
    yield by
    parts = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list | tuple)
        else ()
    )
    for key, part in parts:
        for other in replaced(part, by):
            copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
            copy[key] = other
            yield copy


def variants(subject: Subject, by: Any) -> Iterator[Subject]:
    """Every copy of a subject in which one part of a resource's properties is `by`."""
    if isinstance(subject, Mapping):
        yield from (each for each in replaced(opened(subject), by) if isinstance(each, Mapping))
        return
    for index, resource in enumerate(subject):
        for properties in replaced(resource.properties, by):
            if isinstance(properties, Mapping):
                changed: Resource = dataclasses.replace(resource, properties=properties)
                yield (*subject[:index], changed, *subject[index + 1 :])


def opened(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with JSON documents as values, so that parts of them can be replaced."""
    return {
        key: json.loads(value)
        if key in DOCUMENTS and isinstance(value, str) and value.startswith("{")
        else value
        for key, value in properties.items()
    }


@by_rule
def test_no_shape_makes_a_rule_fail(rule: Requirement) -> None:
    for odd in ODD:
        for kind in ("pass", "fail"):
            for subject in variants(CASES[rule.id][kind].subject, odd):
                judgements(rule, subject)


@by_rule
def test_unknown_is_never_a_pass(rule: Requirement) -> None:
    silent = [
        subject
        for case in CASES[rule.id].values()
        if case.findings and isinstance(case.subject, Mapping)
        for subject in variants(case.subject, UNKNOWN)
        if not judgements(rule, subject)
    ]
    assert silent == []
