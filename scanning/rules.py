"""Our rules: what the scanners miss or half see, credentials of Vault and OpenBao before all.

Owns the patterns and what must be near for one to hold. Forms: Vault's documentation, "Tokens";
`vault operator init`; the AppRole method's API; OpenBao keeps the prefixes that Vault had before
1.10. A value that a person could not use (see `conditions`) is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanning.conditions import entropy, placeholder

# A token starts here: not inside a word, unless that is an escaped line break in a string.
_START = r"(?:(?<![\w.-])|(?<=\\[nrt]))"
_END = r"(?![\w-])"
_NAMESPACE = r"(?:\.[A-Za-z0-9]{5,6})?"
# Between a name and its value: punctuation, at most with a word of its own.
_THEN = r"\W{1,40}(?:(?:is|value|was)\W{1,12})?"

Condition = Callable[[str, int, int], bool]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`pattern` has a group `secret`; `least_entropy` is in bits a character.

    `holds` gets the text and the secret's place in it, and has the last word.
    """

    id: str
    title: str
    pattern: re.Pattern[str]
    least_entropy: float
    holds: Condition = lambda _text, _start, _end: True


def matches(text: str) -> Iterator[tuple[Rule, int, str]]:
    """Every secret in the text: the first rule that holds, where it starts, and the value."""
    taken: list[tuple[int, int]] = []
    for rule in RULES:
        for match in rule.pattern.finditer(text):
            start, end = match.span("secret")
            secret = match["secret"]
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            if entropy(secret) < rule.least_entropy or placeholder(secret):
                continue
            if rule.holds(text, start, end):
                taken.append((start, end))
                yield rule, start, secret


_TOKEN_WORD = re.compile(r"token|vault|bao|login|x-vault|secret", re.IGNORECASE)
_LINE = 120


def _looks_generated(text: str, start: int, end: int) -> bool:
    """Whether `s.` and 24 letters are a token and not a field of some object `s`."""
    secret = text[start + 2 : end]
    if text[end : end + 1] in ("(", "[") or (secret[:24].isalpha() and _camel(secret[:24])):
        return False
    mixed = sum(any(test(c) for c in secret) for test in (str.isdigit, str.islower, str.isupper))
    line = text[max(text.rfind("\n", 0, start), start - _LINE) + 1 : start]
    return mixed == 3 or (mixed == 2 and bool(_TOKEN_WORD.search(line)))


def _camel(letters: str) -> bool:
    """Words run together: long stretches of lower case."""
    longest = max((len(part) for part in re.findall(r"[a-z]+", letters)), default=0)
    return longest >= 6


_SHARE = re.compile(
    r"(?<![A-Za-z0-9+/_.-])(?P<secret>[A-Za-z0-9+/]{43}[A-Za-z0-9+/=]|[0-9a-f]{66}|[0-9a-f]{64})"
    r"(?![A-Za-z0-9+/=_-])"
)
_SHARE_NAMED = re.compile(
    r"(?:(?:unseal|recovery|seal)[\s_-]*(?:key|share)|key[\s_-]*shares?|keys_(?:b64|base64|hex)"
    r"|shamir|(?:sys/|operator\s+)(?:unseal|rekey|generate-root|rotate)"
    r"|(?:unseal|recovery)(?:Keys?|Shares?))(?P<between>.{0,120})$",
    re.IGNORECASE | re.DOTALL,
)
_NO_SHARE = re.compile(
    r"hash|sha\d|checksum|fingerprint|hmac|public|accessor|digest|certificate|nonce\W*$|\n\s*\n",
    re.IGNORECASE,
)
_SHARES_BEFORE = 900  # characters: ten shares of a list


def _is_share(kind: str) -> Condition:
    def holds(text: str, start: int, _end: int) -> bool:
        before = _SHARE.sub("", text[max(0, start - _SHARES_BEFORE) : start])
        named = _SHARE_NAMED.search(before[-200:])
        if named is None or _NO_SHARE.search(named["between"]):
            return False
        recovery = "recovery" in named[0].lower()
        return recovery == (kind == "recovery")

    return holds


def _rule(
    identifier: str,
    title: str,
    pattern: str,
    least_entropy: float,
    holds: Condition = lambda _text, _start, _end: True,
) -> Rule:
    return Rule(
        id=identifier,
        title=title,
        pattern=re.compile(pattern),
        least_entropy=least_entropy,
        holds=holds,
    )


_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ANY_TOKEN = (
    rf"(?:hv[sb]\.[\w-]{{24,500}}{_NAMESPACE}|[sb]\.[\w-]{{24,500}}{_NAMESPACE}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,})"
)

# In order: the first that holds names the secret.
RULES: tuple[Rule, ...] = (
    _rule(
        "vault-wrapping-token",
        "Token that unwraps a response, once",
        rf"(?i:wrapp(?:ing|ed)[_ -]?token|wrap_info\W+token|vault\s+unwrap|bao\s+unwrap)"
        rf"{_THEN}(?P<secret>{_ANY_TOKEN}){_END}",
        3.3,
    ),
    _rule(
        "vault-root-token",
        "Short Vault token, the form of root tokens",
        rf"{_START}(?P<secret>hvs\.[A-Za-z0-9]{{24}}{_NAMESPACE}){_END}",
        3.3,
    ),
    _rule(
        "vault-service-token",
        "Vault service token",
        rf"{_START}(?P<secret>hvs\.[\w-]{{25,500}}{_NAMESPACE}){_END}",
        3.3,
    ),
    _rule(
        "vault-batch-token",
        "Vault batch token, which cannot be revoked alone",
        rf"{_START}(?P<secret>hvb\.[\w-]{{24,900}}){_END}",
        3.3,
    ),
    _rule(
        "vault-recovery-token",
        "Vault recovery token, which reads raw storage",
        rf"{_START}(?P<secret>hvr\.[\w-]{{24,500}}){_END}",
        3.3,
    ),
    _rule(
        "openbao-token",
        "OpenBao token, or one of Vault before 1.10",
        rf"{_START}(?P<secret>[sr]\.[A-Za-z0-9]{{24}}{_NAMESPACE}){_END}",
        3.5,
        _looks_generated,
    ),
    _rule(
        "openbao-batch-token",
        "OpenBao batch token",
        rf"{_START}(?P<secret>b\.AAAA[\w-]{{60,900}}){_END}",
        3.5,
    ),
    _rule("vault-recovery-share", "Recovery key share", _SHARE.pattern, 3.0, _is_share("recovery")),
    _rule("vault-unseal-share", "Unseal key share", _SHARE.pattern, 3.0, _is_share("unseal")),
    _rule(
        "vault-approle-secret-id",
        "Secret id of an AppRole",
        rf"(?i:secret[_ -]?id){_THEN}(?P<secret>{_UUID}){_END}",
        2.9,
    ),
    _rule(
        "url-password",
        "Password in the address of a service",
        r"\b[A-Za-z][\w+.-]{1,20}://[^\s/:@\"'`]{0,64}:(?P<secret>[^\s/@\"'`<>]{6,128})@[\w.\[-]",
        2.5,
    ),
)
