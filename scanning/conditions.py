"""When something that looks like a secret is none: the conditions that hold for every scanner.

Owns the judgement on a value and on what stands right beside it. A condition may only drop what no
one could use: a placeholder, a digest, a public key, a ciphertext.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_WORDS = (
    r"example|placeholder|change[-_ ]?me|redacted|not[-_ ]?a[-_ ]?secret|your[-_ ]"
    r"|(?<![a-z0-9])(?:fake|dummy|x{4})|x{6}|\*{3}|\.{3}|…|01234567|12345678|abcdefgh|(.)\1{7}"
)
_TEMPLATE = r"^\$\w+$|\$[({]|\{\{|<[a-z][\w -]*>|^%s$|%\(\w+\)s|^\{[\w.]+\}$|^ENC\["
PLACEHOLDER = re.compile(f"{_WORDS}|{_TEMPLATE}", re.IGNORECASE)
# Passwords that only documentation uses.
_STOCK = frozenset(
    {"password", "passwd", "pass", "secret", "user", "pw", "pwd", "postgres", "root", "username"}
)
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^@\s]+)@")
# Words, joined by signs or by capitals, at most with a version: a name, not a generated value.
_WORD = r"(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[A-Z]+)\d{0,3}"
_NAME = re.compile(rf"{_WORD}(?:[-_./: ]+{_WORD}|[-_./: ]+\d{{1,3}}(?![^\W_]))*\W*")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96,128})")
# Sealed Secrets; Vault's transit engine; values in Vault's audit log
_CIPHERTEXT = re.compile(
    r"Ag[A-Za-z0-9+/]{200,}={0,2}|vault:v\d+:.+|hmac-sha256:[0-9a-f]{64}", re.DOTALL
)
_SAID_BEFORE = re.compile(
    r"(?:hmac-sha256:|sha(?:1|256|384|512)[-:=]|\bh1:|vault:v\d+:|\bENC\[[\w,:]*|ssh-(?:rsa|ed25519)\s"
    r"|accessor[\"'`]?\s*[:=|]?\s*[\"'`]?|public[-_ ]?key[\"'`]?\s*[:=]\s*[\"'`]?)[\w+/=-]{0,60}$",
    re.IGNORECASE,
)
_DIGEST_NAMED = re.compile(
    r"sha\d|digest|checksum|hash|commit|etag|revision|fingerprint|integrity|md5|\brev\b|image:",
    re.IGNORECASE,
)
_PUBLIC_PEM = re.compile(
    r"-----BEGIN (?P<kind>CERTIFICATE(?: REQUEST)?|(?:RSA |EC )?PUBLIC KEY|X509 CRL)-----"
    r".*?-----END (?P=kind)-----",
    re.DOTALL,
)
_PEM_BODY = re.compile(r"(?:[A-Za-z0-9+/=]{24,}|(?:[A-Za-z-]+: [^\n\\]+)|\\[nr]|[\s\"',+\\|>#-])*")
_BEFORE, _NAME_BEFORE, _AFTER = 80, 40, 400  # characters in which the surroundings speak


def entropy(text: str) -> float:
    """Shannon's measure over the text's own characters, in bits a character."""
    if not text:
        return 0.0
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


def placeholder(secret: str) -> bool:
    """Whether the value itself says that it stands for another; of an address, its password."""
    address = _URL_PASSWORD.search(secret)
    value = address[1] if address else secret
    return PLACEHOLDER.search(value) is not None or value.lower() in _STOCK


def name_only(secret: str) -> bool:
    """Whether the value is words or a UUID: what a rule that goes by a variable's name mistakes.

    A password of plain words and nothing else is lost with them.
    """
    return _NAME.fullmatch(secret) is not None or _UUID.fullmatch(secret) is not None


def public(secret: str, text: str, start: int) -> bool:
    """Whether the value at `text[start]` is public, or encrypted, by what stands beside it."""
    before = text[max(0, start - _BEFORE) : start]
    if _CIPHERTEXT.fullmatch(secret) or _SAID_BEFORE.search(before):
        return True
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if _DIGEST.fullmatch(secret) and _DIGEST_NAMED.search(line[-_NAME_BEFORE:]):
        return True
    return any(block.start() <= start < block.end() for block in _PUBLIC_PEM.finditer(text))


def without_body(text: str, start: int) -> bool:
    """Whether the private key announced at `text[start]` never comes: a header in prose or code."""
    head = text.find("KEY-----", start, start + 80)
    if head < 0:
        head = text.find("PRIVATE KEY", start, start + 80)
    if head < 0:
        return False
    follows = text[head + len("KEY-----") : head + _AFTER]
    body = _PEM_BODY.match(follows)
    return body is None or len(re.findall(r"[A-Za-z0-9+/=]", body[0])) < 48
