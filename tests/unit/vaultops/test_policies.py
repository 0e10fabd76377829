"""The deployer's and the operator's policies, decided as Vault decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.evaluate import Acl
from access.policy import Capability, Policy
from access.policy_hcl import parse
from vaultops.policies import (
    DEPLOYER_MOUNT,
    DEPLOYER_POLICY,
    OPERATOR_POLICY,
    deployer_policy,
    operator_policy,
)

DEPLOYER = parse(deployer_policy(), DEPLOYER_POLICY)
OPERATOR = parse(operator_policy(), OPERATOR_POLICY)
ACLS = {policy.name: Acl([policy]) for policy in (DEPLOYER, OPERATOR)}

SHUT_FOR_THE_DEPLOYER = (
    f"sys/policies/acl/{DEPLOYER_POLICY}",
    f"sys/policies/acl/{OPERATOR_POLICY}",
    f"sys/policy/{DEPLOYER_POLICY}",
    f"sys/auth/{DEPLOYER_MOUNT}",
    f"sys/auth/{DEPLOYER_MOUNT}/tune",
    f"sys/mounts/auth/{DEPLOYER_MOUNT}/tune",
    f"auth/{DEPLOYER_MOUNT}/config",
    f"auth/{DEPLOYER_MOUNT}/role/strongroom",
    "auth/token/create",
    "auth/token/create-orphan",
    "auth/token/create/any",
    "auth/token/roles/any",
    "auth/token/lookup",
    "auth/token/revoke",
    "sys/audit",
    "sys/audit/file",
    "sys/audit-hash/file",
    "sys/raw",
    "sys/raw/core/keyring",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/rekey/init",
    "sys/rotate",
    "sys/seal",
    "sys/step-down",
    "sys/remount",
    "sys/config/cors",
    "sys/plugins/catalog/secret/any",
    "sys/storage/raft/snapshot",
    "sys/storage/raft/snapshot-force",
    "sys/storage/raft/remove-peer",
    "sys/leases/revoke-force/database",
    "identity/entity",
    "identity/group",
    "secret/data/ml/mlflow",
    "secret/metadata/ml",
    "secret/metadata/ml/mlflow",
    "secret/delete/ml/mlflow",
    "secret/destroy/ml/mlflow",
    "secret/undelete/ml/mlflow",
    "database/creds/reader",
    "database/static-creds/reader",
    "aws/creds/trainer",
    "aws/sts/trainer",
    "transit/decrypt/any",
    "transit/export/encryption-key/any",
    "transit/backup/any",
    "pki/sign-verbatim/any",
    "pki/issue/any",
    "pki-int/sign/any",
)

OPEN_FOR_THE_DEPLOYER = [
    ("sys/mounts/secret", "create"),
    ("sys/mounts/secret", "update"),
    ("sys/mounts/secret/tune", "update"),
    ("sys/mounts", "read"),
    ("sys/mounts/database", "delete"),
    ("sys/auth", "read"),
    ("sys/auth/kubernetes", "create"),
    ("sys/auth/kubernetes", "sudo"),
    ("sys/auth/kubernetes/tune", "update"),
    ("sys/policies/acl", "list"),
    ("sys/policies/acl/ml-training", "create"),
    ("sys/policies/acl/ml-training", "update"),
    ("sys/policies/acl/ml-training", "read"),
    ("sys/policies/acl/ml-training", "delete"),
    ("sys/policies/acl/strongroom-reader", "update"),
    ("auth/kubernetes/config", "update"),
    ("auth/kubernetes/role", "list"),
    ("auth/kubernetes/role/ml-training", "create"),
    ("auth/kubernetes/role/ml-training", "delete"),
    ("secret/config", "update"),
    ("database/config/mlflow", "create"),
    ("database/roles/reader", "update"),
    ("database/static-roles/reader", "create"),
    ("database/rotate-root/mlflow", "update"),
    ("aws/config/root", "update"),
    ("aws/roles/trainer", "create"),
    ("aws/static-roles/trainer", "create"),
    ("transit/keys/models", "create"),
    ("transit/keys/models/config", "update"),
    ("pki/root/generate/internal", "update"),
    ("pki/root/sign-intermediate", "update"),
    ("pki-int/intermediate/set-signed", "update"),
    ("pki-int/roles/serving", "create"),
    ("pki-int/config/urls", "update"),
    ("auth/token/lookup-self", "read"),
    ("auth/token/renew-self", "update"),
    ("auth/token/revoke-self", "update"),
]

OPEN_FOR_THE_OPERATOR = {
    ("sys/storage/raft/snapshot", Capability.READ),
    ("sys/storage/raft/autopilot/state", Capability.READ),
    ("sys/storage/raft/autopilot/configuration", Capability.READ),
    ("sys/storage/raft/configuration", Capability.READ),
    ("sys/step-down", Capability.UPDATE),
    ("sys/step-down", Capability.SUDO),
    ("sys/audit", Capability.READ),
    ("sys/audit", Capability.SUDO),
    ("auth/token/lookup-self", Capability.READ),
    ("auth/token/renew-self", Capability.UPDATE),
    ("auth/token/revoke-self", Capability.UPDATE),
    # It looks at how Vault is configured.
    ("sys/mounts", Capability.READ),
    ("sys/auth", Capability.READ),
    ("sys/policies/acl", Capability.LIST),
    ("sys/policies/acl/+", Capability.READ),
    ("sys/config/state/sanitized", Capability.READ),
    ("sys/key-status", Capability.READ),
    ("secret/config", Capability.READ),
    ("auth/token/accessors", Capability.LIST),
    ("auth/token/accessors", Capability.SUDO),
    ("auth/token/lookup-accessor", Capability.UPDATE),
    ("auth/+/config", Capability.READ),
    *(
        entry
        for path in (
            "auth/+/role",
            "auth/+/groups",
            "auth/+/users",
            "auth/+/map/teams",
            "auth/+/map/users",
            "aws/roles",
            "aws/static-roles",
            "database/config",
            "database/roles",
            "database/static-roles",
            "identity/group/id",
            "pki/roles",
            "pki-int/roles",
            "transit/keys",
        )
        for entry in ((path, Capability.LIST), (f"{path}/+", Capability.READ))
    ),
}

SHUT_FOR_THE_OPERATOR = (
    "secret/data/ml/mlflow",
    "secret/metadata/ml/mlflow",
    "database/creds/reader",
    "database/static-creds/reader",
    "database/rotate-root/mlflow",
    "aws/creds/trainer",
    "aws/sts/trainer",
    "aws/config/root",
    "transit/decrypt/any",
    "transit/export/encryption-key/any",
    "transit/keys/any/config",
    "pki-int/issue/serving",
    "auth/approle/role/pipeline/role-id",
    "auth/approle/role/pipeline/secret-id",
    "auth/kubernetes/login",
    "auth/token/create",
    "auth/token/lookup",
    "auth/token/revoke",
    "auth/token/revoke-accessor",
    "identity/entity/id/any",
    "sys/leases/lookup/database/creds/reader",
    "sys/raw/core/keyring",
    "sys/storage/raft/snapshot-force",
    "cubbyhole/any",
    "kv-of-people/roles/any",
)


@pytest.mark.parametrize("policy", [DEPLOYER, OPERATOR], ids=lambda policy: policy.name)
def test_no_rule_is_as_wide_as_a_mount(policy: Policy) -> None:
    for rule in policy.rules:
        if Capability.DENY not in rule.capabilities:
            looks = policy is OPERATOR and rule.capabilities <= {Capability.READ, Capability.LIST}
            # A look may name no auth method, and one object below a path written out.
            assert not rule.has_segment_wildcard or looks, rule.path
            named = rule.path.removeprefix("auth/+/").removesuffix("/+")
            assert "+" not in named, rule.path
            assert rule.path.rstrip("*").count("/") >= 2 or not rule.is_prefix, rule.path
            assert not rule.is_prefix or rule.path.endswith("/*"), rule.path


@pytest.mark.parametrize("path", SHUT_FOR_THE_DEPLOYER)
def test_the_deployer_is_kept_out(path: str) -> None:
    acl = ACLS[DEPLOYER_POLICY]
    allowed = [c for c in Capability if acl.explain(path, c).allowed]
    assert allowed == []
    assert acl.capabilities(path) == {Capability.DENY}


@pytest.mark.parametrize(("path", "capability"), OPEN_FOR_THE_DEPLOYER)
def test_the_deployer_may_do_its_work(path: str, capability: str) -> None:
    decision = ACLS[DEPLOYER_POLICY].explain(path, Capability(capability))
    assert decision.allowed, decision.reason


def test_kv_settings_cannot_be_deleted_by_the_deployer() -> None:
    assert not ACLS[DEPLOYER_POLICY].explain("secret/config", Capability.DELETE).allowed


@pytest.mark.parametrize("path", SHUT_FOR_THE_OPERATOR)
def test_the_operator_sees_no_secret_and_makes_no_credential(path: str) -> None:
    assert [c for c in Capability if ACLS[OPERATOR_POLICY].explain(path, c).allowed] == []


def test_the_operator_changes_nothing_that_it_looks_at() -> None:
    for rule in OPERATOR.rules:
        changing = rule.capabilities - {Capability.READ, Capability.LIST, Capability.SUDO}
        assert not changing or rule.path.startswith("auth/token/") or rule.path == "sys/step-down"


def test_the_operator_may_exactly_this() -> None:
    found = {(rule.path, c) for rule in OPERATOR.rules for c in rule.capabilities}
    assert found == OPEN_FOR_THE_OPERATOR


@pytest.mark.parametrize("name", [DEPLOYER_POLICY, OPERATOR_POLICY])
@given(data=st.data())
def test_no_spelling_that_vault_reads_as_a_protected_policy_is_open(
    name: str, data: st.DataObject
) -> None:
    """Vault trims a policy's name and makes it lower case after it has decided about the path."""
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    spelling = "".join(c.upper() if flip else c for c, flip in zip(name, flips, strict=True))
    before, after = (data.draw(st.text(alphabet=" ", max_size=2)) for _ in range(2))
    path = f"sys/policies/acl/{before}{spelling}{after}"
    assert path.rpartition("/")[2].strip().lower() == name
    assert ACLS[DEPLOYER_POLICY].capabilities(path) == {Capability.DENY}
