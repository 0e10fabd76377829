"""The rules in .sops.yaml: which files are encrypted, for which keys, and in which fields.

Owns writing them from what the stacks' settings name, and reading any .sops.yaml back. sops takes
the first rule whose expression matches a file's path relative to .sops.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vaultops.errors import VaultOpsError

CONFIG = ".sops.yaml"
FORMATS = r"\.(ya?ml|json)$"
OTHERS = ("pgp", "azure_keyvault", "hc_vault_transit_uri")
_NOT_JUDGED = frozenset({"key_groups", "hckms", "plugins"})
HEADING = """\
# Written by `strongroom sops init` from the stacks' settings: change `strongroom:sops` there.
# Each key of a rule opens the files alone. Fields that do not match stay readable in reviews.
"""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. `aws_kms` may carry a role behind a `+`, as sops writes it.

    `others` are PGP fingerprints and URLs of keys in Azure or a Vault. `grouped` keys share the
    opening between them, in a way that is not judged here.
    """

    path_regex: str
    encrypted_regex: str | None
    aws_kms: tuple[str, ...] = ()
    aws_profile: str | None = None
    gcp_kms: tuple[str, ...] = ()
    age: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    grouped: bool = False

    @property
    def recipients(self) -> frozenset[str] | None:
        """Every key that must be able to open a file; None where they are grouped."""
        if self.grouped:
            return None
        arns = {arn.partition("+")[0] for arn in self.aws_kms}
        return frozenset({*arns, *self.gcp_kms, *self.age, *self.others})


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What one stack wants: its files lie below `folder`."""

    stack: str
    folder: str
    encrypted_regex: str
    aws_kms: str | None = None
    aws_role: str | None = None
    aws_profile: str | None = None
    gcp_kms: str | None = None
    age: tuple[str, ...] = ()


def rules_for(folders: Iterable[Folder]) -> list[Rule]:
    """One rule for each stack, the deepest folder first. Raises VaultOpsError for a shared one."""
    ordered = sorted(folders, key=lambda f: (-f.folder.count("/"), f.folder))
    by_folder: dict[str, str] = {}
    for wanted in ordered:
        other = by_folder.setdefault(wanted.folder, wanted.stack)
        if other != wanted.stack:
            raise VaultOpsError(
                f"stacks {other} and {wanted.stack} share the folder {wanted.folder}",
                where="strongroom:sops.folder",
                why="one stack's keys would open the other's files",
                fix="give each stack a folder of its own",
            )
    return [
        Rule(
            path_regex=f"^{re.escape(wanted.folder)}/.*{FORMATS}",
            encrypted_regex=wanted.encrypted_regex,
            aws_kms=_with_role(wanted.aws_kms, wanted.aws_role),
            aws_profile=wanted.aws_profile,
            gcp_kms=(wanted.gcp_kms,) if wanted.gcp_kms else (),
            age=wanted.age,
        )
        for wanted in ordered
    ]


def render(rules: Sequence[Rule]) -> str:
    """The text of .sops.yaml."""
    entries = []
    for rule in rules:
        entry: dict[str, Any] = {"path_regex": rule.path_regex}
        if rule.encrypted_regex:
            entry["encrypted_regex"] = rule.encrypted_regex
        for key, values in (("kms", rule.aws_kms), ("gcp_kms", rule.gcp_kms), ("age", rule.age)):
            if values:
                entry[key] = ",".join(values)
        if rule.aws_profile:
            entry["aws_profile"] = rule.aws_profile
        entries.append(entry)
    text: str = yaml.safe_dump({"creation_rules": entries}, sort_keys=False, width=1000)
    return HEADING + text


def read(path: Path) -> list[Rule]:
    """The rules of a .sops.yaml. Raises VaultOpsError when it is missing or has none."""

    def unusable(why: str) -> VaultOpsError:
        return VaultOpsError(
            "the encryption rules cannot be read",
            where=str(path),
            why=why,
            fix="write them with `strongroom sops init`",
        )

    try:
        document = yaml.safe_load(path.read_text())
    except OSError as reason:
        raise unusable(reason.strerror or type(reason).__name__) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise unusable("it is no YAML") from None
    entries = document.get("creation_rules") if isinstance(document, dict) else None
    if not entries:
        raise unusable("it has no creation_rules")
    try:
        return [_rule(entry) for entry in entries]
    except (AttributeError, TypeError, re.error):
        raise unusable("a creation rule is malformed") from None


def rule_for(rules: Sequence[Rule], relative: str) -> Rule | None:
    """The rule that sops applies to the file at `relative`, from .sops.yaml's folder."""
    return next((rule for rule in rules if re.search(rule.path_regex, relative)), None)


def _rule(entry: dict[str, Any]) -> Rule:
    pattern = entry.get("path_regex") or ""
    re.compile(pattern)
    return Rule(
        path_regex=pattern,
        encrypted_regex=entry.get("encrypted_regex"),
        aws_kms=_listed(entry.get("kms")),
        aws_profile=entry.get("aws_profile"),
        gcp_kms=_listed(entry.get("gcp_kms")),
        age=_listed(entry.get("age")),
        others=tuple(key.replace(" ", "") for kind in OTHERS for key in _listed(entry.get(kind))),
        grouped=not _NOT_JUDGED.isdisjoint(entry),
    )


def _listed(value: str | list[str] | None) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value or []
    return tuple(part.strip() for part in parts if part.strip())


def _with_role(key: str | None, role: str | None) -> tuple[str, ...]:
    if key is None:
        return ()
    return (f"{key}+{role}" if role else key,)
