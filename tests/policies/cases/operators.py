"""Cases of the rules on External Secrets Operator and Sealed Secrets."""

from __future__ import annotations

from typing import Any

from policies.view import UNKNOWN
from tests.policies.cases.case import Case, bad, ok, unsure

CLUSTER_WIDE = "sealedsecrets.bitnami.com/cluster-wide"
NAMESPACE_WIDE = "sealedsecrets.bitnami.com/namespace-wide"


def conditions(*entries: Any) -> dict[str, Any]:
    return {"spec": {"conditions": list(entries)}}


def selected(*expressions: tuple[str, str]) -> dict[str, Any]:
    listed = [{"key": key, "operator": operator} for key, operator in expressions]
    return {"namespaceSelector": {"matchExpressions": listed}}


def vault_store(**auth: Any) -> dict[str, Any]:
    return {"spec": {"provider": {"vault": {"server": "https://vault:8200", "auth": auth}}}}


def by_account(*audiences: Any) -> dict[str, Any]:
    return {"role": "ml", "serviceAccountRef": {"name": "eso", "audiences": list(audiences)}}


def external(*data_from: Any, policy: Any = "Owner") -> dict[str, Any]:
    return {"spec": {"dataFrom": list(data_from), "target": {"creationPolicy": policy}}}


def find(expression: Any = None, **more: Any) -> dict[str, Any]:
    return {"find": {"name": {"regexp": expression}, **more}}


def takes(*keys: Any, store: str = "ClusterSecretStore", **more: Any) -> dict[str, Any]:
    data = [{"remoteRef": {"key": key}} for key in keys]
    return {
        "metadata": {"namespace": "ml-training"},
        "spec": {"secretStoreRef": {"kind": store}, "data": data, **more},
    }


def chart(switch: Any, name: str = "oci://charts.example.com/external-secrets") -> dict[str, Any]:
    return {"chart": name, "values": {"rbac": {"serviceAccountTokenCreate": switch}}}


def sealed(*scopes: tuple[str, Any], template: Any = None) -> dict[str, Any]:
    inner = {"metadata": {"annotations": template or {}}}
    return {"metadata": {"annotations": dict(scopes)}, "spec": {"template": inner}}


