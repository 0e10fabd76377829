"""`strongroom access`: from settings and from a deployed stack, as text and as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from cli import access
from cli.reporting import ReportingGroup
from components.kubernetes.workload_rbac import WorkloadAccess, WorkloadAccessArgs
from components.vault.grant import VaultGrant, VaultGrantArgs
from components.vault.kv import KvEngine, KvEngineArgs
from settings import Settings
from tests.access.exports import KV, export, grant, resource
from tests.unit.support.monitor import deploy
from tests.unit.support.stacks import STACKS, changed, stack_settings

TRAINER = "ml-training/ml-training-sa"
DEPLOYER = "vault/strongroom-deployer"
PLATFORM = (DEPLOYER, "vault/strongroom-operator")
GRANT: dict[str, Any] = {
    "name": "ml-app",
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/ml/mlflow"],
}
BOOTSTRAP = "pulumi-python:dynamic/strongroom:VaultBootstrap"
WRITER: dict[str, Any] = {
    "name": "mlflow-writer",
    "serviceAccounts": ["mlflow-admin"],
    "namespaces": ["ml-training"],
    "manages": ["secret/ml/mlflow"],
}

root = typer.Typer(cls=ReportingGroup, pretty_exceptions_enable=False)
root.add_typer(access.app, name="access")


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(root, ["access", *map(str, arguments)], input=stdin)


def data(*arguments: str | Path) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def settings_file(folder: Path, name: str = "new.yaml", stack: str = "dev", **changes: Any) -> Path:
    values = {"grants": [GRANT], **changes}
    given = {f"strongroom:{key}": value for key, value in changed(stack, values).items()}
    path = folder / name
    path.write_text(yaml.safe_dump({"config": given}))
    return path


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """A settings file with one grant, and an account that runs jobs."""
    return settings_file(tmp_path)


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """An exported stack with one grant."""
    path = tmp_path / "state.json"
    path.write_text(json.dumps(export(KV, *grant())))
    return path


def components_export(settings: Settings) -> dict[str, Any]:
    """What the components make of the settings' grants and service accounts, as an export."""

    def program() -> None:
        KvEngine("kv", KvEngineArgs())
        for one in settings.grants:
            VaultGrant(one.name, VaultGrantArgs(grant=one, auth_path="kubernetes"))
        for account in settings.service_accounts:
            WorkloadAccess(
                f"{account.namespace}-{account.name}",
                WorkloadAccessArgs(
                    account=account.name,
                    namespace=account.namespace,
                    secret_names=account.secret_names,
                    jobs=account.jobs,
                ),
            )

    made = [{"urn": r.urn, "type": r.type, "inputs": r.inputs} for r in deploy(program).resources]
    bootstrap = resource(BOOTSTRAP, "bootstrap", {"namespace": settings.vault.namespace})
    return export(bootstrap, *made)


def test_a_settings_file_shows_its_grants_and_accounts(declared: Path) -> None:
    result = run("matrix", "--config-file", declared)
    assert result.exit_code == 0
    assert "ml-training/ml-app-sa\n  secret/ml/mlflow  read  grant ml-app\n" in result.stdout
    rows = data("matrix", "--config-file", declared)["rows"]
    assert {row["subject"] for row in rows} == {"ml-training/ml-app-sa", TRAINER, *PLATFORM}


def test_an_exported_stack_is_read_from_a_file_or_standard_input(deployed: Path) -> None:
    from_file = run("matrix", "--state", deployed)
    piped = run("matrix", "--state", "-", stdin=deployed.read_text())
    assert (
        from_file.stdout
        == piped.stdout
        == ("ml-training/ml-app-sa\n  secret/ml/mlflow  read  grant ml-app\n")
    )


