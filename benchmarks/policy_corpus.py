"""Measures the policy rules on a labelled corpus: what they find, miss and accuse wrongly.

Owns reading the corpus in tests/policies/corpus and the counts; `tests/policies` holds them to what
is committed. With `--checkov PATH` the same files are given to that checkov, and the files that
each of the two accuses are compared. The corpus is ours, labelled by hand while the rules were
written: it shows that shapes known to be missed elsewhere are found here, and guards against
regressions. It is no independent measurement of precision.

    python -m benchmarks.policy_corpus [--checkov /path/to/checkov]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from time import perf_counter
from typing import Any

import yaml

from policies.check import judge
from policies.judge import Status
from policies.rule import Environment
from policies.sources import Sources
from policies.waivers import Waivers

CORPUS = Path(__file__).parents[1] / "tests" / "policies" / "corpus"
SUFFIXES = {
    "manifest": ".yaml",
    "vault-policy": ".hcl",
    "vault-config": ".hcl",
    "iam": ".json",
    "resource": ".json",
}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One file of the corpus and the rules that it breaks."""

    name: str
    about: str
    form: str
    text: str
    breaks: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Score:
    """Pairs of file and rule: found and right, missed, accused wrongly."""

    right: int
    missed: tuple[tuple[str, str], ...]
    wrong: tuple[tuple[str, str], ...]

    @property
    def precision(self) -> float:
        """The part of what was found that is right."""
        return self.right / (self.right + len(self.wrong)) if self.right else 0.0

    @property
    def recall(self) -> float:
        """The part of what is wrong that was found."""
        return self.right / (self.right + len(self.missed)) if self.right else 0.0


def load(folder: Path = CORPUS) -> list[Labelled]:
    """Every file of the corpus. A template with rows stands for one file each."""
    return [
        each
        for source in sorted(folder.glob("*.yaml"))
        for template in yaml.safe_load(source.read_text())
        for each in _expanded(source.stem, template)
    ]


def _expanded(stem: str, template: dict[str, Any]) -> Iterator[Labelled]:
    form = template["form"]
    for number, row in enumerate(template.get("rows") or [{}]):
        values = {key: json.dumps(value) for key, value in row.items()}
        # The template writes $raw_NAME where a value stands inside a text.
        values.update({f"raw_{key}": str(value) for key, value in row.items()})
        text = Template(template["subject"]).substitute(values)
        yield Labelled(
            name=f"{stem}/{template['id']}/{number}",
            about=template["about"],
            form=form,
            text=_exported(template["type"], text) if form == "resource" else text,
            breaks=frozenset(row.get("breaks", template.get("breaks", ()))),
        )


def _exported(kind: str, text: str) -> str:
    """A stack with this one resource, as the engine exports it."""
    resource = {
        "urn": f"urn:pulumi:prod::corpus::{kind}::subject",
        "type": kind,
        "custom": True,
        "inputs": yaml.safe_load(text),
    }
    return json.dumps({"deployment": {"resources": [resource]}})


def write(labelled: Labelled, folder: Path) -> Path:
    """The file in a folder."""
    file = folder / (labelled.name.replace("/", "_") + SUFFIXES[labelled.form])
    file.write_text(labelled.text)
    return file


def found(file: Path) -> frozenset[str]:
    """The rules that a file breaks in production. Raises ValueError for one that is unreadable."""
    sources = Sources()
    sources.add(file)
    if sources.unread:
        raise ValueError(f"{file.name}: {sources.unread[0].reason}")
    report = judge(sources, Environment.PROD, Waivers(today=date.min))
    return frozenset(outcome.rule.id for outcome in report.having(Status.BROKEN))


