"""The providers of the clouds: one each, made when something is first deployed there."""

from __future__ import annotations

from functools import cached_property

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

from settings.cloud import Aws, Gcp

# The stand-in for AWS accepts any credentials; these say what they are.
STAND_IN_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
SERVICES = ("iam", "kms", "lambda_", "logs", "s3", "secretsmanager", "sts")


class Clouds:
    """The clouds of the settings, as options for what is deployed there."""

    def __init__(self, aws_: Aws | None, gcp_: Gcp | None) -> None:
        self._aws = aws_
        self._gcp = gcp_

    @cached_property
    def aws(self) -> pulumi.ResourceOptions:
        """AWS: exactly the account of the settings, or the stand-in of `local`."""
        cloud = self._aws
        if cloud is None:
            raise ValueError("the settings have no section aws")
        return pulumi.ResourceOptions(providers=[_aws_provider(cloud)])

    @cached_property
    def gcp(self) -> pulumi.ResourceOptions:
        """Google Cloud: the project of the settings."""
        cloud = self._gcp
        if cloud is None:
            raise ValueError("the settings have no section gcp")
        google = gcp.Provider("gcp", project=cloud.project, region=cloud.region)
        return pulumi.ResourceOptions(providers=[google])


def _aws_provider(cloud: Aws) -> aws.Provider:
    if cloud.endpoint is None:
        accounts = [cloud.account_id] if cloud.account_id else None
        return aws.Provider("aws", region=cloud.region, allowed_account_ids=accounts)
    return aws.Provider(
        "aws",
        region=cloud.region,
        access_key=STAND_IN_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_key=STAND_IN_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        endpoints=[aws.ProviderEndpointArgs(**dict.fromkeys(SERVICES, cloud.endpoint))],
        s3_use_path_style=True,
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_requesting_account_id=True,
    )
