"""`strongroom:rotation`: what is accepted, and each mistake with its key and what to write."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.schedule import timetables
from settings import Settings, SettingsError
from tests.unit.support.stacks import changed

CONSUMER = {"namespace": "ml-training", "workload": "deployment/app", "reload": "file"}
DATABASE = {
    "type": "database-password",
    "name": "app",
    "users": ["app", "app_clone"],
    "owner": "app_owner",
    "admin": "rotation-admin",
    "publish": {"vault": "secret/ml/app-database"},
    "consumers": [CONSUMER],
}
IAM = {
    "type": "iam-access-key",
    "name": "exporter",
    "user": "ml-exporter",
    "publish": {"secretsManager": "ml/exporter"},
    "consumers": [{**CONSUMER, "endpoint": "8080/credential"}],
}
STATIC = [
    {"name": "rotation-admin", "username": "rotation_admin", "schedule": "0 3 * * 0"},
    {"name": "tracking", "username": "tracking", "schedule": "0 4 * * 0"},
]


def parse(*credentials: Any, **changes: Any) -> Settings:
    given = changed(
        "local",
        {
            "engines.database.staticRoles": STATIC,
            "engines.aws.rootKey": {"file": "fake-aws-key"},
            "rotation": {"credentials": copy.deepcopy(list(credentials))},
            **changes,
        },
    )
    return Settings.parse(given, source="Pulumi.test.yaml")


def test_every_kind_is_accepted_with_its_defaults() -> None:
    kinds = (
        DATABASE,
        IAM,
        {"type": "vault-static-role", "name": "tracking", "role": "tracking", "everyDays": 30},
        {"type": "vault-database-root", "name": "database"},
        {"type": "vault-aws-root", "name": "aws", "user": "vault"},
        {"type": "secrets-manager", "name": "value", "secretId": "ml/value"},
    )
    rotation = parse(*kinds).rotation
    assert rotation.every_days == 90
    assert [one.every_days for one in rotation.credentials] == [None, None, 30, None, None, None]


@pytest.mark.parametrize(
    ("credential", "key", "what"),
    [
        ({**DATABASE, "admin": "nobody"}, "admin", "is not among `engines.database.staticRoles`"),
        ({**DATABASE, "users": ["app", "app"]}, "users", "have 'app' twice"),
        ({**DATABASE, "owner": "app"}, "users", "have 'app' twice"),
        ({**DATABASE, "users": ["app", "vault"]}, "users", "whose password Vault changes"),
        ({**DATABASE, "users": ["app", "tracking"]}, "users", "whose password Vault changes"),
        ({**DATABASE, "publish": {}}, "publish", "names no place"),
        (
            {**DATABASE, "publish": {"vault": "secret/a", "secretsManager": "a"}},
            "publish",
            "names both places",
        ),
        (
            {**DATABASE, "publish": {"vault": "secret/strongroom/rotation/records/app"}},
            "publish.vault",
            "is 'secret/strongroom/",
        ),
        (
            {**DATABASE, "consumers": [{**CONSUMER, "namespace": "nowhere"}]},
            "consumers[0].namespace",
            "is not among `namespaces`",
        ),
        (
            {**DATABASE, "consumers": [{**CONSUMER, "waitsFor": "app"}]},
            "consumers[0].waitsFor",
            "is given though `reload` is file",
        ),
        (
            {**IAM, "consumers": [CONSUMER]},
            "consumers[0].endpoint",
            "is missing though `reload` is file",
        ),
        ({**IAM, "quiet": "10m"}, "quiet", "is '10m'"),
        (
            {"type": "vault-static-role", "name": "a", "role": "none"},
            "role",
            "is not among `engines.database.staticRoles`",
        ),
        ({**IAM, "everyDays": 0}, "everyDays", "is 0; the least is 1"),
        ({**IAM, "type": "iam-key"}, "type", "is 'iam-key', which is none of"),
        ({**IAM, "usr": "a"}, "usr", "is no setting"),
        (
            {k: v for k, v in DATABASE.items() if k != "consumers"},
            "consumers",
            "is missing",
        ),
        (
            {**DATABASE, "consumers": [{**CONSUMER, "workload": "pod/app"}]},
            "consumers[0].workload",
            "has not the expected form",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(credential: Any, key: str, what: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(credential)
    told = {p.key: p.what for p in refused.value.problems}
    assert what in told.get(f"rotation.credentials[0].{key}", ""), refused.value


def test_what_the_stack_lacks_is_told() -> None:
    with pytest.raises(SettingsError) as refused:
        parse(DATABASE, {**DATABASE}, **{"engines.transit.keys": [{"name": "ml-models"}]})
    told = {p.key: p.what for p in refused.value.problems}
    assert "which is no ed25519 key of `engines.transit`" in told["rotation.eventsKey"]
    assert "is 'app', which occurs 2 times" in told["rotation.credentials[1].name"]
    assert "occurs 2 times" in told["rotation.credentials[1].publish"]
    with pytest.raises(SettingsError, match=r"without `engines.database`"):
        parse(DATABASE, **{"engines.database": ...})
    root = {"type": "vault-aws-root", "name": "aws", "user": "vault"}
    for lacking in ("engines.aws.rootKey", "engines.aws"):
        with pytest.raises(SettingsError, match=rf"without `{lacking}`"):
            parse(root, **{lacking: None})


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from([1, 7, 30, 45, 90]), min_size=1, max_size=40),
    st.sampled_from(["30m", "1h", "6h", "1d"]),
)
def test_what_settings_accept_the_planner_can_keep_apart(days: list[int], window: str) -> None:
    credentials = [
        {"type": "secrets-manager", "name": f"value-{n}", "secretId": f"fake/{n}", "everyDays": one}
        for n, one in enumerate(days)
    ]
    seconds = {"30m": 1800, "1h": 3600, "6h": 21600, "1d": 86400}[window]
    try:
        timetables(days, seconds)
    except ValueError:
        with pytest.raises(SettingsError) as refused:
            parse(*credentials, **{"rotation.window": window})
        assert [p.key for p in refused.value.problems] == ["rotation.credentials"]
    else:
        parse(*credentials, **{"rotation.window": window})
