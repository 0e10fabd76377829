"""A container must get no secret as a literal: in its environment, arguments, probes or hooks.

Whoever may read the object reads it, and so does every log of the object.
Source: Kubernetes, "Good practices for Kubernetes Secrets"; CIS Kubernetes Benchmark 5.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise, starmap

from policies.pods import WORKLOADS, Checks, each_field
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.secret_values import kind_of
from policies.view import NotKnown, View

AUTHORIZATION = frozenset({"authorization", "proxy-authorization"})
"""Headers that hold a credential after the name of a scheme."""
_ASSIGNMENT = re.compile(r"""([\w.-]+)=("[^"]*"|'[^']*'|\S+)""")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
# What a shell or a chart puts in place of itself.
_FILLED_IN = ("$", "`", "{{")


def _variable(variable: View) -> Iterator[Judgement]:
    yield from _named(variable["value"], variable["name"].text(), variable.path)


def _variables(variables: View) -> Iterator[Judgement]:
    for name, value in variables.items():
        yield from each([value], partial(_named, name=name, path=value.path))


def _named(value: View, name: str, path: str) -> Iterator[Judgement]:
    if kind := kind_of(name, value.text()):
        yield Finding(
            evidence=f"{path} ({name}) has {kind}",
            fix="mount the secret as a file, or read it from Vault",
        )


def _script(source: View) -> Iterator[Judgement]:
    # In a program `token=read()` is a call, so a name alone says nothing.
    if kind := kind_of("", source.text()):
        yield Finding(evidence=f"{source.path} has {kind}", fix="read a mounted file")


def _arguments(listed: View) -> Iterator[Judgement]:
    entries = list(listed.entries())
    for before, argument in pairwise([View(None), *entries]):
        yield from each([argument], partial(_argument, option=_option(before)))


def _option(argument: View) -> str:
    """The option whose value is the next argument; nothing for one that is told as unknown."""
    try:
        text = argument.text()
    except NotKnown:
        return ""
    return text.lstrip("-") if text.startswith("-") else ""


def _argument(argument: View, option: str) -> Iterator[Judgement]:
    text = argument.text()
    assigned = [(name, value.strip("\"'")) for name, value in _ASSIGNMENT.findall(text)]
    named = [("", text), *((n, value) for n, value in assigned if _is_literal(value))]
    if _is_literal(text):
        named.append((option, text))
    if kind := next(filter(None, starmap(kind_of, named)), None):
        yield Finding(evidence=f"{argument.path} has {kind}", fix="pass the path of a file")


def _is_literal(value: str) -> bool:
    return not value.startswith(("-", *_FILLED_IN))


def _handler(handler: View) -> Iterator[Judgement]:
    yield from each([handler["exec"]], lambda run: each([run["command"]], _arguments))
    yield from each([handler["httpGet"]], lambda get: each_of(get["httpHeaders"], _header))


def _header(header: View) -> Iterator[Judgement]:
    name, value = header["name"].text(), header["value"].text()
    if name.lower() in AUTHORIZATION:
        kind = kind_of("token", value.rpartition(" ")[2])
    else:
        kind = kind_of(name, value)
    if kind:
        yield Finding(
            evidence=f"{header.path} ({name}) has {kind}", fix="ask a path that needs no login"
        )


def _hooks(lifecycle: View) -> Iterator[Judgement]:
    yield from each((lifecycle[name] for name in HOOKS), _handler)


PLACES: Checks = {
    "env": partial(each_of, check=_variable),
    "envVars": _variables,  # an older form of Spark's
    "command": _arguments,
    "args": _arguments,
    "source": _script,  # of Argo's
    "lifecycle": _hooks,
    **dict.fromkeys(PROBES, _handler),
}


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each literal that looks like a secret."""
    yield from each_field(properties, PLACES)


RULE = Rule(
    id="pod-no-secret-in-env",
    title="A container must get no secret as a literal.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.4.1", "NIST SP 800-53 IA-5(7)"),
    resource_types=WORKLOADS,
    remediation="Use Vault Agent, the CSI driver, or a Secret mounted as a volume.",
    check=check,
)
