"""Mutation check: no condition of any rule can be turned round, or left out, unnoticed.

Every `if` of a rule's module is negated, and every operand of an `and` or `or` dropped, one at a
time; the rule's cases must then contradict it. A case that nobody needs costs little; a condition
that no case needs is one nobody would miss.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from policies.rule import Requirement
from policies.rules import ALL
from tests.policies.cases.case import judgements
from tests.policies.test_rules import CASES


def module_of(rule: Requirement) -> ModuleType:
    """The module whose `RULE` it is."""
    return next(
        module
        for name, module in sys.modules.items()
        if name.startswith("policies.rules.") and getattr(module, "RULE", None) is rule
    )


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Every mutant of a module, with the line and what was changed."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        changes: list[ast.expr] = []
        if isinstance(node, ast.If | ast.IfExp):
            changes = [ast.UnaryOp(op=ast.Not(), operand=node.test)]
        elif isinstance(node, ast.BoolOp):
            changes = [
                ast.BoolOp(op=node.op, values=[v for v in node.values if v is not dropped])
                if len(node.values) > 2
                else next(v for v in node.values if v is not dropped)
                for dropped in node.values
            ]
        elif isinstance(node, ast.comprehension):
            changes = [ast.Constant(value=True)] if node.ifs else []
        for change in changes:
            mutant = copy.deepcopy(tree)
            place = next(each for number, each in enumerate(ast.walk(mutant)) if number == index)
            described = (
                f"line {_line(node)}: {ast.unparse(node)[:80]!r} -> {ast.unparse(change)[:60]!r}"
            )
            _replace(mutant, place, change)
            yield described, ast.fix_missing_locations(mutant)


def _line(node: ast.AST) -> int:
    return next(each.lineno for each in ast.walk(node) if isinstance(each, ast.expr | ast.stmt))


def _replace(tree: ast.Module, place: ast.AST, change: ast.expr) -> None:
    if isinstance(place, ast.If | ast.IfExp):
        place.test = change
    elif isinstance(place, ast.comprehension):
        place.ifs = [change]
    else:
        for parent in ast.walk(tree):
            for name, value in ast.iter_fields(parent):
                if value is place:
                    setattr(parent, name, change)
                elif isinstance(value, list) and place in value:
                    value[value.index(place)] = change


def survives(rule: Requirement, mutant: ast.Module) -> bool:
    """Whether no case of the rule contradicts the mutant."""
    module = module_of(rule)
    namespace: dict[str, object] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutant, module.__file__ or "", "exec"), namespace)  # noqa: S102 -- our own source
    changed = namespace["RULE"]
    assert isinstance(changed, Requirement)
    for case in CASES[rule.id].values():
        try:
            if case.contradicted_by(judgements(changed, case.subject)):
                return False
        except Exception:  # noqa: BLE001 -- a mutant that breaks down has been noticed
            return False
    return True


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_condition_of_a_rule_is_needed_by_a_case(rule: Requirement) -> None:
    source = Path(module_of(rule).__file__ or "").read_text()
    assert [described for described, mutant in mutants(source) if survives(rule, mutant)] == []


def test_a_mutant_is_made_of_every_condition() -> None:
    source = (
        "def f(a, b):\n    if a and b or not a:\n        return [x for x in b if x]\n    return 1\n"
    )
    changed = [ast.unparse(mutant) for _, mutant in mutants(source)]
    assert len(changed) == len(set(changed)) == 6
    assert "if not (a and b or not a):" in changed[0]
