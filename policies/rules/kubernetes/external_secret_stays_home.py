"""From a store that namespaces share, an ExternalSecret should take its own namespace's keys.

The store's identity reads for all of them; only the key's prefix keeps tenants apart.
Source: External Secrets Operator, "Multi-tenancy".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.external_secrets import types
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each_of
from policies.view import View


def check(external: View) -> Iterator[Judgement]:
    """Yield a finding for each key of a shared store without the namespace in it."""
    spec = external["spec"]
    namespace = external["metadata"]["namespace"].text()

    def entry(view: View) -> Iterator[Judgement]:
        own = view.at("sourceRef", "storeRef")
        store = own if own.given else spec["secretStoreRef"]
        if store["kind"].text() != "ClusterSecretStore":
            return
        for reference in (view["remoteRef"], view["extract"]):
            key = reference["key"]
            if key.given and namespace not in key.text().split("/")[:3]:
                home = f"{namespace or '<namespace>'}/"
                yield Finding(
                    evidence=f"{key.path} {key.text()!r} is not below {home}",
                    fix=f"keep the secret below {home}, or use a SecretStore",
                )

    yield from each_of(spec["data"], entry)
    yield from each_of(spec["dataFrom"], entry)


RULE = Rule(
    id="eso-external-secret-stays-home",
    title="An ExternalSecret must take keys of its own namespace from a shared store.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 AC-4",),
    resource_types=types("ExternalSecret"),
    remediation="Use a SecretStore of the namespace with a grant of its own.",
    levels=ADVISED,
    check=check,
)
