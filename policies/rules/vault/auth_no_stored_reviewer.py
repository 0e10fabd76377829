"""Kubernetes auth must not hold a stored reviewer token.

A token that is stored dies within the hour, or was made to live for ever and sits in the state; in
the cluster, Vault reads its own pod's token again and again (hashicorp/vault#13873).
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

FIELDS = ("tokenReviewerJwt", "tokenReviewerJwtWo")


def check(config: View) -> Iterator[Judgement]:
    """Yield a finding when a reviewer's token is given, or Vault's own is switched off."""
    yield from each((config[name] for name in FIELDS), _absent)
    if config["disableLocalCaJwt"].flag() is True:
        yield Finding(
            evidence="disableLocalCaJwt is true: Vault may not use its own pod's token",
            fix="remove disableLocalCaJwt",
        )


def _absent(field: View) -> Iterator[Judgement]:
    if field.given:
        yield Finding(evidence=f"{field.path} is set", fix=f"remove {field.path}")


RULE = Rule(
    id="vault-auth-no-stored-reviewer",
    title="Kubernetes auth must not hold a stored reviewer token.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5(7)",),
    resource_types=frozenset({"vault:kubernetes/authBackendConfig:AuthBackendConfig"}),
    remediation="Set kubernetes_host only and let Vault use its pod's service account.",
    check=check,
)
