"""A whole report: both sides of each control, and what speaks of neither."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.live import Live
from compliance.model import Control, Evidence, Report, Result, Side, State
from compliance.run import Deployed, report
from policies.resource_types import VAULT_POLICY
from policies.rule import Environment, Resource
from policies.waivers import Waiver, Waivers
from tests.unit.compliance.running import platform, running_vault
from tests.unit.drift.stand_in import ROLE
from vaultops.policies import deployer_policy

TODAY = date(2030, 1, 1)
WIDE = 'path "secret/*" { capabilities = ["read"] }\npath "*" { capabilities = ["sudo"] }'
NARROW = 'path "secret/data/ml/mlflow" { capabilities = ["read"] }'
URN = "urn:pulumi:test::strongroom::vault:index/policy:Policy::ml-app"


def resource(text: str = NARROW) -> Resource:
    properties = {"name": "ml-app", "policy": text}
    return Resource(type=VAULT_POLICY, name="ml-app", urn=URN, properties=properties)


def deployed(*resources: Resource) -> Deployed:
    listed = [{"type": r.type, "id": r.name, "urn": r.urn} for r in resources]
    return Deployed(resources=resources, export={"deployment": {"resources": listed}})


def made(
    stack: Deployed | None = None,
    live: Live | None = None,
    *,
    waivers: Waivers | None = None,
    environment: Environment = Environment.PROD,
) -> Report:
    return report(
        title="stack fake",
        environment=environment,
        made=datetime(2030, 1, 1, tzinfo=UTC),
        waivers=waivers or Waivers(today=TODAY),
        deployed=stack,
        live=live,
    )


def control(found: Report, framework: str, id_: str) -> Result:
    results = next(results for f, results in found.results if f.id == framework)
    return next(result for result in results if result.control.id == id_)


def of(side: Side, proof: str) -> list[Evidence]:
    return [evidence for evidence in side.evidence if evidence.proof == proof]


def waivers(rule: str = "vault-policy-names-mounts", days: int = 30) -> Waivers:
    waiver = Waiver(
        rule=rule,
        urn=URN,
        reason="a fake reason",
        owner="platform team",
        expires=TODAY + timedelta(days=days),
    )
    return Waivers(today=TODAY, entries=(waiver,))


def test_without_anything_nothing_is_proven_and_all_is_told() -> None:
    found = made()
    assert {result.state for result in found.all} == {State.NOT_CHECKED}
    assert found.failed is False
    listener = control(found, "vault-hardening", "B3")
    assert "no exported stack was given" in listener.preview.evidence[0].said
    assert "the running system was not asked" in listener.live.evidence[0].said


def test_a_stack_that_keeps_a_rule_passes_at_preview_with_its_urn() -> None:
    side = control(made(deployed(resource())), "nist-800-53", "AC-6(1)").preview
    assert side.state is State.PASSED
    assert side.evidence[0].where == (URN,)
    assert side.evidence[0].said == "1 object of the stack judged; none breaks the rule"


def test_a_stack_that_breaks_a_rule_fails_with_the_fix() -> None:
    found = made(deployed(resource(WIDE)))
    side = control(found, "nist-800-53", "AC-6(1)").preview
    assert side.state is State.FAILED
    assert side.evidence[0].where == (URN,)
    assert side.evidence[0].fix
    assert found.failed


def test_what_stops_no_deployment_there_fails_all_the_same_and_says_so() -> None:
    audit = Resource(
        type="vault:index/audit:Audit", name="one", urn="u", properties={"type": "file"}
    )
    found = made(deployed(audit), environment=Environment.DEV)
    side = control(found, "nist-800-53", "AU-9(2)").preview
    assert side.state is State.FAILED
    assert "stops no deployment of this environment" in side.evidence[0].said


def test_a_rule_that_nothing_in_the_stack_is_about_does_not_apply() -> None:
    side = control(made(deployed(resource())), "cis-kubernetes", "5.1.3").preview
    assert side.state is State.NOT_APPLICABLE


def test_live_objects_are_judged_by_the_same_rules() -> None:
    vault = running_vault()
    vault.answers["sys/policies/acl/by-hand"] = {"policy": WIDE}
    vault.answers["auth/kubernetes/role/by-hand"] = {**ROLE, "bound_service_account_names": ["*"]}
    found = made(deployed(resource()), platform(vault))
    policies = control(found, "nist-800-53", "AC-6(1)")
    assert policies.preview.state is State.PASSED
    assert policies.live.state is State.FAILED
    assert policies.state is State.FAILED
    assert policies.live.evidence[0].where == ("sys/policies/acl/by-hand",)
    logins = of(control(found, "nist-800-53", "AC-3").live, "vault-role-bound-accounts")
    assert [e.where for e in logins if e.state is State.FAILED] == [
        ("auth/kubernetes/role/by-hand",)
    ]


def test_the_platform_as_it_should_be_fails_nothing() -> None:
    found = made(None, platform())
    broken = {e.proof for r in found.all for e in r.live.evidence if e.state is State.FAILED}
    assert broken == set()


@pytest.mark.parametrize(
    ("path", "change", "rule"),
    [
        ("sys/audit", {"file/": {"type": "file", "options": {"log_raw": "true"}}}, "audit-device"),
        (
            "sys/mounts",
            {"database/": {"type": "database", "config": {"max_lease_ttl": 0}}},
            "mount-lease-is-bounded",
        ),
        (
            "sys/mounts",
            {
                "secret/": {
                    "type": "kv",
                    "options": {"version": "2"},
                    "config": {"audit_non_hmac_response_keys": ["data"]},
                }
            },
            "mount-audits-hashed",
        ),
        ("auth/kubernetes/config", {"token_reviewer_jwt_set": True}, "no-stored-reviewer"),
        ("database/roles/ml-readonly", {"max_ttl": 0}, "lease-is-bounded"),
        (
            "database/config/mlflow",
            {
                "plugin_name": "postgresql-database-plugin",
                "connection_details": {"connection_url": "postgresql://db/x?sslmode=require"},
            },
            "connection-tls",
        ),
        ("auth/kubernetes/role/ml-app", {"token_max_ttl": 0}, "role-token-lifetime"),
    ],
)
def test_each_kind_of_live_object_reaches_its_rule(
    path: str, change: dict[str, Any], rule: str
) -> None:
    vault = running_vault()
    vault.answers[path] = {**vault.answers[path], **change}
    found = made(None, platform(vault))
    broken = {e.proof for r in found.all for e in r.live.evidence if e.state is State.FAILED}
    assert any(rule in proof for proof in broken), broken


def test_what_is_not_asked_live_is_not_called_fine() -> None:
    key = Resource(
        type="aws:kms/key:Key", name="unseal", urn="u", properties={"enableKeyRotation": True}
    )
    result = control(made(deployed(key), platform()), "nist-800-53", "SC-12")
    live = of(result.live, "kms-key-rotates")
    assert [e.state for e in live] == [State.NOT_CHECKED]
    assert "not asked live" in live[0].said
    assert of(result.preview, "kms-key-rotates")[0].state is State.PASSED


def test_what_vault_denies_is_not_checked_and_says_which_path() -> None:
    vault = running_vault()
    vault.denied = frozenset({"sys/policies/acl"})
    side = control(made(None, platform(vault)), "nist-800-53", "AC-6(1)").live
    assert side.state is State.NOT_CHECKED
    assert "sys/policies/acl" in side.evidence[0].said


def test_a_waiver_holds_at_preview_and_live_alike() -> None:
    vault = running_vault()
    vault.answers["sys/policies/acl/ml-app"] = {
        "policy": 'path "secret/*" { capabilities = ["read"] }'
    }
    wide = resource('path "secret/*" { capabilities = ["read"] }')
    found = made(deployed(wide), platform(vault), waivers=waivers())
    result = control(found, "soc2", "CC6.1")
    for side in (result.preview, result.live):
        (evidence,) = of(side, "vault-policy-names-mounts")
        assert evidence.state is State.WAIVED
        assert "a fake reason" in evidence.said
    assert [w.standing for w in found.waivers] == ["holds"]


def test_a_lapsed_waiver_brings_the_failure_back() -> None:
    wide = resource('path "secret/*" { capabilities = ["read"] }')
    found = made(deployed(wide), waivers=waivers(days=-1))
    (evidence,) = of(control(found, "soc2", "CC6.1").preview, "vault-policy-names-mounts")
    assert evidence.state is State.FAILED
    assert "lapsed on" in evidence.said
    assert [w.standing for w in found.waivers] == ["lapsed"]


def test_an_unused_waiver_and_a_broken_file_are_told() -> None:
    unused = waivers(rule="vault-kv-is-versioned")
    unused.problems = ("waivers.yaml, waiver 2: owner is missing",)
    found = made(deployed(resource()), waivers=unused)
    assert [w.standing for w in found.waivers] == ["excuses nothing here"]
    assert found.failed
    assert found.as_data()["waiverProblems"]


def test_the_deployers_policy_is_its_work_as_long_as_it_is_the_programs() -> None:
    vault = running_vault()
    result = control(made(None, platform(vault)), "nist-800-53", "AC-6(10)")
    (evidence,) = of(result.live, "vault-policy-no-self-escalation")
    assert evidence.state is State.WAIVED
    wider = f'{deployer_policy()}\npath "sys/audit/x" {{ capabilities = ["sudo"] }}'
    vault.answers["sys/policies/acl/strongroom-deployer"] = {"policy": wider}
    result = control(made(None, platform(vault)), "nist-800-53", "AC-6(10)")
    states = {e.state for e in of(result.live, "vault-policy-no-self-escalation")}
    assert states == {State.FAILED}


def test_a_control_is_as_its_worst_proof() -> None:
    def side(*states: State) -> Side:
        return Side.of(Evidence(proof="p", state=state, said="s") for state in states)

    assert side(State.PASSED, State.FAILED, State.NOT_CHECKED).state is State.FAILED
    assert side(State.PASSED, State.NOT_CHECKED).state is State.NOT_CHECKED
    assert side(State.NOT_APPLICABLE, State.PASSED).state is State.PASSED
    both = Result(
        control=Control(id="x", title="t"),
        preview=side(State.PASSED),
        live=side(State.NOT_CHECKED),
    )
    assert both.state is State.NOT_CHECKED


def test_data_for_programs_has_every_control_with_both_sides() -> None:
    data = made(deployed(resource(WIDE)), platform()).as_data()
    assert data["failed"] is True
    assert sum(data["counts"].values()) == sum(len(f["controls"]) for f in data["frameworks"])
    for framework in data["frameworks"]:
        for entry in framework["controls"]:
            assert entry["preview"]["evidence"]
            assert entry["live"]["evidence"]


def test_a_login_that_vault_answers_empty_is_judged_as_unset() -> None:
    vault = running_vault()
    vault.answers["auth/kubernetes/role/ml-app"] = {**ROLE, "audience": ""}
    found = made(None, platform(vault))
    (evidence,) = [
        e
        for e in of(control(found, "nist-800-53", "IA-9").live, "vault-role-audience")
        if e.state is State.FAILED
    ]
    assert evidence.where == ("auth/kubernetes/role/ml-app",)
