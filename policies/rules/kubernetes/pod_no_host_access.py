"""A pod must stay off its node: whoever reads the node reads every secret on it.

Source: Kubernetes, "Pod Security Standards", baseline; CIS Kubernetes Benchmark 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.pods import WORKLOADS, Checks, each_field
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View

HOST = ("hostNetwork", "hostPID", "hostIPC")
CONTEXTS = ("securityContext", "podSecurityContext")
"""Of pods and of containers; Spark's pods have one of each."""
# What the baseline level lets a container add.
BASELINE = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)


def _switch(switch: View) -> Iterator[Judgement]:
    if switch.flag() is True:
        yield Finding(evidence=f"{switch.path} is true", fix=f"remove {switch.path}")


def _volume(volume: View) -> Iterator[Judgement]:
    if volume["hostPath"].given:
        yield Finding(
            evidence=f"{volume.path} mounts the node's {volume['hostPath']['path'].text()}",
            fix="use an emptyDir, a claim or a CSI volume",
        )


def _windows(context: View) -> Iterator[Judgement]:
    yield from _switch(context["windowsOptions"]["hostProcess"])


def _capability(capability: View) -> Iterator[Judgement]:
    if capability.text().removeprefix("CAP_") not in BASELINE:
        yield Finding(
            evidence=f"{capability.path} is {capability.text()}", fix=f"remove {capability.path}"
        )


def _context(context: View) -> Iterator[Judgement]:
    yield from each([context["privileged"]], _switch)
    yield from each([context["capabilities"]], lambda known: each_of(known["add"], _capability))
    yield from each([context], _windows)


PLACES: Checks = {
    **dict.fromkeys(HOST, _switch),
    "volumes": partial(each_of, check=_volume),
    **dict.fromkeys(CONTEXTS, _context),
}


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each way to the node."""
    yield from each_field(properties, PLACES)


RULE = Rule(
    id="pod-no-host-access",
    title="A pod must stay off its node.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.2.2", "NSA Kubernetes Hardening"),
    resource_types=WORKLOADS,
    remediation="Run under the restricted Pod Security level.",
    check=check,
)
