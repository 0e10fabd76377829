"""The types of External Secrets Operator, and what its regular expressions leave out.

Owns the tokens, and whether an expression names anything.
Source: Go, "regexp/syntax"; the operator looks for a match anywhere in a name.
"""

from __future__ import annotations

import re

from policies.view import NotKnown, View

GROUP = "kubernetes:external-secrets.io"
OLD_VERSIONS = ("v1alpha1", "v1beta1")
VERSIONS = ("v1", *OLD_VERSIONS)
KINDS = ("SecretStore", "ClusterSecretStore", "ExternalSecret", "ClusterExternalSecret")


def types(*kinds: str, versions: tuple[str, ...] = VERSIONS) -> frozenset[str]:
    """The types of the kinds, in all versions or in some."""
    return frozenset(f"{GROUP}/{version}:{kind}" for version in versions for kind in kinds)


# Names that have next to nothing in common, and that nobody means.
_STRANGERS = ("zz-unnamed", "other-team7", "0a1b2c3d")
# What Go reads, and Python otherwise or not at all.
_GO_ONLY = re.compile(r"\[\[|\\[pPzQE]|\(\?[a-z]*U")


def finds_anything(expression: View) -> bool:
    """Whether a regular expression matches names that nobody meant.

    Raises NotKnown for one that cannot be tried: it is no pass.
    """
    text = expression.text()
    try:
        pattern = None if _GO_ONLY.search(text) else re.compile(text)
    except re.error:
        pattern = None
    if pattern is None:
        raise NotKnown(expression.path, f"the expression {text!r} cannot be tried here")
    return all(map(pattern.search, _STRANGERS))
