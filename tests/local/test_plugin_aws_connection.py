"""Where the AWS stand-in plugin connects to, and all that it refuses to connect to."""

from __future__ import annotations

import json

import pytest

from local.plugins.aws.connection import StandInError
from local.plugins.aws.provider import AwsProvider
from tests.local.plugin_aws_config import aws_config
from tests.local.plugin_driver import Driver

KEY = "aws:kms/key:Key"
BUCKET = "aws:s3/bucket:Bucket"
LOOPBACK = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "address",
    [
        "https://kms.eu-central-1.amazonaws.com",
        "http://8.8.8.8:5000",
        "http://169.254.169.254",
        "http://0.0.0.0:5000",
        "http://127.0.0.1@kms.eu-central-1.amazonaws.com",
        "ftp://127.0.0.1",
        "127.0.0.1:5000",
    ],
)
def test_an_endpoint_elsewhere_is_refused_wherever_it_stands(address: str) -> None:
    entries = [{"kms": LOOPBACK}, {"iam": LOOPBACK, "s3": address}]
    failures = Driver(AwsProvider()).configure(
        aws_config(LOOPBACK) | {"endpoints": json.dumps(entries)}
    )
    assert failures.keys() == {"endpoints"}
    assert "s3: " in failures["endpoints"]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1",
        "http://localhost:1",
        "http://[::1]:1",
        "http://10.77.0.2:1",
        "https://172.31.0.1",
        "http://192.168.1.1:1",
    ],
)
def test_loopback_and_private_addresses_are_taken(address: str) -> None:
    endpoints = json.dumps([{"kms": address}])
    assert Driver(AwsProvider()).configure(aws_config(LOOPBACK) | {"endpoints": endpoints}) == {}


@pytest.mark.parametrize("missing", ["region", "accessKey", "secretKey"])
def test_nothing_is_taken_from_the_environment(missing: str) -> None:
    config = aws_config(LOOPBACK)
    del config[missing]
    failures = Driver(AwsProvider()).configure(config)
    assert failures.keys() == {missing}
    assert "never the real AWS" in failures[missing]


def test_a_stack_on_aws_is_previewed_and_never_deployed() -> None:
    driver = Driver(AwsProvider())
    config = {"region": "eu-central-1", "allowedAccountIds": json.dumps(["123456789012"])}
    assert driver.configure(config) == {}
    with pytest.raises(StandInError, match="only no service, and this is a stand-in"):
        driver.create(KEY, {})


def test_what_it_does_not_offer_is_refused() -> None:
    failures = Driver(AwsProvider()).configure(aws_config(LOOPBACK) | {"profile": "fake"})
    assert failures.keys() == {"profile"}
    wrong = Driver(AwsProvider()).configure(aws_config(LOOPBACK) | {"endpoints": "[1]"})
    assert wrong == {"endpoints": "endpoints: must be a list of mappings from service to address"}


def test_a_service_without_an_endpoint_is_refused() -> None:
    driver = Driver(AwsProvider())
    driver.configure(aws_config(LOOPBACK) | {"endpoints": json.dumps([{"kms": LOOPBACK}])})
    with pytest.raises(StandInError, match="name no s3, only kms, and this is a stand-in"):
        driver.create(BUCKET, {})


def test_an_unconfigured_plugin_reaches_nothing() -> None:
    with pytest.raises(StandInError, match="only no service"):
        Driver(AwsProvider()).create(KEY, {})
