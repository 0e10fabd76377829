"""Every rule of the pack, one a file; a file is a rule's by holding `RULE`.

Owns the collection: a new file is in the pack by being there.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from policies.rule import Requirement, Rule, StackRule


def _rules() -> Iterator[Requirement]:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        if not module.ispkg:
            rule: Requirement = import_module(module.name).RULE
            yield rule


ALL: tuple[Requirement, ...] = tuple(sorted(_rules(), key=lambda rule: rule.id))
RULES: tuple[Rule, ...] = tuple(rule for rule in ALL if isinstance(rule, Rule))
STACK_RULES: tuple[StackRule, ...] = tuple(rule for rule in ALL if isinstance(rule, StackRule))
