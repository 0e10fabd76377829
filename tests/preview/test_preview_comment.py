"""The pull request's comment from the real engine: a wider grant in words, and no secret anywhere.

Nothing is deployed and no server answers: the state that a change is previewed against is what the
preview before it planned.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.app import app
from local.toolchain import bin_dir
from review.events import UNKNOWN, read
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

IN_STATE, IN_INPUT, IN_OUTPUT, IN_MESSAGE = (f"planted-{word}" for word in ("a", "b", "c", "d"))
TOKEN = "hvs.FAKEFAKEFAKEFAKEFAKEFAKE"
PROGRAM = f"""\
import pulumi
import pulumi_vault as vault

from access.grant import Grant
from components.vault.grant import VaultGrant, VaultGrantArgs

server = vault.Provider(
    "vault", address="https://127.0.0.1:1", skip_child_token=True, skip_get_vault_version=True,
    token=pulumi.Output.secret("{IN_STATE}"),
)
inside = pulumi.ResourceOptions(provider=server)


def grant(*secrets):
    given = Grant(
        name="ml-app", service_accounts=("ml-app-sa",), namespaces=("ml-training",), secrets=secrets
    )
    args = VaultGrantArgs(grant=given, auth_path="kubernetes")
    VaultGrant("ml-app", args, pulumi.ResourceOptions(providers=[server]))


def policy(name):
    text = 'path "secret/data/ml/fake" {{ capabilities = ["read"] }}'
    vault.Policy(name, name=name, policy=text, opts=inside)


vault.Mount("kv", path="secret", type="kv-v2", opts=inside)
"""
BEFORE = 'grant("secret/ml/mlflow")\npolicy("gone")\n'
WIDER = f"""\
grant("secret/ml/mlflow", "secret/ml/x")
pulumi.log.warn("the server at work refused {IN_STATE}")
pulumi.log.warn("logged in with {TOKEN}, password={IN_MESSAGE}")
"""
WITH_SECRETS = f"""\
grant("secret/ml/mlflow", "secret/ml/x")
document = pulumi.Output.secret('{{"password": "{IN_INPUT}"}}')
stored = vault.generic.Secret("stored", path="secret/fake", data_json=document, opts=inside)
pulumi.export("stored", pulumi.Output.secret("{IN_OUTPUT}"))
pulumi.log.warn("the server at work refused {IN_INPUT} and {IN_OUTPUT}")
"""


class Project:
    """A small program under the real engine, with the command run in its folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._engine = Engine(bin_dir(TOOLS), folder, "dev", project=folder)
        self._engine.configure({"strongroom:environment": "dev"})
        monkeypatch.chdir(folder)
        for name, value in (
            ("PATH", f"{self._engine.tools}:/usr/bin:/bin"),
            ("PYTHONPATH", str(REPOSITORY)),
            ("PULUMI_HOME", str(folder / "home")),
            ("PULUMI_BACKEND_URL", (folder / "state").as_uri()),
            ("PULUMI_CONFIG_PASSPHRASE", "a fake passphrase of a test"),
            ("PULUMI_SKIP_UPDATE_CHECK", "true"),
            ("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true"),
        ):
            monkeypatch.setenv(name, value)

    def preview(self, program: str, *arguments: str) -> Result:
        (self._folder / "__main__.py").write_text(PROGRAM + program)
        return CliRunner().invoke(app, ["preview", "--stack", "dev", *arguments])

    def take_as_deployed(self, program: str) -> None:
        """Make the state what a deployment of the program would leave."""
        (self._folder / "__main__.py").write_text(PROGRAM + program)
        command = ["pulumi", "preview", "--json", "--stack", "dev", "--non-interactive"]
        streaming = {**os.environ, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
        done = subprocess.run(command, env=streaming, capture_output=True, text=True, check=True)
        states = [step.new for step in read(done.stdout.splitlines()).steps if step.new]
        salt = yaml.safe_load(self._engine.config_file.read_text())["encryptionsalt"]
        deployment = {
            "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
            "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
            "resources": list(map(_deployed, states)),
        }
        exported = self._folder / "state.json"
        exported.write_text(json.dumps({"version": 3, "deployment": deployment}))
        arguments = ("stack", "import", "--file", str(exported), "--stack", "dev")
        self._engine._run(*arguments, cwd=self._folder)


def _deployed(state: Mapping[str, Any]) -> dict[str, Any]:
    """A planned state with what a deployment adds: an identity, and the one secret's value."""
    given = {key: value for key, value in state.items() if value != ""}
    outputs = {key: value for key, value in state["outputs"].items() if value != UNKNOWN}
    identity = {"id": "fake"} if given.get("custom") else {}
    text = json.dumps(given | identity | {"outputs": outputs}).replace(UNKNOWN, "fake")
    known: dict[str, Any] = json.loads(
        text.replace('"ciphertext": "[secret]"', f'"plaintext": {json.dumps(json.dumps(IN_STATE))}')
    )
    return known


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Project(tmp_path_factory.mktemp("project"), monkeypatch)
        made.take_as_deployed(BEFORE)
        yield made


def assert_nothing_planted(result: Result) -> None:
    for planted in (IN_STATE, IN_INPUT, IN_OUTPUT, IN_MESSAGE, TOKEN, "hvs."):
        assert planted not in result.output


def test_a_wider_grant_is_told_in_words_and_no_secret_with_it(project: Project) -> None:
    result = project.preview(WIDER)
    assert result.exit_code == 0, result.output
    assert (
        "- ml-app-sa in ml-training gains read on secret/ml/x through grant ml-app\n"
        in result.stdout
    )
    assert "- delete `vault:index/policy:Policy` `gone`" in result.stdout
    assert " loses " not in result.stdout
    assert "the server at work refused \\[redacted\\]" in result.stdout
    assert "password=\\[redacted\\]" in result.stdout
    assert_nothing_planted(result)


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_new_secrets_are_nowhere_and_the_refusal_is_told(project: Project, form: str) -> None:
    result = project.preview(WITH_SECRETS, "--format", form)
    assert result.exit_code == 1
    assert "vault-no-stored-credential" in result.stdout
    assert "messages are left out" in result.stdout
    assert_nothing_planted(result)


def test_an_input_that_its_provider_refuses_is_not_repeated(project: Project) -> None:
    result = project.preview(WITH_SECRETS.replace('{"password"', "{no json"))
    assert result.exit_code == 1
    assert "messages (about stored) are left out" in result.stdout
    assert_nothing_planted(result)


def test_a_program_that_stops_is_told_and_nobody_loses_anything(project: Project) -> None:
    result = project.preview('raise ValueError("a fake mistake")\n')
    assert result.exit_code == 1
    assert "**The preview failed.**" in result.stdout
    assert "a fake mistake" in result.stdout
    assert "Nobody gains or loses anything" in result.stdout
    assert_nothing_planted(result)


def test_an_unknown_stack_is_one_error(project: Project) -> None:
    result = CliRunner().invoke(app, ["preview", "--stack", "nowhere"])
    assert result.exit_code == 1
    assert "error: the engine did not preview" in result.stderr
    assert "no stack named 'nowhere'" in result.stderr
