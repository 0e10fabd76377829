"""The manifests of the speed measurement: what is meant to be wrong in them is what is found."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

from benchmarks.policy_speed import manifests
from policies.check import check
from policies.judge import Status
from policies.rule import Environment
from policies.waivers import FILE


def test_a_third_is_wrong_and_everything_is_judged(tmp_path: Path) -> None:
    for number, manifest in enumerate(manifests(90)):
        (tmp_path / f"{number:02}.yaml").write_text(yaml.safe_dump(manifest))
    report = check([tmp_path], Environment.PROD, waivers=FILE, today=date.min)
    assert (report.judged, report.unread) == (90, ())
    broken = {report.files[outcome.urn].name for outcome in report.having(Status.BROKEN)}
    assert broken == {f"{number:02}.yaml" for number in range(90) if number // 3 % 3 == 0}