def score(corpus: Iterable[Labelled], folder: Path) -> Score:
    """What the rules find in the corpus, written to a folder."""
    right = 0
    missed: list[tuple[str, str]] = []
    wrong: list[tuple[str, str]] = []
    for each in corpus:
        said = found(write(each, folder))
        right += len(said & each.breaks)
        missed.extend((each.name, rule) for rule in sorted(each.breaks - said))
        wrong.extend((each.name, rule) for rule in sorted(said - each.breaks))
    return Score(right=right, missed=tuple(missed), wrong=tuple(wrong))


def accused_by_checkov(checkov: str, folder: Path) -> frozenset[str]:
    """Names of the files in which checkov finds anything about what the corpus is about."""
    return _on_secrets(failed_checks(checkov, folder))


def failed_checks(checkov: str, folder: Path) -> dict[str, frozenset[str]]:
    """For each file that checkov accuses, by its name, the checks that fail on it."""
    command = [checkov, "-d", str(folder), "-o", "json", "--framework", "kubernetes", "--quiet"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(ended.stdout)
    runs = report if isinstance(report, list) else [report]
    failed: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for check in run.get("results", {}).get("failed_checks", ()):
            failed[Path(check["file_path"]).name].add(check["check_id"])
    return {name: frozenset(checks) for name, checks in failed.items()}


def _on_secrets(failed: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(name for name, checks in failed.items() if checks & CHECKOV_ON_SECRETS)


# Its checks that speak of what the corpus holds: RBAC, tokens, secrets in pods, host access.
CHECKOV_ON_SECRETS = frozenset(
    f"CKV_K8S_{number}" for number in (16, 17, 18, 19, 27, 35, 38, 39, 49, 155, 156, 157, 158)
) | frozenset({"CKV2_K8S_5"})


def main() -> None:
    """Print the counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--checkov", help="The checkov to compare with.")
    options = arguments.parse_args()
    corpus = load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = perf_counter()
        result = score(corpus, folder)
        seconds = perf_counter() - started
        forms = ", ".join(f"{n} {form}" for form, n in Counter(c.form for c in corpus).items())
        print(f"{len(corpus)} files ({forms}), {sum(bool(c.breaks) for c in corpus)} of them wrong")
        print(f"strongroom: precision {result.precision:.3f}, recall {result.recall:.3f}", end="")
        print(f" on {result.right + len(result.missed)} faults, {seconds:.2f} s")
        for name, rule in (*result.missed, *result.wrong):
            print(f"  {'missed' if (name, rule) in result.missed else 'wrong'}: {rule} in {name}")
        if options.checkov:
            _compare(options.checkov, [c for c in corpus if c.form == "manifest"])


def _compare(checkov: str, manifests: list[Labelled]) -> None:
    """Print, as a table of Markdown, which files each of the two accuses, area by area."""
    with tempfile.TemporaryDirectory() as name:
        files = {write(each, Path(name)): each for each in manifests}
        ours = {file.name for file in files if found(file)}
        started = perf_counter()
        failed = failed_checks(checkov, Path(name))
        seconds = perf_counter() - started
    sides = (ours, _on_secrets(failed), failed.keys())
    print(f"checkov: {seconds:.2f} s; by file, precision and recall:")
    print("| area | files | wrong | strongroom | checkov, its checks on secrets | checkov, all |")
    print("|---|---|---|---|---|---|")
    areas = sorted({each.name.partition("/")[0] for each in manifests})
    for area in (*areas, ""):
        of_area = {
            file.name: bool(e.breaks) for file, e in files.items() if e.name.startswith(area)
        }
        cells = " | ".join(_by_file(of_area, accused) for accused in sides)
        print(f"| {area or 'all'} | {len(of_area)} | {sum(of_area.values())} | {cells} |")


def _by_file(wrong: dict[str, bool], accused: Set[str]) -> str:
    hits = [is_wrong for name, is_wrong in wrong.items() if name in accused]
    recall = f"{sum(hits) / sum(wrong.values()):.3f}"
    return f"{sum(hits) / len(hits):.3f}, {recall}" if hits else f"accuses none, {recall}"


if __name__ == "__main__":
    main()
