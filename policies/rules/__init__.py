"""Every rule of the pack, one a file."""

from __future__ import annotations

from policies.rule import Rule
from policies.rules.namespace_pod_security import NAMESPACE_POD_SECURITY
from policies.rules.secret_reads_are_named import SECRET_READS_ARE_NAMED

RULES: tuple[Rule, ...] = (NAMESPACE_POD_SECURITY, SECRET_READS_ARE_NAMED)
