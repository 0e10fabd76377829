"""Gitleaks over a snapshot. Owns its arguments and its report's fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scanning import programs
from scanning.model import Scanner, Sighting

CONFIG = Path(__file__).with_name("gitleaks.toml")


def sightings(folder: Path, config: Path | None = CONFIG) -> Iterator[Sighting]:
    """Everything it reports in `folder`, laid out as a snapshot; `config` None is its own default.

    Its inline `gitleaks:allow` does not count: a secret is accepted in the one baseline or not.
    """
    arguments = ["dir", ".", "--no-banner", "--log-level=error", "--exit-code=0"]
    arguments += ["--ignore-gitleaks-allow", "--report-format=json", "--report-path=-"]
    if config:
        arguments.append(f"--config={config}")
    answer = programs.output(Scanner.GITLEAKS, arguments, folder)
    try:
        for entry in json.loads(answer) or []:
            yield Sighting(
                scanner=Scanner.GITLEAKS,
                rule=entry["RuleID"],
                file=int(Path(entry["File"]).parts[0]),
                line=int(entry["StartLine"]),
                secret=entry["Secret"],
            )
    except (ValueError, KeyError, TypeError) as error:
        raise programs.unreadable(Scanner.GITLEAKS, type(error).__name__) from None
