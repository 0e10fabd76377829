"""What every stand-in plugin does the same way, shown on a type that lives in memory.

The last tests hold every real stand-in's names against the official SDKs.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import Any, ClassVar

import grpc  # type: ignore[import-untyped]
import pulumi_aws
import pulumi_random
import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub
from pulumi.runtime.rpc import UNKNOWN

from local.paths import REPOSITORY
from local.plugins.aws.provider import AwsProvider
from local.plugins.provider import StandInProvider
from local.plugins.random.types import TYPES as RANDOM_TYPES
from local.plugins.resource import Field, Made, ResourceType, Values
from tests.local.plugin_driver import Driver
from tests.local.plugin_schema import official_names

pytestmark = pytest.mark.e2e

TOKEN = "test:index/thing:Thing"


class Thing(ResourceType):
    """Keeps things in a dict, and writes documents its own way as services do."""

    token = TOKEN
    fields: ClassVar = {
        "name": Field(replace=True),
        "size": Field(default=1),
        "document": Field(document=True),
        "chosen": Field(computed=True),
        "password": Field(),
        "labels": Field(),
        "owner": Field(required=True),
    }
    outputs = ("address",)
    automatic_name = "name"
    name_prefix = "thing/"

    def __init__(self) -> None:
        self.things: dict[str, Values] = {}

    def mistakes(self, inputs: Values) -> dict[str, str]:
        return {"size": "must not be negative"} if inputs["size"] == -1 else {}

    def create(self, inputs: Values) -> Made:
        self.things[inputs["name"]] = {"chosen": "by the service"} | inputs
        return Made(inputs["name"], self._seen(inputs["name"]))

    def read(self, identity: str, state: Values) -> Values | None:
        return self._seen(identity) if identity in self.things else None

    def update(self, identity: str, old: Values, new: Values) -> Values:
        self.things[identity] |= new
        return self._seen(identity)

    def delete(self, identity: str, state: Values) -> None:
        self.things.pop(identity, None)

    def _seen(self, identity: str) -> Values:
        thing: Values = {"labels": {}} | self.things[identity]
        if "document" in thing:
            thing["document"] = thing["document"].replace(" ", "\n")
        return thing | {"address": f"at:{identity}"}


@pytest.fixture
def thing() -> Thing:
    return Thing()


@pytest.fixture
def driver(thing: Thing) -> Driver:
    return Driver(StandInProvider([thing]))


OWNED = {"owner": "tests"}


def test_an_unknown_input_is_refused_with_the_nearest_name(driver: Driver) -> None:
    failures = driver.failures(TOKEN, OWNED | {"lables": {}})
    assert "no input lables; did you mean labels?" in failures["lables"]


def test_a_missing_input_and_a_types_own_mistake_are_named(driver: Driver) -> None:
    assert driver.failures(TOKEN, {}) == {"owner": "one: owner is required"}
    assert driver.failures(TOKEN, OWNED | {"size": -1}) == {
        "size": "one: size: must not be negative"
    }


def test_an_unknown_type_is_refused_by_its_own_name(driver: Driver) -> None:
    with pytest.raises(NotImplementedError, match=r"^test:index/other:Other: this stand-in"):
        driver.create("test:index/other:Other", {})


def test_a_generated_name_begins_with_the_resources_name_and_stays(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED)
    assert made.id.startswith("thing/one-")
    assert made.changes(OWNED) == set()
    assert driver.create(TOKEN, OWNED | {"name": "mine"}).id == "mine"


def test_a_second_up_and_a_refresh_change_nothing(driver: Driver) -> None:
    inputs = OWNED | {"document": '{"a": ["b"],  "c": 1}'}
    driver.create(TOKEN, inputs).assert_stable(inputs)


def test_a_documents_spelling_is_no_change_and_its_meaning_is(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED | {"document": '{"Action": ["b", "a"], "Effect": "Allow"}'})
    same = '{"Effect":"Allow","Action":["a","b"]}'
    assert made.changes(OWNED | {"document": same}) == set()
    assert made.changes(OWNED | {"document": same.replace("b", "c")}) == {"document"}
    one = driver.create(TOKEN, OWNED | {"document": '{"Action": "a"}'})
    assert one.changes(OWNED | {"document": '{"Action": ["a"]}'}) == set()


def test_the_programs_spelling_of_a_document_is_kept(driver: Driver) -> None:
    given = '{"Action": ["a"]}'
    made = driver.create(TOKEN, OWNED | {"document": given})
    assert made.values["document"] == given
    assert made.refresh()
    assert (made.values["document"], made.inputs["document"].value) == (given, given)
    other = '{"Action": ["b"]}'
    assert made.update(OWNED | {"document": other}).values["document"] == other


def test_what_the_service_chose_stays_when_the_program_says_nothing(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED)
    assert made.values["chosen"] == "by the service"
    assert made.changes(OWNED) == set()
    assert made.changes(OWNED | {"chosen": "by the program"}) == {"chosen"}


def test_taking_an_input_back_is_a_change_and_empty_is_the_same_as_absent(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED | {"labels": {"a": "b"}})
    assert made.changes(OWNED) == {"labels"}
    assert driver.create(TOKEN, OWNED | {"labels": {}}).changes(OWNED) == set()


def test_only_named_fields_replace_and_ignored_ones_do_not_count(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED | {"name": "mine"})
    difference = made.difference(OWNED | {"name": "other", "size": 2})
    assert set(difference.diffs) == {"name", "size"}
    assert difference.replaces == ["name"]
    assert made.changes(OWNED | {"name": "mine", "size": 2}, ignore=["size"]) == set()


def test_a_refresh_brings_what_others_changed_back_as_a_change(
    driver: Driver, thing: Thing
) -> None:
    made = driver.create(TOKEN, OWNED | {"size": 5})
    thing.things[made.id]["size"] = 6
    assert made.refresh()
    assert made.changes(OWNED | {"size": 5}) == {"size"}


def test_a_refresh_notices_what_is_gone_and_deleting_it_again_is_no_error(driver: Driver) -> None:
    made = driver.create(TOKEN, OWNED)
    made.delete()
    assert not made.refresh()
    made.delete()


def test_a_preview_makes_nothing_and_leaves_open_what_the_service_decides(
    driver: Driver, thing: Thing
) -> None:
    planned = driver.create(TOKEN, OWNED, preview=True)
    assert thing.things == {}
    assert planned.id == ""
    assert planned.state["address"].value == UNKNOWN
    assert planned.state["chosen"].value == UNKNOWN
    made = driver.create(TOKEN, OWNED)
    changed = made.update(OWNED | {"size": 9}, preview=True).values
    assert (changed["size"], changed["address"]) == (9, f"at:{made.id}")
    assert changed["chosen"] == "by the service"
    assert thing.things[made.id]["size"] == 1


def test_a_secret_input_is_secret_in_every_state(driver: Driver) -> None:
    secret = PropertyValue("fake", is_secret=True)
    made = driver.create(TOKEN, OWNED | {"password": secret})
    assert made.state["password"].is_secret
    made.update(OWNED | {"password": secret, "size": 2})
    assert made.state["password"].is_secret
    assert made.refresh()
    assert made.state["password"].is_secret
    assert made.inputs["password"].is_secret
    assert not made.state["owner"].is_secret


@pytest.mark.parametrize("plugin", ["aws", "random"])
def test_each_plugin_serves_with_the_version_of_its_sdk(plugin: str) -> None:
    command = [sys.executable, "-m", f"local.plugins.{plugin}", "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = ResourceProviderStub(channel)
                info = stub.GetPluginInfo(empty_pb2.Empty(), timeout=20, wait_for_ready=True)
        finally:
            process.kill()
    assert info.version == version(f"pulumi-{plugin}")


# What a stand-in leaves out of the official outputs, on purpose.
LEFT_OUT = {
    "aws:lambda/function:Function": {
        "invokeArn",
        "lastModified",
        "qualifiedArn",
        "qualifiedInvokeArn",
        "responseStreamingInvokeArn",
        "signingJobArn",
        "signingProfileVersionArn",
        "version",
    },
    "aws:s3/bucket:Bucket": {"hostedZoneId", "websiteDomain", "websiteEndpoint"},
    "random:index/randomPassword:RandomPassword": {"bcryptHash"},
}
EVERY_KIND = [*AwsProvider().types, *RANDOM_TYPES]


@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.token)
def test_every_name_is_one_of_the_official_sdk(kind: ResourceType) -> None:
    official = official_names(kind.token, pulumi_aws, pulumi_random)
    assert set(kind.fields) <= official.inputs
    assert {n for n, f in kind.fields.items() if f.required} == official.required
    assert set(kind.outputs) <= official.outputs | official.inputs
    assert official.outputs - set(kind.outputs) == LEFT_OUT.get(kind.token, set())
    assert set(kind.secret_outputs) >= official.secret - LEFT_OUT.get(kind.token, set())


def test_the_driver_passes_values_as_the_engine_does(driver: Driver) -> None:
    values: dict[str, Any] = {"owner": "tests", "labels": {"a": "b"}, "size": 3}
    assert driver.create(TOKEN, values).values.items() >= values.items()
