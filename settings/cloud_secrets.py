"""Secrets that the cloud keeps and rotates: logins to PostgreSQL on AWS, any secret on Google.

Holds names, schedules and who reads; there is no setting for a value, and none is ever in state.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.base import Section, setting
from settings.engines import SqlName
from settings.external_secrets import GoogleAccount
from settings.sops import GcpKmsKey
from settings.types import AWS, Duration, GcpName, Label, RoleArn, Text, refuse

_ROLE = AWS + r":iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]+"
# AWS takes names of 64 characters; the role's begins with `strongroom-local-login-` at the longest.
LONGEST_LOGIN_NAME = 41
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

SecretArn = Annotated[
    Text,
    Field(
        pattern=rf"^{AWS}:secretsmanager:[a-z0-9-]+:\d{{12}}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{{6}}$"
    ),
]
SecretName = Annotated[
    Text,
    Field(pattern=r"^[A-Za-z0-9/_+=.@-]+$", max_length=512),
    AfterValidator(lambda value: _no_end_of_an_arn(value)),
]
KeyArn = Annotated[Text, Field(pattern=rf"^{AWS}:kms:[a-z0-9-]+:\d{{12}}:key/[A-Za-z0-9-]+$")]
AwsReader = Annotated[Text, Field(pattern=rf"^({_ROLE}|{_LABEL})$")]
GoogleReader = Annotated[
    Text,
    Field(pattern=rf"^([a-z][a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com|{_LABEL})$"),
]
Moment = Annotated[
    Text,
    Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
    AfterValidator(lambda value: _in_the_calendar(value)),
]
SubnetId = Annotated[Text, Field(pattern=r"^subnet-[0-9a-f]+$")]
SecurityGroupId = Annotated[Text, Field(pattern=r"^sg-[0-9a-f]+$")]


def _no_end_of_an_arn(value: str) -> str:
    if re.search(r"-[A-Za-z0-9]{6}$", value):
        raise refuse(f"is {value!r}; AWS takes a dash and six characters for the end of an ARN")
    return value


def _in_the_calendar(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError as reason:
        raise refuse(f"is {value!r}, which is no time: {reason}") from None
    return value


class Network(Section):
    """From where the rotation functions reach the database."""

    subnets: tuple[SubnetId, ...] = setting(
        why="the functions run there", write="[subnet-0123456789abcdef0]", min_length=1
    )
    security_groups: tuple[SecurityGroupId, ...] = setting(
        why="they let the functions reach the database and Secrets Manager",
        write="[sg-0123456789abcdef0]",
        min_length=1,
    )


class Login(Section):
    """One PostgreSQL user and its clone, which take turns."""

    name: Label = setting(
        why="the function, its role and the key are called after it",
        write="tracking",
        max_length=LONGEST_LOGIN_NAME,
    )
    secret: SecretName = setting(
        why="programs read the login under that name", write="ml/training/tracking"
    )
    user: SqlName = setting(
        why="that user, and USER_clone, get new passwords in turn", write="tracking", max_length=57
    )
    owner: SqlName | None = setting(
        None,
        why="that role owns what both users may do",
        write="tracking_owner, or nothing for USER_owner",
    )
    readers: tuple[AwsReader, ...] = setting(
        why="they read the login, and nobody else does",
        write="[ml-tracking] (names in identities.aws.roles), or ARNs of roles",
        min_length=1,
    )
    rotation: Duration = setting(
        Duration.parse("30d"), why="a login that leaks opens the database that long", write="30d"
    )


class DatabaseLogins(Section):
    """Logins of one PostgreSQL server in AWS Secrets Manager, each with a function of its own."""

    administrator: SecretArn = setting(
        why="the functions change passwords with the login in that secret",
        write="arn:aws:secretsmanager:eu-central-1:123456789012:secret:postgresql/master-AbCdEf",
    )
    administrator_key: KeyArn | None = setting(
        None,
        why="the administrator's secret is encrypted by it",
        write="arn:aws:kms:eu-central-1:123456789012:key/… of that secret, if it has its own",
    )
    writers: tuple[RoleArn, ...] = setting(
        why="they store each first value and deploy; nobody else sets a value",
        write="[arn:aws:iam::123456789012:role/strongroom-prod-deployer]",
        min_length=1,
    )
    network: Network | None = setting(
        None,
        why="the functions reach the database from there",
        write="{subnets: [subnet-…], securityGroups: [sg-…]}",
    )
    ca_file: Text | None = setting(
        None,
        why="the functions trust a server only with a certificate of these authorities",
        write="rds-eu-central-1.pem, or nothing for the system's",
    )
    logs: Duration = setting(
        Duration.parse("90d"), why="each rotation's lines are kept that long", write="90d"
    )
    logins: tuple[Login, ...] = setting(
        why="these are made and rotated",
        write="[{name: tracking, secret: ml/training/tracking, user: tracking, "
        "readers: [ml-tracking]}]",
        min_length=1,
    )


class GoogleSecret(Section):
    """One secret in Google's Secret Manager, whose rotation is announced."""

    name: GcpName = setting(why="programs read it under that name", write="ml-tracking")
    key: GcpKmsKey = setting(
        why="it encrypts that secret alone, and nobody reads without it",
        write="projects/example-project/locations/europe-west3/keyRings/strongroom/cryptoKeys/"
        "ml-tracking",
    )
    first_rotation: Moment = setting(
        why="the first notice goes out then (UTC), at the earliest five minutes from now",
        write='"2027-01-04T03:00:00Z"',
    )
    rotation: Duration = setting(
        Duration.parse("30d"), why="a value that leaks is of use that long", write="30d"
    )
    destroyed_after: Duration = setting(
        Duration.parse("7d"), why="a destroyed version can be called back until then", write="7d"
    )
    readers: tuple[GoogleReader, ...] = setting(
        why="they read the value, and nobody else does",
        write="[ml-tracking] (names in identities.google), or addresses of accounts",
        min_length=1,
    )
    writers: tuple[GoogleAccount, ...] = setting(
        why="they add versions, and nobody else does",
        write="[rotator@example-project.iam.gserviceaccount.com]",
        min_length=1,
    )


class CloudSecrets(Section):
    """Secrets that the cloud keeps and rotates."""

    recovery: Duration = setting(
        why="a secret of AWS deleted by mistake can be called back until then", write="30d"
    )
    database_logins: DatabaseLogins | None = setting(
        None,
        why="programs read logins that change by themselves",
        write="{administrator: arn:…, writers: […], logins: […]}",
    )
    google: tuple[GoogleSecret, ...] = setting(
        (),
        why="each is made, and its rotation announced",
        write="[{name: ml-tracking, key: projects/…, firstRotation: …, readers: […], "
        "writers: […]}]",
    )
