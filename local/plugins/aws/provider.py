"""The AWS stand-in: its resource types, and the one connection that all of them use."""

from __future__ import annotations

from collections.abc import Mapping

from local.plugins.aws import iam, inline_policies, kms, lambda_function, logs, s3, secretsmanager
from local.plugins.aws.base import AwsType
from local.plugins.aws.connection import Connection, mistakes
from local.plugins.provider import StandInProvider
from local.plugins.resource import Values

TYPES: tuple[type[AwsType], ...] = (
    kms.Key,
    kms.Alias,
    iam.Role,
    iam.User,
    inline_policies.RolePolicy,
    inline_policies.UserPolicy,
    lambda_function.Function,
    lambda_function.Permission,
    logs.LogGroup,
    s3.Bucket,
    secretsmanager.Secret,
    secretsmanager.SecretPolicy,
    secretsmanager.SecretRotation,
)


class AwsProvider(StandInProvider):
    """Serves TYPES at the endpoints of the provider's own inputs."""

    def __init__(self) -> None:
        self._connection = Connection()
        super().__init__(each(self._connection) for each in TYPES)

    def config_mistakes(self, config: Values) -> Mapping[str, str]:
        return mistakes(config)

    def use_config(self, config: Values) -> None:
        self._connection.use(config)