CASES: dict[str, dict[str, Case]] = {
    "eso-cluster-store-is-scoped": {
        "pass": ok(conditions({"namespaces": ["ml-training"]})),
        "fail": bad({"spec": {}}, "spec.conditions is not set"),
        "wildcard": bad(conditions({"namespaceRegexes": ["^.*$"]}), "matches every namespace"),
        "second-position": bad(
            conditions({"namespaces": ["ml"]}, {"namespaceSelector": {}}), "spec.conditions[1]"
        ),
        "unknown": unsure(conditions({"namespaces": UNKNOWN}, {"namespaces": ["*"]}), findings=1),
        "not-applicable": ok(conditions({"namespaceSelector": {"matchLabels": {"team": "ml"}}})),
        "an empty condition": bad(conditions({}), "spec.conditions[0] is empty"),
        "a regex with a beginning": ok(conditions({"namespaceRegexes": ["^ml-.*$"]})),
        "a regex of any letter": bad(conditions({"namespaceRegexes": ["ml", "[a-z].*"]}), "every"),
        "a regex that only Go reads": unsure(conditions({"namespaceRegexes": [r"\pL+"]})),
        "a regex that is none": unsure(conditions({"namespaceRegexes": ["("]})),
        "a selector of no label": bad(
            conditions({"namespaceSelector": {"matchLabels": {}}}), "matches every namespace"
        ),
        "a selector of what each one has": bad(
            conditions(
                selected(("kubernetes.io/metadata.name", "Exists"), ("team", "NotIn")),
            ),
            "matches every namespace",
        ),
        "selectors of what few have": ok(
            conditions(
                selected(("team", "Exists")), selected(("kubernetes.io/metadata.name", "In"))
            )
        ),
    },
    "eso-is-v1": {
        "pass": ok({"apiVersion": "external-secrets.io/v1"}),
        "fail": bad({"apiVersion": "external-secrets.io/v1beta1"}, "external-secrets.io/v1beta1"),
        "wildcard": bad({"apiVersion": "external-secrets.io/*"}, "external-secrets.io/*"),
        "second-position": bad(
            {"kind": "SecretStore", "apiVersion": "external-secrets.io/v1alpha1"}, "alpha"
        ),
        "unknown": unsure({"apiVersion": UNKNOWN}),
        "not-applicable": ok({"kind": UNKNOWN, "apiVersion": "external-secrets.io/v1"}),
        "no version": bad({}, "of an older type"),
    },
    "eso-no-static-credentials": {
        "a token of the old form without audience": bad(
            vault_store(jwt={"kubernetesServiceAccountToken": {"audiences": []}}), "any audience"
        ),
        "a login that is not set": ok(vault_store(tokenSecretRef=None)),
        "pass": ok(vault_store(kubernetes=by_account("vault"))),
        "fail": bad(vault_store(tokenSecretRef={"name": "t"}), "auth.tokenSecretRef is a static"),
        "wildcard": bad(vault_store(kubernetes=by_account("*")), "a token of any audience"),
        "second-position": bad(
            vault_store(kubernetes=by_account("vault"), appRole={"path": "approle"}), "auth.appRole"
        ),
        "unknown": unsure(vault_store(kubernetes=UNKNOWN, userPass={"path": "u"}), findings=1),
        "not-applicable": ok({"spec": {"provider": {"kubernetes": {"server": {}}}}}),
        "AWS keys": bad(
            {"spec": {"provider": {"aws": {"auth": {"secretRef": {"accessKeyIDSecretRef": {}}}}}}},
            "aws.auth.secretRef",
        ),
        "no audience": bad(vault_store(jwt=by_account()), "any audience"),
        "STS' audience, which is asked for by itself": ok(
            {"spec": {"provider": {"aws": {"auth": {"jwt": by_account()}}}}}
        ),
        "any audience of AWS": bad(
            {"spec": {"provider": {"aws": {"auth": {"jwt": by_account("*")}}}}}, "any audience"
        ),
        "a stored token": bad(
            vault_store(kubernetes={"secretRef": {"name": "t"}}), "kubernetes.secretRef"
        ),
        "a token of the old form": ok(
            vault_store(jwt={"kubernetesServiceAccountToken": {"audiences": ["vault"]}})
        ),
        "no login at all": ok(vault_store(kubernetes=None)),
        "keys for a login by IAM": bad(
            vault_store(iam={"secretRef": {"accessKeyIDSecretRef": {}}}), "auth.iam.secretRef"
        ),
        "a login by IAM as an account": ok(vault_store(iam={"jwt": by_account(), "region": "x"})),
        "a key by another name": bad(
            {"spec": {"provider": {"ibm": {"auth": {"key": {"apiKeySecretRef": {"name": "k"}}}}}}},
            "auth.key.apiKeySecretRef",
        ),
        "keys beside the login": bad(
            {"spec": {"provider": {"azurekv": {"authSecretRef": {"clientId": {}}}}}},
            "azurekv.authSecretRef",
        ),
        "another reference beside the login": ok(
            {"spec": {"provider": {"vault": {"caProvider": {"name": "ca"}, "cert": None}}}}
        ),
    },
    "eso-external-secret-is-explicit": {
        "a policy that does not exist": bad(external(policy="Always"), "creationPolicy is Always"),
        "pass": ok(external(find("^ml-training/.*$"))),
        "fail": bad(external(policy=None), "creationPolicy is not set"),
        "wildcard": bad(external(find(".*")), "matches every name (.*)"),
        "a wildcard in other words": bad(external(find(r"[\s\S]*")), "matches every name"),
        "second-position": bad(
            external({"extract": {"key": "a"}}, find()),
            "dataFrom[1].find matches every name (no regexp)",
        ),
        "unknown": unsure(
            external(find(UNKNOWN), find("^.+$")), findings=1, evidence="dataFrom[1]"
        ),
        "not-applicable": ok(external(find(tags={"team": "ml"}))),
        "for many namespaces": bad(
            {
                "spec": {
                    "externalSecretSpec": {
                        "dataFrom": [find()],
                        "target": {"creationPolicy": "Merge"},
                    }
                }
            },
            "externalSecretSpec.dataFrom[0]",
        ),
    },
    "eso-external-secret-stays-home": {
        "no namespace": bad(
            {
                "spec": {
                    "secretStoreRef": {"kind": "ClusterSecretStore"},
                    "data": [{"remoteRef": {"key": "a"}}],
                }
            },
            "not below <namespace>/",
        ),
        "pass": ok(takes("secret/data/ml-training", "ml-training/mlflow")),
        "fail": bad(takes("ml-serving/mlflow"), "'ml-serving/mlflow' is not below ml-training/"),
        "wildcard": bad(takes("*"), "'*'"),
        "second-position": bad(takes("ml-training/a", "shared/b"), "spec.data[1]"),
        "unknown": unsure(takes(UNKNOWN, "shared/b"), findings=1, evidence="spec.data[1]"),
        "not-applicable": ok(takes("shared/b", store="SecretStore")),
        "a shared store for one key": bad(
            {
                "metadata": {"namespace": "ml-training"},
                "spec": {
                    "secretStoreRef": {"kind": "SecretStore"},
                    "data": [
                        {"remoteRef": {"key": "a"}},
                        {
                            "remoteRef": {"key": "shared/b"},
                            "sourceRef": {"storeRef": {"kind": "ClusterSecretStore"}},
                        },
                    ],
                },
            },
            "spec.data[1]",
        ),
        "all keys of one": bad(
            takes(dataFrom=[{"extract": {"key": "shared"}}]), "dataFrom[0].extract"
        ),
    },
    "eso-makes-no-token-for-any": {
        "pass": ok(chart(False)),
        "fail": bad(chart(True), "serviceAccountTokenCreate is true"),
        "wildcard": bad(chart("*"), "is *"),
        "second-position": bad(
            {"chart": "external-secrets", "values": {"a": 1, "rbac": {}}}, "not set"
        ),
        "unknown": unsure(chart(UNKNOWN)),
        "not-applicable": ok(chart(True, name="sealed-secrets")),
        "no roles made": ok({"chart": "external-secrets", "values": {"rbac": {"create": False}}}),
    },
    "sealed-secret-is-strict": {
        "pass": ok(sealed()),
        "fail": bad(sealed((CLUSTER_WIDE, "true")), "cluster-wide is 'true'"),
        "wildcard": bad(sealed((CLUSTER_WIDE, "*")), "is '*'"),
        "second-position": bad(
            sealed(template={"a": "b", NAMESPACE_WIDE: "true"}), "namespace-wide"
        ),
        "unknown": unsure(sealed((CLUSTER_WIDE, UNKNOWN), (NAMESPACE_WIDE, "true")), findings=1),
        "not-applicable": ok(sealed((CLUSTER_WIDE, "false"))),
    },
}
