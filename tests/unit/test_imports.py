"""Which package may import which: the direction of dependencies, read from the sources.

access <- components, policies, settings; settings, components <- wiring <- __main__; nothing but
its own command and the end-to-end tests imports local.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
OURS = frozenset(
    {
        "access",
        "audit",
        "benchmarks",
        "cli",
        "compliance",
        "components",
        "drift",
        "local",
        "policies",
        "review",
        "rotation",
        "scanning",
        "sealing",
        "settings",
        "tests",
        "vaultops",
        "wiring",
    }
)
MAY_IMPORT = {
    "access": set[str](),
    "audit": {"access"},
    "compliance": {"access", "policies", "settings", "vaultops"},
    "drift": {"access", "review", "settings", "vaultops"},
    "rotation": {"vaultops"},
    "scanning": set[str](),
    "settings": {"access"},
    "vaultops": {"access"},
    "components": {"access", "rotation", "vaultops"},
    "policies": {"access"},
    "sealing": {"vaultops"},
    "review": {"access", "policies", "settings"},
    "cli": {
        "access",
        "audit",
        "compliance",
        "drift",
        "policies",
        "review",
        "rotation",
        "scanning",
        "sealing",
        "settings",
        "vaultops",
    },
    "local": {"components", "vaultops"},
    "benchmarks": {
        "access",
        "audit",
        "components",
        "local",
        "policies",
        "rotation",
        "scanning",
        "settings",
        "wiring",
    },
    "wiring": {"access", "components", "rotation", "settings", "vaultops"},
    "__main__.py": {"settings", "vaultops", "wiring"},
}
# Folders whose tests may need the real node, or tools that local builds.
E2E = ("access", "e2e", "local", "preview", "vaultops")
NEVER = {
    "access": {"pulumi"},
    "audit": {"pulumi"},
    "rotation": {"pulumi"},
    "scanning": {"pulumi"},
    "sealing": {"pulumi"},
    "settings": {"pulumi_kubernetes", "pulumi_vault"},
    "vaultops": {"pulumi"},
}


def sources(part: str) -> list[Path]:
    path = REPOSITORY / part
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(source: Path) -> set[str]:
    """Top-level names of everything that `source` imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level:
            names.add(source.relative_to(REPOSITORY).parts[0])
    return names


def breaches(part: str) -> list[str]:
    allowed = MAY_IMPORT[part] | {part}
    forbidden = NEVER.get(part, set())
    return [
        f"{source.relative_to(REPOSITORY)} imports {name}"
        for source in sources(part)
        for name in sorted(imported(source))
        if (name in OURS and name not in allowed) or name in forbidden
    ]


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_dependencies_point_one_way(part: str) -> None:
    if part in ("settings", "components", "local", "policies", "wiring", "__main__.py"):
        assert sources(part), f"{part} is gone; this test would pass without looking"
    assert breaches(part) == []


def test_only_tests_of_the_real_node_import_local() -> None:
    allowed = {REPOSITORY / "tests" / part for part in E2E}
    culprits = [
        str(source.relative_to(REPOSITORY))
        for source in sources("tests")
        if "local" in imported(source) and not allowed & set(source.parents)
    ]
    assert [c for c in culprits if c != "tests/conftest.py"] == []


def test_every_package_has_a_direction() -> None:
    """A new top-level package must be entered above, or nothing holds it."""
    packages = {
        path.parent.name for path in REPOSITORY.glob("*/__init__.py") if path.parent.name[0] != "."
    }
    assert packages <= OURS


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    source = tmp_path / "bad.py"
    source.write_text("def f():\n    from local.paths import Instance\nimport settings.root\n")
    assert imported(source) == {"local", "settings"}
