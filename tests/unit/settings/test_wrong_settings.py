"""Every wrong setting gives one clear error that names file and key. One row for each mistake."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from settings import Settings, SettingsError
from tests.unit.support.stacks import changed

SHAMIR = {"type": "shamir"}
PGP = {"type": "pgp", "path": "init.json", "keys": ["a.asc"] * 5}
GCP_SEAL = {"type": "gcpckms", "keyRing": "ring", "key": "key", "createKey": True}
GRANT = {
    "name": "ml-app",
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/ml/mlflow"],
}
DATABASE = {
    "database": {
        "host": "postgres.example.com",
        "database": "mlflow",
        "passwordFile": "fake-password-file",
        "caFile": "fake-ca-file",
        "roles": [{"name": "logs", "ttl": "2h"}],
    }
}
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"


class Wrong(NamedTuple):
    """`changes` to a good stack make the setting `key` wrong; the error says `fragment`."""

    stack: str
    changes: dict[str, Any]
    key: str
    fragment: str


WRONG = (
    # unknown keys
    Wrong("dev", {"vualt": {}}, "vualt", "`vault`, the nearest valid name"),
    Wrong("dev", {"zzz": 1}, "zzz", "one of auth, aws, cloud, cloudSecrets"),
    Wrong("dev", {"service_accounts": []}, "service_accounts", "`serviceAccounts`"),
    Wrong("dev", {"vault.replica": 3}, "vault.replica", "`replicas`, the nearest"),
    Wrong("dev", {"vault.tls.minversion": "tls13"}, "vault.tls.minversion", "`minVersion`"),
    Wrong("dev", {"vault.tls.enabled": False}, "vault.tls.enabled", "is no setting"),
    Wrong("dev", {"vault.seal.kmsKey": "x"}, "vault.seal.kmsKey", "is no setting"),
    Wrong("dev", {"namespaces": [{"nam": "x", "name": "vault", "purpose": "p"},
        {"name": "ml-training", "purpose": "p"}]}, "namespaces[0].nam", "`name`"),
    Wrong("dev", {"serviceAccounts.0.secretName": "x"}, "serviceAccounts[0].secretName",
        "`secretNames`"),
    # missing and wrong types
    Wrong("dev", {"environment": ...}, "environment", "is missing"),
    Wrong("dev", {"vault.address": ...}, "vault.address", "is missing"),
    Wrong("dev", {"vault.seal": ...}, "vault.seal", "is missing"),
    Wrong("dev", {"vault.seal.type": ...}, "vault.seal.type", "does not say its `type`"),
    Wrong("dev", {"vault.custodian": ...}, "vault.custodian", "is missing"),
    Wrong("dev", {"network": ...}, "network", "is missing"),
    Wrong("dev", {"vault.replicas": "3"}, "vault.replicas", "a whole number is expected"),
    Wrong("dev", {"vault.replicas": 3.5}, "vault.replicas", "a whole number is expected"),
    Wrong("dev", {"vault": "on"}, "vault", "a mapping of settings is expected"),
    Wrong("dev", {"vault.tls": False}, "vault.tls", "TLS has no off"),
    Wrong("dev", {"protect": "maybe"}, "protect", "true or false is expected"),
    Wrong("dev", {"serviceAccounts": "x"}, "serviceAccounts", "a list is expected"),
    Wrong("dev", {"serviceAccounts.0.jobs": "yes"}, "serviceAccounts[0].jobs", "true or false"),
    Wrong("dev", {"aws.accountId": 123456789012}, "aws.accountId", "in quotes"),
    Wrong("dev", {"vault.version": 1.21}, "vault.version", "text is expected"),
    Wrong("dev", {"vault.storage.size": 10}, "vault.storage.size", "where text is expected"),
    # closed sets
    Wrong("dev", {"environment": "prd"}, "environment", "none of local, dev, prod"),
    Wrong("dev", {"cloud": "azure"}, "cloud", "none of none, aws, gcp"),
    Wrong("dev", {"vault.seal.type": "awskm"}, "vault.seal.type", "none of awskms, gcpckms"),
    Wrong("dev", {"vault.custodian.type": "disk"}, "vault.custodian.type", "none of file, pgp"),
    Wrong("dev", {"vault.spread": "some"}, "vault.spread", "none of none, preferred, required"),
    Wrong("dev", {"vault.tls.minVersion": "tls11"}, "vault.tls.minVersion", "tls12, tls13"),
    Wrong("dev", {"vault.tls.source": "off"}, "vault.tls.source", "none of own-ca"),
    Wrong("dev", {"vault.ui.serviceType": "Ingress"}, "vault.ui.serviceType", "none of Cluster"),
    Wrong("dev", {"vault.snapshots.destination": "ftp"}, "vault.snapshots.destination", "volume"),
    Wrong("dev", {"vault.chart.source": "git"}, "vault.chart.source", "repository, oci, path"),
    # values of a form
    Wrong("dev", {"vault.tls.validity": "90 days"}, "vault.tls.validity", "no duration"),
    Wrong("dev", {"vault.tls.validity": ""}, "vault.tls.validity", "no duration"),
    Wrong("dev", {"vault.deployer.tokenTtl": "0s"}, "vault.deployer.tokenTtl", "no time at all"),
    Wrong("dev", {"vault.deployer.tokenTtl": "-1h"}, "vault.deployer.tokenTtl", "no duration"),
    Wrong("dev", {"vault.storage.size": "10 GB"}, "vault.storage.size", "no Kubernetes quantity"),
    Wrong("dev", {"vault.audit.size": "0Gi"}, "vault.audit.size", "nothing at all"),
    Wrong("dev", {"vault.audit.size": "5Mi"}, "vault.audit.size", "less than 64Mi"),
    Wrong("dev", {"vault.address": "http://vault:8200"}, "vault.address", "no https address"),
    Wrong("dev", {"vault.address": "vault:8200"}, "vault.address", "no https address"),
    Wrong("dev", {"vault.address": "https://a:b@vault:8200"}, "vault.address", "password in it"),
    Wrong("dev", {"vault.address": "https://vault:99999"}, "vault.address", "no https address"),
    Wrong("dev", {"vault.namespace": "Vault_1"}, "vault.namespace", "no DNS label"),
    Wrong("dev", {"vault.image.repository": "vault:1.21.0"}, "vault.image.repository", "(without"),
    Wrong("dev", {"vault.image.tag": "latest"}, "vault.image.tag", "no fixed image tag"),
    Wrong("dev", {"vault.version": "1.21"}, "vault.version", "no version (X.Y.Z)"),
    Wrong("dev", {"vault.chart.version": ">=0.30"}, "vault.chart.version", "no exact chart"),
    Wrong("dev", {"vault.snapshots.schedule": "0 * * *"}, "vault.snapshots.schedule", "4 fields"),
    Wrong("dev", {"vault.snapshots.schedule": "61 * * * *"}, "vault.snapshots.schedule", "0-59"),
    Wrong("dev", {"vault.snapshots.retain": 0}, "vault.snapshots.retain", "the least is 1"),
    Wrong("dev", {"vault.ui.serviceType": "NodePort", "vault.ui.nodePort": 80},
        "vault.ui.nodePort", "the least is 30000"),
    Wrong("dev", {"vault.seal.deletionWindow": 3}, "vault.seal.deletionWindow", "least is 7"),
    Wrong("dev", {"vault.seal.role": "strongroom"}, "vault.seal.role", "no ARN of an IAM role"),
    Wrong("dev", {"vault.seal.key": "alias/x", "vault.seal.createKey": False},
        "vault.seal.key", "no ARN of a KMS key"),
    Wrong("dev", {"aws.region": "Frankfurt"}, "aws.region", "no AWS region"),
    Wrong("dev", {"aws.accountId": "1234"}, "aws.accountId", "12 digits"),
    Wrong("dev", {"network.kms.cidrs": ["10.0.0.1/16"]}, "network.kms.cidrs[0]", "no network"),
    Wrong("dev", {"network.kms.cidrs": []}, "network.kms.cidrs", "0 entries"),
    Wrong("dev", {"network.kms.port": 70000}, "network.kms.port", "1-65535"),
    Wrong("dev", {"serviceAccounts.0.secretNames": ["*"]}, "serviceAccounts[0].secretNames[0]",
        "no Kubernetes object name"),
    Wrong("dev", {"grants": [GRANT | {"serviceAccounts": ["*"]}]}, "grants[0].serviceAccounts[0]",
        "a wildcard would let every pod"),
    Wrong("dev", {"grants": [GRANT | {"secrets": ["secret/ml/*"]}]}, "grants[0].secrets[0]",
        "name each secret"),
    Wrong("dev", {"grants": [GRANT | {"ttl": "48h"}]}, "grants[0]", "between 1m and 24h"),
    Wrong("dev", {"grants": [GRANT | {"service_account": []}]}, "grants[0].service_account",
        "`serviceAccounts`, the nearest"),
    Wrong("dev", {"engines": DATABASE, "grants": [GRANT | {"database": ["logs"], "ttl": "30m"}]},
        "grants[0].ttl", "Vault revokes them with the token"),
    Wrong("dev", {"engines": DATABASE, "grants": [GRANT | {"database": ["nothing"]}]},
        "grants[0].database[0]", "no role of `engines.database.roles`"),
    Wrong("dev", {"grants": [GRANT, GRANT]}, "grants[1].name", "occurs 2 times"),
    # rules between settings
    Wrong("dev", {"vault.replicas": 2}, "vault.replicas", "3 (outlives one loss) or 5"),
    Wrong("dev", {"vault.replicas": 1}, "vault.replicas", "Raft needs an odd majority"),
    Wrong("dev", {"vault.replicas": 7}, "vault.replicas", "3 (outlives one loss) or 5"),
    Wrong("dev", {"vault.autopilot.minQuorum": 5}, "vault.autopilot.minQuorum", "at most 3"),
    Wrong("dev", {"aws": ...}, "aws", "is missing though `cloud` is aws"),
    Wrong("dev", {"gcp": {"project": "example-project", "region": "europe-west3"}}, "gcp",
        "is given though `cloud` is aws"),
    Wrong("dev", {"aws.endpoint": "http://127.0.0.1:5000"}, "aws.endpoint", "environment dev"),
    Wrong("local", {"aws.endpoint": "https://kms.example.com"}, "aws.endpoint", "foreign host"),
    Wrong("prod", {"vault.seal.endpoint": "http://10.0.0.1"}, "vault.seal.endpoint", "in clear"),
    Wrong("prod", {"kubernetes.context": ...}, "kubernetes.context", "happens to be current"),
    Wrong("dev", {"vault.seal": GCP_SEAL}, "vault.seal.type", "though `cloud` is aws"),
    Wrong("dev", {"vault.seal.createKey": False}, "vault.seal.key", "neither a key nor createKey"),
    Wrong("dev", {"vault.seal.key": KEY_ARN}, "vault.seal.key", "both a key and createKey"),
    Wrong("prod", {"vault.seal": SHAMIR}, "vault.seal.type", "acceptManualUnseal: true"),
    Wrong("dev", {"vault.custodian": {"type": "file"}}, "vault.custodian.type", "on one disk"),
    Wrong("dev", {"vault.custodian": {"type": "gcp-secret-manager", "name": "x"}},
        "vault.custodian.type", "though `cloud` is aws"),
    Wrong("dev", {"vault.custodian.threshold": 6}, "vault.custodian.threshold", "than the 5"),
    Wrong("prod", {"vault.custodian.threshold": 1}, "vault.custodian.threshold", "one person"),
    Wrong("dev", {"vault.custodian": PGP | {"shares": 6}}, "vault.custodian.keys", "5 entries"),
    Wrong("dev", {"vault.tls.renewBefore": "90d"}, "vault.tls.renewBefore", "without end"),
    Wrong("dev", {"vault.tls.source": "secret", "vault.tls.caFile": "README.md"},
        "vault.tls.secretName", "is missing though"),
    Wrong("dev", {"vault.tls.source": "secret", "vault.tls.secretName": "given"},
        "vault.tls.caFile", "is missing though"),
    Wrong("dev", {"vault.tls.source": "secret", "vault.tls.secretName": "given",
        "vault.tls.caFile": "absent.pem"}, "vault.tls.caFile", "there is no such file"),
    Wrong("dev", {"vault.chart": {"source": "path", "location": "no/such/chart"}},
        "vault.chart.location", "no Chart.yaml in it"),
    Wrong("dev", {"vault.csi": {"enabled": True}}, "vault.csi.enabled", "would be refused"),
    Wrong("dev", {"vault.seal.role": ...}, "vault.seal.role", "who may use it"),
    Wrong("dev", {"aws.accountId": ...}, "aws.accountId", "the account that administers it"),
    Wrong("dev", {"vault.snapshots": {"identity": "arn:aws:iam::123456789012:role/a"}},
        "vault.snapshots.identity", "though `destination` is volume"),
    Wrong("dev", {"vault.tls.issuer": "ca"}, "vault.tls.issuer", "though `source` is own-ca"),
    Wrong("dev", {"vault.resources.requests.memory": "1Gi"}, "vault.resources.requests.memory",
        "more than the limit '512Mi'"),
    Wrong("dev", {"vault.resources.limits.cpu": "100m"}, "vault.resources.requests.cpu",
        "at most 100m"),
    Wrong("dev", {"vault.image.tag": "1.20.4"}, "vault.image.tag", "while `version` is '1.21.0'"),
    Wrong("dev", {"vault.chart.version": None}, "vault.chart.version", "changes the cluster"),
    Wrong("dev", {"vault.ui.nodePort": 30200}, "vault.ui.nodePort", "`serviceType: NodePort`"),
    Wrong("prod", {"vault.injector.replicas": 1}, "vault.injector.replicas", "2 or more"),
    Wrong("prod", {"vault.spread": "preferred"}, "vault.spread", "lost machine or zone"),
    Wrong("prod", {"vault.snapshots.enabled": False}, "vault.snapshots.enabled", "every secret"),
    Wrong("prod", {"vault.snapshots.bucket": ...}, "vault.snapshots.bucket", "is missing though"),
    Wrong("dev", {"vault.snapshots.destination": "gcs", "vault.snapshots.bucket": "abc"},
        "vault.snapshots.destination", "though `cloud` is aws"),
    Wrong("dev", {"serviceAccounts.0.namespace": "ml"}, "serviceAccounts[0].namespace",
        "not among `namespaces`"),
    Wrong("dev", {"vault.namespace": "safe"}, "vault.namespace", "not among `namespaces`"),
    Wrong("dev", {"grants": [GRANT | {"namespaces": ["x"]}]}, "grants[0].namespaces[0]",
        "not among `namespaces`"),
    Wrong("dev", {"serviceAccounts": [{"name": "a", "namespace": "vault"}] * 2},
        "serviceAccounts[1].name", "occurs 2 times"),
    Wrong("prod", {"namespaces": [{"name": n, "purpose": "p", "podSecurity": "privileged"
        if n == "ml-serving" else "restricted"} for n in ("vault", "ml-training", "ml-serving",
        "external-secrets", "sealed-secrets")]},
        "namespaces[2].podSecurity", "take over the node"),
    # credentials
    Wrong("dev", {"vault.deployer.tokenFile": "hvs.fakefakefake"}, "vault.deployer.tokenFile",
        "looks like a credential"),
)  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case.key}-{case.fragment}"[:60])
def test_one_mistake_is_one_error_with_file_key_reason_and_remedy(case: Wrong) -> None:
    source = f"Pulumi.{case.stack}.yaml"
    with pytest.raises(SettingsError) as raised:
        Settings.parse(changed(case.stack, case.changes), source=source)
    assert [problem.key for problem in raised.value.problems] == [case.key]
    (problem,) = raised.value.problems
    assert problem.what
    assert problem.why
    assert problem.fix
    message = str(raised.value)
    assert f"{source}: strongroom:{case.key} " in message
    assert case.fragment in message


def test_all_mistakes_come_at_once_from_every_layer() -> None:
    wrong = changed(
        "dev",
        {
            "vualt": 1,
            "vault.replicas": 4,
            "vault.seal.type": "magic",
            "vault.tls.validity": "soon",
            "aws.accountId": "12",
            "serviceAccounts.0.namespace": "nowhere",
            "vault.address": ...,
            "network": ...,
            "grants": [{"name": "nobody"}],
            "vault.resources.requests.memory": "4Gi",
        },
    )
    with pytest.raises(SettingsError) as raised:
        Settings.parse(wrong, source="Pulumi.dev.yaml")
    assert [problem.key for problem in raised.value.problems] == [
        "aws.accountId",
        "grants[0].namespaces",
        "grants[0].serviceAccounts",
        "network",
        "serviceAccounts[0].namespace",
        "vault.address",
        "vault.replicas",
        "vault.resources.requests.memory",
        "vault.seal.type",
        "vault.tls.validity",
        "vualt",
    ]
    assert "has 11 mistakes; nothing was changed" in str(raised.value)


@pytest.mark.parametrize(
    "credential", ["hvs.CAESfake", "AKIAFAKEFAKEFAKEFAKE", "-----BEGIN RSA PRIVATE KEY-----"]
)
def test_a_credential_is_never_repeated(credential: str) -> None:
    wrong = changed("dev", {"vault.namespace": credential, "vault.seal.role": credential})
    with pytest.raises(SettingsError) as raised:
        Settings.parse(wrong, source="Pulumi.dev.yaml")
    assert credential not in str(raised.value)
    assert [problem.key for problem in raised.value.problems] == [
        "vault.namespace",
        "vault.seal.role",
    ]


@pytest.mark.parametrize("empty", [{}, {"environment": "prod"}])
def test_an_empty_configuration_names_everything_it_needs(empty: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.parse(empty, source="Pulumi.new.yaml")
    keys = [problem.key for problem in raised.value.problems]
    assert {"network", "vault.address", "vault.seal", "vault.custodian"} <= set(keys)
