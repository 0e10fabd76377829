"""Our rules and our check against the real sops, with age and with KMS of the AWS stand-in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from local.toolchain import ensure
from sealing.sops_check import check
from sealing.sops_rules import Folder, read, render, rules_for

pytestmark = pytest.mark.e2e

REGION = "eu-central-1"
FIELDS = "^(data|stringData)$"
CLEAR = "fake-plaintext"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "ml", "namespace": "ml-training"},
    "stringData": {"password": CLEAR, "nested": "another"},
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """KMS on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key's ARN; sops reaches it with credentials that say they are none."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_ENDPOINT_URL_KMS", endpoint),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("kms", region_name=REGION, endpoint_url=endpoint)
    arn: str = client.create_key()["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository with the real tools on PATH."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, path in ensure(("sops", "age", "age-keygen")).items():
        (tools / name).symlink_to(path)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def age(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new age identity that sops finds; the result is its recipient."""
    identity = tmp_path / "identity.txt"
    run("age-keygen", "-o", str(identity))
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(identity))
    return run("age-keygen", "-y", str(identity)).strip()


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_rules(repository: Path, *folders: Folder) -> None:
    (repository / ".sops.yaml").write_text(render(rules_for(folders)))


def secret_file(repository: Path, place: str) -> Path:
    path = repository / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(SECRET))
    return path


def findings(repository: Path) -> list[str]:
    rules = read(repository / ".sops.yaml")
    return [f"{f.field} {f.what}" for f in check(repository, [repository], rules)]


def test_each_stacks_files_are_encrypted_for_its_own_keys(
    repository: Path, age: str, kms: str
) -> None:
    with_rules(
        repository,
        Folder(stack="prod", folder="secrets/production", encrypted_regex=FIELDS, aws_kms=kms),
        Folder(stack="dev", folder="secrets/dev", encrypted_regex=FIELDS, age=(age,)),
    )
    for place in ("secrets/production/ml.yaml", "secrets/dev/ml.yaml"):
        path = secret_file(repository, place)
        assert findings(repository) == [" is not encrypted at all"]
        run("sops", "encrypt", "--in-place", place)
        text = path.read_text()
        assert CLEAR not in text
        assert "name: ml" in text, "what is no secret stays readable"
        assert findings(repository) == []
        assert yaml.safe_load(run("sops", "decrypt", place)) == SECRET
    production = yaml.safe_load((repository / "secrets/production/ml.yaml").read_text())["sops"]
    assert [entry["arn"] for entry in production["kms"]] == [kms]
    assert not production.get("age")


def test_a_field_added_in_clear_after_encryption_is_found(repository: Path, age: str) -> None:
    with_rules(repository, Folder(stack="dev", folder="s", encrypted_regex=FIELDS, age=(age,)))
    path = secret_file(repository, "s/ml.yaml")
    run("sops", "encrypt", "--in-place", "s/ml.yaml")
    document = yaml.safe_load(path.read_text())
    document["stringData"]["late"] = CLEAR
    path.write_text(yaml.safe_dump(document))
    assert findings(repository) == ["stringData.late is in clear"]


def test_a_file_is_found_until_it_has_the_keys_that_the_rules_name_now(
    repository: Path, age: str, kms: str
) -> None:
    with_rules(repository, Folder(stack="dev", folder="s", encrypted_regex=FIELDS, age=(age,)))
    secret_file(repository, "s/ml.yaml")
    run("sops", "encrypt", "--in-place", "s/ml.yaml")
    with_rules(
        repository,
        Folder(stack="dev", folder="s", encrypted_regex=FIELDS, age=(age,), aws_kms=kms),
    )
    assert findings(repository) == [f" cannot be opened with {kms}, which its rule names"]
    run("sops", "updatekeys", "--yes", "s/ml.yaml")
    assert findings(repository) == []


@pytest.mark.parametrize("value", [True, 17, 1.5, ["a", "b"], {"deep": {"er": "a"}}])
def test_every_kind_of_value_counts_as_encrypted_once_sops_has_it(
    repository: Path, age: str, value: object
) -> None:
    with_rules(repository, Folder(stack="dev", folder="s", encrypted_regex="^secret$", age=(age,)))
    path = repository / "s" / "a.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({"plain": "stays", "secret": value}))
    run("sops", "encrypt", "--in-place", "s/a.yaml")
    assert findings(repository) == []
    assert "plain: stays" in path.read_text()


def test_json_is_judged_like_yaml(repository: Path, age: str) -> None:
    with_rules(repository, Folder(stack="dev", folder="s", encrypted_regex=FIELDS, age=(age,)))
    path = repository / "s" / "a.json"
    path.parent.mkdir()
    path.write_text('{"data": {"token": "fake-plaintext"}}')
    assert findings(repository) == [" is not encrypted at all"]
    run("sops", "encrypt", "--in-place", "s/a.json")
    assert findings(repository) == []
