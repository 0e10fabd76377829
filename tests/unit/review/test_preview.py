"""What a preview tells: read from recorded events of the engine and from made ones."""

from __future__ import annotations

from typing import Any

import pytest

from review.comment import comment
from review.events import SECRET, UNKNOWN, Log, read
from review.preview import preview_of
from review.steps import Kind
from tests.unit.review.samples import (
    POLICY,
    STORED,
    URN,
    finding,
    log,
    message,
    recorded,
    step,
    told,
)

NONE: frozenset[str] = frozenset()
MASKED = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
GRANT_GAINS = "ml-app-sa in ml-training gains read on secret/ml/x through grant ml-app"


def test_a_widened_grant_is_told_in_words_after_what_may_lose_data() -> None:
    text = comment(told("widened"))
    order = [
        "### Preview of `dev`",
        "1 replace, 1 delete, 2 updates.",
        "- replace `vault:index/policy:Policy` `renamed`: `name`",
        "- delete `vault:index/policy:Policy` `gone`",
        f"- {GRANT_GAINS}",
        "`vault-policies-are-used`",
        "<summary>2 updates</summary>",
        "- update `vault:index/policy:Policy` `ml-app-policy`: `policy`",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert told("widened").passed


def test_a_first_deployment_gives_all_that_it_declares() -> None:
    first = told("first")
    assert [change.sentence for change in first.access] == [
        "ml-app-sa in ml-training gains read on secret/ml/mlflow through grant ml-app"
    ]
    assert {change.kind for change in first.changes} == {Kind.CREATE}


def test_components_stacks_and_providers_are_no_changes() -> None:
    assert {change.type for change in told("first").changes} == {
        "vault:index/mount:Mount",
        POLICY,
        "vault:kubernetes/authBackendRole:AuthBackendRole",
    }


def test_mandatory_findings_come_first_and_refuse() -> None:
    refused = told("secrets")
    assert [f.level for f in refused.findings] == ["mandatory", "mandatory", "advisory", "advisory"]
    assert [f.severity for f in refused.findings[:2]] == ["critical", "high"]
    assert refused.findings[0].text.startswith("stored: dataJson is set")
    assert not refused.passed
    assert "**Refused: 2 mandatory findings.**" in comment(refused)


def test_what_was_not_judged_is_named_once_with_its_policies() -> None:
    notes = told("secrets").not_checked
    [place] = [note for note in notes if note.startswith("late: policy: unknown until deployed")]
    assert "vault-policy-names-mounts" in place
    assert "vault-policy-kv-paths" in place
    assert any(note.startswith("late (vault:index/policy:Policy) has values") for note in notes)


def test_a_failed_program_is_not_told_as_no_change_of_access() -> None:
    broken = told("broken")
    assert not broken.passed
    assert broken.access == ()
    text = comment(broken)
    assert "**The preview failed.**" in text
    assert "may be missing" in text
    assert "cannot go on with fake-user" in text


def test_an_engine_that_ended_early_is_told() -> None:
    unfinished = preview_of(Log(steps=recorded("first").steps), "dev", NONE)
    assert not unfinished.passed
    assert unfinished.as_data()["result"] == "unfinished"
    assert "the engine ended early" in comment(unfinished)


def test_lines_that_are_no_events_are_counted_and_not_shown() -> None:
    events = read(["planted: no event", '{"planted": "neither"}', "", '{"sequence": 1}'])
    assert events.unread == 2
    text = comment(preview_of(events, "dev", NONE))
    assert "2 lines of the engine could not be read" in text
    assert "planted" not in text


@pytest.mark.parametrize("name", ["widened", "secrets"])
def test_planted_secrets_are_nowhere(name: str) -> None:
    text = comment(told(name)) + str(told(name).as_data())
    for planted in ("hvs.", "planted-in-an-input", "planted-in-a-diagnostic", STORED):
        assert planted not in text


def test_a_message_that_repeats_a_stored_secret_is_kept_without_it() -> None:
    texts = [message.text for message in told("widened").messages]
    assert "the server said: [redacted] is wrong" in texts


def secret_step(op: str, old: Any, new: Any, *diffs: str) -> dict[str, Any]:
    return step(
        op,
        "vault:generic/secret:Secret",
        "fake",
        old=None if old is None else {"dataJson": old},
        new={"dataJson": new},
        diffs=diffs,
    )


@pytest.mark.parametrize(
    ("planned", "shown"),
    [
        (secret_step("create", None, MASKED), False),
        (secret_step("update", MASKED, MASKED, "dataJson"), False),
        (secret_step("update", "plain before", MASKED), False),
        (secret_step("update", MASKED, MASKED, "path"), True),
        (secret_step("same", MASKED, MASKED), True),
        (secret_step("update", MASKED, "plain now", "dataJson"), True),
    ],
)
def test_messages_are_shown_only_when_every_secret_is_known(
    planned: dict[str, Any], shown: bool
) -> None:
    made = preview_of(log(planned, message("it said planted-word")), "dev", NONE)
    assert bool(made.messages) is shown
    assert any("messages are left out" in note for note in made.not_checked) is not shown


def test_messages_about_a_resource_without_a_step_are_left_out_by_its_name() -> None:
    refused = message("planted is no document", "error")
    refused["diagnosticEvent"]["urn"] = f"{URN}vault:generic/secret:Secret::stuck"
    made = preview_of(log(refused, result="failed"), "dev", NONE)
    assert made.messages == ()
    assert any("messages (about stuck) are left out" in note for note in made.not_checked)


def test_a_plain_value_under_a_secrets_name_is_taken_out_of_messages() -> None:
    provider = step("same", "example:index:Server", "fake", new={"password": "plain-and-planted"})
    made = preview_of(log(provider, message("refused plain-and-planted today")), "dev", NONE)
    assert [told.text for told in made.messages] == ["refused [redacted] today"]


def test_a_policy_message_goes_through_the_redactor() -> None:
    found = finding("a-policy", "advisory", "low", f"subject: holds {STORED}")
    made = preview_of(log(found), "dev", frozenset({STORED}))
    assert [f.text for f in made.findings] == ["subject: holds [redacted]"]


def policy(name: str, capabilities: str) -> dict[str, str]:
    return {"name": name, "policy": f'path "secret/data/a" {{ capabilities = [{capabilities}] }}'}


ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"


def role(name: str) -> dict[str, Any]:
    return {
        "roleName": name,
        "boundServiceAccountNames": ["app"],
        "boundServiceAccountNamespaces": ["team"],
        "tokenPolicies": [name],
        "tokenNoDefaultPolicy": True,
    }


@pytest.mark.parametrize("hidden", [UNKNOWN, MASKED], ids=["unknown", "secret"])
def test_an_object_hidden_on_one_side_is_neither_gained_nor_lost(hidden: Any) -> None:
    after = {"name": "fake", "policy": hidden}
    events = [
        step("same", ROLE, "role", old=role("fake"), new=role("fake")),
        step("update", POLICY, "rules", old=policy("fake", '"read"'), new=after),
        step("create", ROLE, "other-role", new=role("other")),
        step("create", POLICY, "other-rules", new=policy("other", '"list"')),
    ]
    made = preview_of(log(*events), "dev", NONE)
    assert [change.sentence for change in made.access] == [
        "app in team gains list on secret/data/a through role other"
    ]
    assert any(note.startswith("rules (") and "not compared" in note for note in made.not_checked)


def test_a_changed_policy_gives_and_takes() -> None:
    before, after = policy("fake", '"read"'), policy("fake", '"list"')
    events = [
        step("same", ROLE, "role", old=role("fake"), new=role("fake")),
        step("update", POLICY, "rules", old=before, new=after),
    ]
    assert [change.sentence for change in preview_of(log(*events), "dev", NONE).access] == [
        "app in team gains list on secret/data/a through role fake",
        "app in team loses read on secret/data/a through role fake",
    ]


def test_rights_that_cannot_be_read_are_told() -> None:
    torn = step("create", POLICY, "torn", new={"name": "torn", "policy": "path {"})
    made = preview_of(log(torn), "dev", NONE)
    assert any("no right is compared" in note for note in made.not_checked)


@pytest.mark.parametrize(
    ("operations", "kind"),
    [
        (("create-replacement", "replace", "delete-replaced"), Kind.REPLACE),
        (("update", "delete"), Kind.DELETE),
        (("same", "update"), Kind.UPDATE),
    ],
)
def test_several_steps_on_a_resource_are_one_change(
    operations: tuple[str, ...], kind: Kind
) -> None:
    rules = policy("fake", '"read"')
    steps = [step(op, POLICY, "one", old=rules, new=rules, diffs=("name",)) for op in operations]
    [change] = preview_of(log(*steps), "dev", NONE).changes
    assert (change.kind, change.properties) == (kind, ("name",))
