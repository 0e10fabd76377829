"""Lifetimes that fit, and each way in which they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.grant import Grant
from access.lifetimes import Delivery, Lease, Renewal, Token, mismatches, shown

HOUR = 3600
DAY = 24 * HOUR
TOKEN = Token(grant="ml-app", ttl=HOUR, max_ttl=DAY)
DATABASE = Lease(path="database/creds/ml-readonly", ttl=HOUR, max_ttl=DAY)
SESSION = Lease(path="aws/creds/ml-s3-access", ttl=HOUR, max_ttl=HOUR, is_session=True)
AGENT = Delivery(name="training job", renewal=Renewal.AGENT, needed=20 * HOUR)
REFRESH = Delivery(name="ExternalSecret ml/db", renewal=Renewal.REFRESH, every=HOUR // 2)
ONCE = Delivery(name="batch job", renewal=Renewal.ONCE, needed=HOUR)


def said(
    token: Token = TOKEN,
    lease: Lease = DATABASE,
    delivery: Delivery = AGENT,
    system_max_ttl: int = 32 * DAY,
) -> list[str]:
    found = mismatches(token, [lease], [delivery], system_max_ttl=system_max_ttl)
    return [str(one) for one in found]


@pytest.mark.parametrize("delivery", [AGENT, REFRESH, ONCE], ids=lambda d: d.renewal)
@pytest.mark.parametrize("lease", [DATABASE, SESSION], ids=lambda lease: lease.path)
def test_lifetimes_that_fit_say_nothing(lease: Lease, delivery: Delivery) -> None:
    short = Delivery(
        name=delivery.name, renewal=delivery.renewal, every=delivery.every, needed=HOUR
    )
    assert said(lease=lease, delivery=short) == []


@pytest.mark.parametrize(
    ("token", "lease", "expected"),
    [
        (Token(grant="g", ttl=2 * HOUR, max_ttl=HOUR), None, "first period is 2h, its longest"),
        (Token(grant="g", ttl=HOUR, max_ttl=40 * DAY), None, "its token is to live 960h"),
        (None, Lease(path="p", ttl=2 * HOUR, max_ttl=HOUR), "its ttl is 2h, its longest life 1h"),
        (None, Lease(path="p", ttl=HOUR, max_ttl=40 * DAY), "its longest life is 960h"),
        (
            None,
            Lease(path="p", ttl=2 * DAY, max_ttl=2 * DAY),
            "issued for 48h, but the token that asks for them ends after 24h",
        ),
        (None, Lease(path="p", ttl=60, max_ttl=60, is_session=True), "AWS issues them for 15m"),
        (
            None,
            Lease(path="p", ttl=13 * HOUR, max_ttl=DAY, is_session=True),
            "AWS issues them for 15m to 12h",
        ),
        (
            Token(grant="g", ttl=HOUR, max_ttl=HOUR),
            Lease(path="p", ttl=2 * HOUR, max_ttl=2 * HOUR, is_session=True),
            "they outlive the grant",
        ),
    ],
)
def test_a_token_and_its_leases(token: Token | None, lease: Lease | None, expected: str) -> None:
    idle = Delivery(name="idle", renewal=Renewal.ONCE)
    (only,) = said(token or TOKEN, lease or DATABASE, idle)
    assert expected in only


@pytest.mark.parametrize(
    ("lease", "delivery", "expected"),
    [
        (DATABASE, (Renewal.REFRESH, HOUR, 0), "pods hold dead credentials until the next"),
        (DATABASE, (Renewal.REFRESH, HOUR * 2 // 3, 0), "one failed refresh leaves pods"),
        (DATABASE, (Renewal.ONCE, 0, HOUR + 1), "loses access before it ends"),
        (DATABASE, (Renewal.AGENT, 0, 25 * HOUR), "the longest life is 24h"),
        (
            Lease(path="p", ttl=HOUR, max_ttl=2 * DAY),
            (Renewal.AGENT, 0, 30 * HOUR),
            "the longest life is 24h",
        ),
        (SESSION, (Renewal.AGENT, 0, 2 * HOUR), "the longest life is 1h"),
        (SESSION, (Renewal.REFRESH, 2 * HOUR, 0), "lives 1h because nothing renews it"),
    ],
)
def test_a_delivery_that_comes_too_late(
    lease: Lease, delivery: tuple[Renewal, int, int], expected: str
) -> None:
    renewal, every, needed = delivery
    (only,) = said(
        lease=lease,
        delivery=Delivery(name="job", renewal=renewal, every=every, needed=needed),
    )
    assert expected in only
    assert only.startswith(f"job with {lease.path} (grant ml-app):")


def test_a_long_lease_helps_a_refresh_no_further_than_the_token() -> None:
    long = Lease(path="p", ttl=DAY, max_ttl=DAY)
    (only,) = said(
        lease=long, delivery=Delivery(name="es", renewal=Renewal.REFRESH, every=2 * HOUR)
    )
    assert "lives 1h" in only
    assert "Refresh every 30m or more often" in only


@given(
    st.integers(60, DAY),
    st.integers(60, DAY),
    st.integers(60, DAY),
    st.sampled_from([Renewal.REFRESH, Renewal.ONCE]),
)
def test_without_renewal_nothing_outlives_token_or_lease(
    token: int, lease: int, wanted: int, renewal: Renewal
) -> None:
    """Whatever is accepted is alive for as long as it is used, by the rule itself."""
    found = mismatches(
        Token(grant="g", ttl=token, max_ttl=DAY),
        [Lease(path="p", ttl=lease, max_ttl=DAY)],
        [Delivery(name="d", renewal=renewal, every=wanted, needed=wanted)],
    )
    alive = min(token, lease)
    assert bool(found) == (wanted > (alive // 2 if renewal is Renewal.REFRESH else alive))


@pytest.mark.parametrize(("ttl", "period"), [("15m", 900), ("1h", HOUR), ("24h", HOUR)])
def test_a_grants_token_is_renewed_every_hour_at_least(ttl: str, period: int) -> None:
    grant = Grant(
        name="ml-app",
        service_accounts=("app",),
        namespaces=("ml",),
        secrets=("secret/ml/mlflow",),
        ttl=ttl,
    )
    token = Token.of(grant)
    assert (token.grant, token.ttl, token.max_ttl) == ("ml-app", period, grant.ttl_seconds)


@pytest.mark.parametrize(("length", "text"), [(0, "0s"), (90, "1m30s"), (5400, "1h30m")])
def test_lengths_are_shown_as_people_write_them(length: int, text: str) -> None:
    assert shown(length) == text