def test_the_page_is_written_where_it_is_wanted(deployed: Path, tmp_path: Path) -> None:
    target = tmp_path / "matrix.html"
    result = run("matrix", "--state", deployed, "--html", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "secret/ml/mlflow" in target.read_text()
    assert "state.json, as deployed" in target.read_text()


def test_who_can_names_direct_and_indirect_holders(declared: Path) -> None:
    holders = data("who-can", "secret/ml/mlflow", "--config-file", declared)["holders"]
    assert [(h["subject"], h["indirect"]) for h in holders] == [
        ("ml-training/ml-app-sa", False),
        (TRAINER, True),
        (DEPLOYER, True),
    ]
    nobody = run("who-can", "secret/ml/mlflow", "delete", "--config-file", declared)
    assert (nobody.exit_code, nobody.stdout) == (0, "Nobody can delete secret/ml/mlflow.\n")


def test_explain_says_yes_or_no_and_why(declared: Path) -> None:
    source = ("--config-file", declared)
    yes = run("explain", "ml-training/ml-app-sa", "secret/ml/mlflow", *source)
    assert yes.stdout == (
        "ml-training/ml-app-sa can read secret/ml/mlflow.\n"
        '  yes, grant ml-app: "secret/data/ml/mlflow" (ml-app) allows read\n'
    )
    no = data("explain", "ml-training/ml-app-sa", "secret/ml/other", "update", *source)
    assert no["allowed"] is False
    assert "no rule covers" in no["refusals"][0]["reason"]
    stranger = run("explain", "ml-serving/x", "secret/ml/mlflow", "read", *source)
    assert "no role that is known here lets it in for that" in stranger.stdout


def test_diff_says_in_words_what_a_new_grant_gives(declared: Path, tmp_path: Path) -> None:
    older = settings_file(tmp_path, "old.yaml", grants=[])
    arguments = ("diff", "--config-file", declared, "--against", older)
    sentence = "ml-app-sa in ml-training gains read on secret/ml/mlflow through grant ml-app"
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (0, f"{sentence}\n")
    assert run(*arguments, "--exit-code").exit_code == 1
    (change,) = data(*arguments)["changes"]
    assert (change["effect"], change["sentence"]) == ("gains", sentence)


def test_diff_with_itself_is_empty(declared: Path) -> None:
    result = run("diff", "--config-file", declared, "--against", declared, "--exit-code")
    assert (result.exit_code, result.stdout) == (0, "Nobody gains or loses anything.\n")


def test_diff_with_what_is_deployed(deployed: Path, tmp_path: Path) -> None:
    wider = settings_file(
        tmp_path,
        grants=[GRANT | {"secrets": ["secret/ml/mlflow", "secret/ml/s3"]}],
        serviceAccounts=[],
    )
    result = run("diff", "--config-file", wider, "--state", deployed)
    assert result.stdout == (
        "ml-app-sa in ml-training gains read on secret/ml/s3 through grant ml-app\n"
    )


@pytest.mark.parametrize("stack", STACKS)
def test_what_components_deploy_is_what_settings_declare(stack: str, tmp_path: Path) -> None:
    """Holds the matrix of settings and the components together: they must not drift apart."""
    # Stores name grants of the stack's own, which are not these two.
    own: dict[str, Any] = {"grants": [GRANT, WRITER], "externalSecrets": {"enabled": False}}
    settings = Settings.parse(stack_settings(stack) | own, source=f"Pulumi.{stack}.yaml")
    exported = tmp_path / "state.json"
    exported.write_text(json.dumps(components_export(settings)))
    declared = settings_file(tmp_path, stack=stack, **own)
    assert len(data("matrix", "--config-file", declared)["rows"]) >= 4
    shown = [data("matrix", *one) for one in (("--config-file", declared), ("--state", exported))]
    assert shown[0] == shown[1]
    result = run("diff", "--config-file", declared, "--state", exported, "--exit-code")
    assert (result.exit_code, result.stdout) == (0, "Nobody gains or loses anything.\n")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("matrix",), 2, "name the stack: either --stack NAME or --config-file FILE"),
        (("matrix", "--state", "STATE", "--stack", "dev"), 2, "name one source"),
        (("matrix", "--state", "gone.json"), 1, "No such file or directory"),
        (("matrix", "--state", "STATE", "--html", "/gone/x.html"), 1, "the page cannot be written"),
        (("matrix", "--state", "NOT-JSON"), 1, "it is no JSON"),
        (("matrix", "--state", "NO-EXPORT"), 1, "it is no exported stack"),
        (("matrix", "--state", "HALF"), 1, "has not the expected form"),
        (("who-can", "arn:x", "--state", "STATE"), 2, "write one such as s3:GetObject"),
        (("who-can", "a", "raed", "--state", "STATE"), 2, "did you mean read?"),
        (("who-can", "a", "xyz", "--state", "STATE"), 2, "use one of create, read"),
        (("explain", "app", "a", "read", "--state", "STATE"), 2, "write namespace/service-account"),
        (("diff", "--config-file", "DECLARED"), 2, "name what to compare with"),
        (("diff", "--config-file", "WRONG", "--state", "STATE"), 1, "namespaces"),
    ],
)
def test_a_mistake_ends_in_one_message(
    arguments: tuple[str, ...],
    status: int,
    said: str,
    tmp_path: Path,
    declared: Path,
    deployed: Path,
) -> None:
    (tmp_path / "text").write_text("no json")
    (tmp_path / "list").write_text("[]")
    (tmp_path / "half").write_text('{"deployment": {"resources": [{"urn": "x"}]}}')
    wrong = settings_file(tmp_path, "wrong.yaml", grants=[GRANT | {"namespaces": ["*"]}])
    files = {
        "STATE": deployed,
        "DECLARED": declared,
        "NOT-JSON": tmp_path / "text",
        "NO-EXPORT": tmp_path / "list",
        "WRONG": wrong,
        "HALF": tmp_path / "half",
    }
    result = run(*(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == status, result.output
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert "Traceback" not in result.output
