"""RBAC objects and secret stores as things: by what they give, from a manifest of either side.

Owns which facts of a manifest matter. A role is the set of its single rights, so that a rule split
in two is no difference; defaults that the API server fills in are the same on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from drift.model import Kind, Thing

ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")
STORES = ("SecretStore", "ClusterSecretStore")
KINDS = (*ROLES, *BINDINGS, *STORES)
# A role with this label gives its rights to everybody who holds the role named in it.
_GATHERED = "rbac.authorization.k8s.io/aggregate-to-"


def thing_of(manifest: Mapping[str, Any], *, origin: str = "") -> Thing:
    """The thing that a manifest of one of `KINDS` describes."""
    kind = manifest["kind"]
    return Thing(
        kind=Kind.STORE if kind in STORES else Kind.RBAC,
        name=name_of(manifest),
        facts=_facts(manifest),
        origin=origin,
    )


def name_of(manifest: Mapping[str, Any]) -> str:
    """Kind, namespace and name, as people write them."""
    metadata = manifest["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{manifest['kind']} {place}{metadata['name']}"


def _facts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    if manifest["kind"] in STORES:
        return {"spec": manifest.get("spec") or {}}
    if manifest["kind"] in BINDINGS:
        target = manifest["roleRef"]
        subjects = manifest.get("subjects") or ()
        return {
            "role": f"{target['kind']} {target['name']}",
            "subjects": [_subject(entry) for entry in subjects],
        }
    labels = manifest["metadata"].get("labels") or {}
    gathered = [label for label, on in labels.items() if label.startswith(_GATHERED) and on]
    if gathers := manifest.get("aggregationRule"):
        # The controller writes its rules; who adds to them is seen by the label of the other role.
        return {"gathers": gathers, "labels": gathered}
    rules = [right for rule in manifest.get("rules") or () for right in _rights(rule)]
    return {"rights": sorted(set(rules)), "labels": gathered}


def _rights(rule: Mapping[str, Any]) -> Iterator[str]:
    verbs = rule.get("verbs") or ()
    for verb, url in product(verbs, rule.get("nonResourceURLs") or ()):
        yield f"{verb} {url}"
    groups, resources = rule.get("apiGroups") or ("",), rule.get("resources") or ()
    names = rule.get("resourceNames") or ("",)
    for verb, group, resource, name in product(verbs, groups, resources, names):
        where = f"{resource}.{group}" if group else resource
        yield f"{verb} {where}{f' {name}' if name else ''}"


def _subject(entry: Mapping[str, Any]) -> str:
    place = f"{entry['namespace']}/" if entry.get("namespace") else ""
    return f"{entry['kind']} {place}{entry['name']}"
