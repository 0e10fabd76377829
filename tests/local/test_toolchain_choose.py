"""Which tool is taken: official where it fits, ours otherwise, and never one by mistake."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local.toolchain import ToolchainError, bin_dir, choose, ensure, official
from local.toolchain.__main__ import main
from local.toolchain.catalogue import TOOLS, InPluginCache, Launcher
from local.toolchain.choose import How
from tests.local.tiny_go import write_script


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is in front of PATH, in a home of its own."""
    monkeypatch.setenv("STRONGROOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    monkeypatch.setattr(official, "BIN", tmp_path / "checkout/.strongroom/bin")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.parametrize(
    ("tool", "printed", "usable"),
    [
        ("pulumi", "v3.259.0", True),
        ("pulumi", "v3.261.2", True),
        ("pulumi", "v3.258.9", False),
        ("pulumi", "v3.99.0", False),
        ("pulumi", "v4.0.0", False),
        ("pulumi", "a build without a version", False),
        ("sops", "sops 3.11.0 (latest)", True),
        ("sops", "sops 3.9.4", False),
        ("age", "v1.2.1", True),
        ("age", "1.1.1", False),
        ("age", "(devel)", False),
        ("gitleaks", "8.30.1", True),
        ("gitleaks", "version is set by build process", False),
        ("actionlint", "1.7.10\ninstalled by downloading from release page", True),
        ("actionlint", "1.6.27", False),
    ],
)
def test_an_installed_program_is_taken_when_its_version_fits(
    path: Path, tool: str, printed: str, usable: bool
) -> None:
    program = write_script(path / tool, f"cat <<'END'\n{printed}\nEND")
    search = official.find(TOOLS[tool])
    assert search.path == (program if usable else None)
    assert search.reason


@pytest.mark.parametrize("body", ["exit 1", "echo v3.259.0; exit 1"])
def test_a_program_that_fails_is_not_taken(path: Path, body: str) -> None:
    write_script(path / "pulumi", body)
    search = official.find(TOOLS["pulumi"])
    assert search.path is None
    assert "does not tell its version" in search.reason


def test_a_program_that_hangs_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(path / "pulumi", "exec sleep 60")
    monkeypatch.setattr(official, "_DEADLINE", 0.2)
    assert official.find(TOOLS["pulumi"]).path is None


def test_what_must_match_our_versions_is_never_taken_from_path(path: Path) -> None:
    for tool in ("kubectl", "vault", "kubelet", "coredns", "kubeseal"):
        write_script(path / tool, "echo v99.0.0")
        assert official.find(TOOLS[tool]).path is None


@pytest.mark.parametrize("own", ["checkout/.strongroom/bin", "cache/tools/pulumi-abc"])
def test_a_build_of_ours_on_path_is_not_mistaken_for_an_official_one(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    write_script(tmp_path / own / "pulumi", "echo v3.259.0")
    monkeypatch.setenv("PATH", f"{tmp_path / own}:/usr/bin:/bin")
    assert official.find(TOOLS["pulumi"]).reason == "not on PATH"


def test_the_language_host_comes_with_the_official_cli_or_not_at_all(path: Path) -> None:
    host = write_script(path / "pulumi-language-python", "exit 0")
    assert official.find(TOOLS["pulumi-language-python"]).path is None
    write_script(path / "pulumi", "echo v3.259.0")
    assert official.find(TOOLS["pulumi-language-python"]).path == host
    search = official.find(TOOLS["pulumi-language-python-exec"])
    assert search.path is None
    assert "not beside" in search.reason


def test_an_official_plugin_needs_exactly_the_version_of_the_sdk(path: Path) -> None:
    rule = TOOLS["pulumi-resource-vault"].official
    assert isinstance(rule, InPluginCache)
    plugins = path.parent / "pulumi-home/plugins"
    write_script(plugins / "resource-vault-v1.0.0/pulumi-resource-vault", "exit 0")
    assert official.find(TOOLS["pulumi-resource-vault"]).path is None
    exact = plugins / f"resource-vault-v{rule.version}"
    write_script(exact / "pulumi-resource-vault", "exit 0")
    assert official.find(TOOLS["pulumi-resource-vault"]).path == exact / "pulumi-resource-vault"
    (plugins / f"{exact.name}.partial").touch()
    assert official.find(TOOLS["pulumi-resource-vault"]).path is None, "its download was cut short"


def test_a_stand_in_is_never_used_when_the_official_plugin_is_there(path: Path) -> None:
    (stand_in,) = choose(["pulumi-resource-random"], print)
    assert stand_in.how is How.LAUNCHER
    assert "stand-in" in stand_in.reason
    rule = TOOLS["pulumi-resource-random"].official
    assert isinstance(rule, InPluginCache)
    folder = path.parent / f"pulumi-home/plugins/resource-random-v{rule.version}"
    plugin = write_script(folder / "pulumi-resource-random", "exit 0")
    (found,) = choose(["pulumi-resource-random"], print)
    assert (found.how, found.path) == (How.FOUND, plugin)


def test_a_launcher_runs_its_module_with_this_python(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        TOOLS,
        "pulumi-resource-random",
        type(TOOLS["pulumi-resource-random"])(
            "pulumi-resource-random",
            Launcher("pulumi-resource-random", "1.0.0", "json.tool"),
        ),
    )
    launcher = ensure(["pulumi-resource-random"], print)["pulumi-resource-random"]
    ran = subprocess.run([launcher], input="[1]", capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["[", "1", "]"]


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ToolchainError, match=r"no tool named 'kubectll'; did you mean 'kubectl'\?"):
        ensure(["kubectll"])


def test_a_tool_of_the_benchmarks_is_provided_by_name(path: Path) -> None:
    program = write_script(path / "tofu", "echo OpenTofu v1.10.6")
    assert ensure(["tofu"], print) == {"tofu": program}


def test_links_for_path_are_made_moved_and_cleared(path: Path) -> None:
    first = write_script(path / "age", "echo v1.2.1")
    folder = bin_dir(["age"], print)
    (folder / "gone").symlink_to(path / "nothing-here")
    (folder / "kept").symlink_to(first)
    assert (folder / "age").readlink() == first

    second = write_script(path.parent / "other/age", "echo v1.3.0")
    os.environ["PATH"] = f"{second.parent}:{os.environ['PATH']}"
    assert bin_dir(["age"], print) == folder
    assert (folder / "age").readlink() == second
    assert sorted(link.name for link in folder.iterdir()) == ["age", "kept"]


def test_the_command_links_what_it_provides(path: Path) -> None:
    program = write_script(path / "trufflehog", "echo trufflehog 3.90.0")
    assert main(["trufflehog"]) == 0
    assert (official.BIN / "trufflehog").readlink() == program
