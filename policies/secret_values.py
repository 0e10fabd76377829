"""Whether a name and a value look like a secret.

Owns the patterns. Errs towards names: a value is judged by its shape only where the shape is that
of a known credential. Never returns or prints the value.
"""

from __future__ import annotations

import re

_NAME = re.compile(
    # `secretKey` is left out: it says which key of a Secret.
    r"(pass(word|wd|phrase)?|secret([_-](key|id))?|token|api[_-]?key|private[_-]?key|access[_-]?key"
    r"|master[_-]?key|signing[_-]?key|encryption[_-]?key|auth[_-]?key|connection[_-]?string"
    r"|credentials?|pwd|dsn)$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bhv[sbr]\.[\w-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}"
    r"|\bAIza[\w-]{35}|\bsk-[\w-]{20,}|\bhf_\w{30,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|\w+://[^/\s:@]+:(?!\$[({]|\{\{)[^/\s:@]+@"
)
# What stands where a secret would, without being one: a reference, a file, a switch, a placeholder.
_HARMLESS = re.compile(
    r"|true|false|none|null|\d{1,4}"
    r"|\$[({].*[)}]|\{\{.*\}\}|<.*>"
    r"|(file://)?/[\w./-]+"
    r"|(vault|secret|arn|projects|awssm|ref|k8s):.*"
    r"|https?://[^@\s]*",
    re.IGNORECASE | re.DOTALL,
)


def kind_of(name: str, value: str) -> str | None:
    """What makes a pair look like a secret, for evidence; None when nothing does."""
    if _VALUE.search(value):
        return "a value in the form of a credential"
    if _NAME.search(name) and not _HARMLESS.fullmatch(value.strip()):
        return "the name of a secret and a literal value"
    return None
