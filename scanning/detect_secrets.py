"""detect-secrets over a snapshot, as the library it is. Owns the choice of its plugins.

Its two entropy plugins are left out: on digests, certificates and lock files they report every
line, and what they find of worth the other scanners name better (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scanning import programs
from scanning.model import Scanner, Sighting

PLUGINS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
# No `is_line_allowlisted`: a secret is accepted in the one baseline or not.
FILTERS = (
    "detect_secrets.filters.heuristic.is_indirect_reference",
    "detect_secrets.filters.heuristic.is_likely_id_string",
    "detect_secrets.filters.heuristic.is_lock_file",
    "detect_secrets.filters.heuristic.is_not_alphanumeric_string",
    "detect_secrets.filters.heuristic.is_potential_uuid",
    "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign",
    "detect_secrets.filters.heuristic.is_sequential_string",
    "detect_secrets.filters.heuristic.is_swagger_file",
    "detect_secrets.filters.heuristic.is_templated_secret",
)
SETTINGS: dict[str, Any] = {
    "plugins_used": [{"name": name} for name in PLUGINS],
    "filters_used": [{"path": path} for path in FILTERS],
}


def require() -> None:
    """Raises ScanError when the library is not installed."""
    if find_spec("detect_secrets") is None:
        raise programs.missing(
            Scanner.DETECT_SECRETS,
            "the Python environment does not have it",
            "install it with `pip install 'detect-secrets>=1.5,<2'`",
        )


def sightings(folder: Path, settings: dict[str, Any] = SETTINGS) -> Iterator[Sighting]:
    """Everything it reports in `folder`, laid out as a snapshot."""
    require()
    from detect_secrets.core import scan
    from detect_secrets.settings import transient_settings

    with transient_settings(settings):
        for number in sorted((path for path in folder.iterdir()), key=lambda path: int(path.name)):
            for parent, _, names in os.walk(number):
                for name in names:
                    for found in scan.scan_file(str(Path(parent) / name)):
                        if found.secret_value:
                            yield Sighting(
                                scanner=Scanner.DETECT_SECRETS,
                                rule=found.type.lower().replace(" ", "-"),
                                file=int(number.name),
                                line=found.line_number,
                                secret=found.secret_value,
                            )
