"""Measures how long the policy rules and checkov take for the same Kubernetes manifests.

Owns the manifests and the clock. Both are started as a user starts them, one after the other in
every round, on the same folder; so each time includes the start of the program. They do not do the
same work: each applies its own checks, and the counts of findings are printed beside the times.

    python -m benchmarks.policy_speed --checkov /path/to/checkov [--manifests 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import yaml

from benchmarks.machine import facts
from benchmarks.policy_corpus import CHECKOV_ON_SECRETS, failed_checks
from policies.check import check
from policies.judge import Status
from policies.rule import Environment
from policies.waivers import FILE

REPOSITORY = Path(__file__).parents[1]
_RBAC = "rbac.authorization.k8s.io/v1"


def manifests(count: int) -> Iterator[dict[str, Any]]:
    """`count` manifests of a team: jobs, roles and bindings, a third of each wrong."""
    for number, make in enumerate(islice(cycle((_job, _role, _binding)), count)):
        yield make(f"fake-{number:05}", wrong=number // 3 % 3 == 0)


def _job(name: str, *, wrong: bool) -> dict[str, Any]:
    token = {"secretKeyRef": {"name": "fake-token", "key": "token"}}
    container = {
        "name": "train",
        "image": "example.com/train:1.0.0",
        "env": [{"name": "TOKEN", "valueFrom": token}] if wrong else [],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "privileged": wrong},
    }
    pod = {
        "serviceAccountName": "fake-trainer",
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "containers": [container],
    }
    return _object("batch/v1", "Job", name, spec={"template": {"spec": pod}})


def _role(name: str, *, wrong: bool) -> dict[str, Any]:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    names = {} if wrong else {"resourceNames": ["fake-token"]}
    return _object(_RBAC, "Role", name, rules=[{**rule, **names}])


def _binding(name: str, *, wrong: bool) -> dict[str, Any]:
    role = "cluster-admin" if wrong else "fake-reader"
    account = {"kind": "ServiceAccount", "name": "fake-trainer", "namespace": "ml-training"}
    reference = {"apiGroup": _RBAC.partition("/")[0], "kind": "ClusterRole", "name": role}
    return _object(_RBAC, "RoleBinding", name, roleRef=reference, subjects=[account])


def _object(version: str, kind: str, name: str, **body: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ml-training"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def _seconds(*command: str) -> float:
    """How long a command takes. Both programs end with 1 when they find something."""
    started = perf_counter()
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    seconds = perf_counter() - started
    if ended.returncode > 1:
        raise RuntimeError(f"{command[0]} ended with {ended.returncode}: {ended.stderr[-400:]!r}")
    return seconds


def main() -> None:
    """Print the times of each side, their medians and the ratios."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--checkov", required=True, help="The checkov to compare with.")
    arguments.add_argument("--manifests", type=int, default=1_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, manifest in enumerate(manifests(options.manifests)):
            (folder / f"{number:05}.yaml").write_text(yaml.safe_dump(manifest))
        print(facts())
        _run(options.checkov, folder, options.rounds)
        _count(options.checkov, folder)


def _run(checkov: str, folder: Path, rounds: int) -> None:
    judged = (checkov, "-d", str(folder), "--framework", "kubernetes", "--quiet", "-o", "json")
    ours = (sys.executable, "-m", "cli", "policy", "check", str(folder), "--format", "json")
    sides = {
        "strongroom, all rules": ours,
        "checkov, all checks": judged,
        "checkov, checks on secrets": (*judged, "--check", ",".join(sorted(CHECKOV_ON_SECRETS))),
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, command in sides.items():
            times[side].append(_seconds(*command))
    base = median(times["strongroom, all rules"])
    print("| side | median | fastest | slowest | to strongroom |")
    print("|---|---|---|---|---|")
    for side, taken in times.items():
        bounds = f"{median(taken):.2f} s | {min(taken):.2f} s | {max(taken):.2f} s"
        print(f"| {side} | {bounds} | {median(taken) / base:.1f} |")


def _count(checkov: str, folder: Path) -> None:
    started = perf_counter()
    report = check([folder], Environment.PROD, waivers=FILE, today=date.min)
    seconds = perf_counter() - started
    broken = len(report.having(Status.BROKEN))
    print(
        f"strongroom: {report.judged} objects, {broken} findings; without its start {seconds:.2f} s"
    )
    failed = failed_checks(checkov, folder)
    print(f"checkov: {sum(map(len, failed.values()))} findings in {len(failed)} files")


if __name__ == "__main__":
    main()
