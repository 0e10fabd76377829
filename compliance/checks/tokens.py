"""Live checks of the tokens that exist, known by their accessors: no token is ever seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compliance.checks.answers import Answer, failed, passed, unknown
from compliance.live import MOST_TOKENS, Live

_LONGEST = 32 * 24 * 3600  # Vault's own default, which nobody has chosen


def no_root_token(live: Live) -> Answer:
    """No token with the policy root exists, and none is being generated."""
    attempt = live.look.read("sys/generate-root/attempt") or {}
    roots = [_name(token) for token in live.tokens.seen if "root" in (token.get("policies") or ())]
    if roots:
        return failed(
            f"{len(roots)} root token(s) exist",
            *roots,
            fix="revoke them (`vault token revoke -accessor …`); the bootstrap revokes its own",
        )
    if attempt.get("started"):
        return failed(
            "a root token is being generated",
            "sys/generate-root/attempt",
            fix="find out by whom; cancel it with `vault operator generate-root -cancel`",
        )
    return _whole(live, f"{live.tokens.count} tokens looked at; none has the policy root")


def tokens_end(live: Live) -> Answer:
    """Every token ends by itself, within 32 days at most."""
    endless = [_name(t) for t in live.tokens.seen if not _ends(t) or t.get("period")]
    long = [_name(t) for t in live.tokens.seen if (t.get("ttl") or 0) > _LONGEST]
    if endless or long:
        return failed(
            f"{len(endless)} token(s) never end or can be renewed for ever, {len(long)} live for "
            "more than 32 days",
            *endless,
            *long,
            fix="revoke them, and set token_ttl and token_max_ttl of the login that made them",
        )
    longest = max((t["ttl"] for t in live.tokens.seen), default=0)
    return _whole(live, f"{live.tokens.count} tokens end by themselves, the last in {longest} s")


def _ends(token: Mapping[str, Any]) -> bool:
    """A token in its last second has a `ttl` of 0, as an endless one, and has its end."""
    return bool(token.get("ttl") or token.get("expire_time"))


def _whole(live: Live, said: str) -> Answer:
    if live.tokens.count > MOST_TOKENS:
        return unknown(
            f"{live.tokens.count} tokens exist and only {MOST_TOKENS} were looked at; "
            "none of those is a fault"
        )
    return passed(said, "auth/token/accessors")


def _name(token: Mapping[str, Any]) -> str:
    return f"{token.get('display_name')} (accessor {token.get('accessor')})"
