"""Real builds of a tiny Go module: cached, checked, interrupted, refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from local.toolchain import gocommand
from local.toolchain.build import build, key
from local.toolchain.errors import ToolchainError
from tests.local.tiny_go import (
    MAIN,
    TINY,
    build_command,
    build_environment,
    sha256,
    write_proxy,
    write_script,
    write_tiny,
)

pytestmark = pytest.mark.e2e

DEADLINE = 180.0  # seconds


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Go modules with `tiny` in it, and an empty cache."""
    monkeypatch.setenv("STRONGROOM_CACHE", str(tmp_path / "cache"))
    gocommand.version.cache_clear()
    modules = tmp_path / "modules"
    write_tiny(modules)
    return modules


def entries(cache: Path) -> list[str]:
    """Everything in the cache's tools folder but the locks."""
    return sorted(path.name for path in (cache / "tools").iterdir() if path.suffix != ".lock")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Poll until `condition` holds."""
    until = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < until, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_builds_once_and_records_what_it_made(modules: Path) -> None:
    said: list[str] = []
    first = build(TINY, said.append, modules)
    ran = subprocess.run([first.path / "tiny"], capture_output=True, text=True, check=True)
    assert ran.stdout == "1.2.3", "the linker's flags must reach the binary"
    manifest = json.loads((first.path / "manifest.json").read_text())
    assert manifest["sha256"] == {"tiny": sha256(first.path / "tiny")}
    assert manifest["facts"]["go"].startswith("go1.")
    assert manifest["facts"]["seconds"] > 0
    assert said

    quiet: list[str] = []
    second = build(TINY, quiet.append, modules)
    assert (first.fresh, second.fresh) == (True, False)
    assert second.path == first.path
    assert quiet == []


@pytest.mark.parametrize("damage", ["changed", "shortened", "removed", "added", "manifest"])
def test_an_unsound_folder_is_said_and_rebuilt(modules: Path, damage: str) -> None:
    folder = build(TINY, print, modules).path
    binary = folder / "tiny"
    sound = sha256(binary)
    match damage:
        case "changed":
            content = bytearray(binary.read_bytes())
            content[len(content) // 2] ^= 0xFF
            binary.write_bytes(content)
        case "shortened":
            os.truncate(binary, 100)
        case "removed":
            binary.unlink()
        case "added":
            (folder / "stranger").write_text("not ours")
        case "manifest":
            (folder / "manifest.json").write_text("{")
    said: list[str] = []
    again = build(TINY, said.append, modules)
    assert again.fresh
    assert sha256(again.path / "tiny") == sound
    assert any("does not match its checksums" in line for line in said)
    assert entries(folder.parents[1]) == [folder.name]


@pytest.mark.parametrize("changed", ["source", "pins", "flags"])
def test_every_input_is_part_of_the_key(modules: Path, changed: str) -> None:
    before = key(TINY, modules / "tiny")
    entry = TINY
    if changed == "source":
        write_tiny(modules, main=MAIN + "\n// changed\n")
    elif changed == "pins":
        write_tiny(modules, go="1.22")
    else:
        entry = type(TINY)(TINY.name, TINY.version, TINY.packages, ldflags="-X main.version=9")
    assert key(entry, modules / "tiny") != before


@pytest.mark.parametrize("name", ["main_test.go", "generate.py", "__pycache__/generate.pyc"])
def test_what_go_does_not_read_is_no_input(modules: Path, name: str) -> None:
    before = key(TINY, modules / "tiny")
    path = modules / "tiny" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("package main\n")
    assert key(TINY, modules / "tiny") == before


def test_an_embedded_file_is_an_input(modules: Path) -> None:
    before = key(TINY, modules / "tiny")
    (modules / "tiny/names.json").write_text("{}")
    assert key(TINY, modules / "tiny") != before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing_that_could_be_taken_for_a_result(
    modules: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    marker = tmp_path / "compiling"
    write_script(
        tmp_path / "bin/go",
        f"""case $1 in
        env) echo go1.99 ;;
        list) echo one ;;
        build) while [ "$1" != -o ]; do shift; done; echo half > "$2"
               echo $$ > {marker}.new; mv {marker}.new {marker}; exec sleep 600 ;;
        esac""",
    )
    cache = tmp_path / "cache"
    environment = build_environment(cache, f"{tmp_path}/bin:{os.environ['PATH']}")
    with subprocess.Popen(build_command(modules), env=environment) as building:
        wait_for(marker.exists, "the compiler to start")
        compiler = int(marker.read_text())
        building.send_signal(sent)
        building.wait(DEADLINE)
    assert building.returncode != 0
    if sent == signal.SIGINT:
        assert not alive(compiler), "an interrupt must end the compilers too"
        assert entries(cache) == []
    else:
        os.kill(compiler, signal.SIGTERM)
        assert all(name.endswith(".partial") for name in entries(cache))

    sealed = build(TINY, print, modules)
    assert sealed.fresh
    assert entries(cache) == [sealed.path.name]


def test_two_runs_at_once_build_once(modules: Path, tmp_path: Path) -> None:
    environment = build_environment(tmp_path / "cache")
    runs = [
        subprocess.Popen(build_command(modules), env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    endings = sorted(run.communicate(timeout=DEADLINE)[0].splitlines()[-1] for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert endings == ["fresh", "reused"]


def test_a_compiler_error_is_quoted_with_the_log(modules: Path, tmp_path: Path) -> None:
    write_tiny(modules, main="package main\n\nfunc main() { undefinedThing() }\n")
    with pytest.raises(ToolchainError) as refused:
        build(TINY, print, modules)
    text = str(refused.value)
    assert text.startswith("tiny: the build failed")
    assert "main.go:3:15: undefined: undefinedThing" in text
    log = tmp_path / "cache/logs/tiny.log"
    assert str(log) in text
    assert "undefinedThing" in log.read_text()
    assert entries(tmp_path / "cache") == []


DEPENDENT = 'package main\n\nimport _ "dependency.invalid/dep"\n\nfunc main() {}\n'


@pytest.mark.parametrize(
    "pinned",
    [
        "",
        "dependency.invalid/dep v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        "dependency.invalid/dep v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
    ids=["missing", "wrong"],
)
def test_a_module_that_go_sum_does_not_pin_is_refused(
    modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinned: str
) -> None:
    monkeypatch.setenv("GOPROXY", write_proxy(tmp_path / "proxy"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modcache"))
    more = "require dependency.invalid/dep v1.0.0\n"
    folder = write_tiny(modules, main=DEPENDENT, more=more)
    (folder / "go.sum").write_text(pinned)
    with pytest.raises(ToolchainError, match=r"not the one that go\.sum pins, or go\.sum lacks it"):
        build(TINY, print, modules)
    assert (folder / "go.sum").read_text() == pinned, "go.sum must never be extended on the fly"


def test_an_unreachable_proxy_is_told_from_a_failed_build(
    modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modcache"))
    folder = write_tiny(modules, main=DEPENDENT, more="require dependency.invalid/dep v1.0.0\n")
    line = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    (folder / "go.sum").write_text(
        f"dependency.invalid/dep v1.0.0 {line}\ndependency.invalid/dep v1.0.0/go.mod {line}\n"
    )
    with pytest.raises(ToolchainError, match=r"could not be fetched\. Check the network, GOPROXY"):
        build(TINY, print, modules)


def test_a_go_that_is_too_old_is_named(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    write_tiny(modules, go="1.999")
    with pytest.raises(ToolchainError, match=r"(?s)this Go is too old.*1\.999"):
        build(TINY, print, modules)


def test_no_go_says_where_to_get_it(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolchainError, match=r"no `go` on PATH.*https://go\.dev/dl/"):
        build(TINY, print, modules)


def test_a_full_disk_is_refused_with_figures(
    modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 7 * 2**20))
    with pytest.raises(
        ToolchainError, match=r"has 7 MiB free and the build needs at least \d+ MiB"
    ):
        build(TINY, print, modules)


def test_a_disk_that_fills_up_while_building_is_told() -> None:
    text = gocommand.explain("link: write /tmp/x: no space left on device", "tiny", Path("/log"))
    assert "the disk is full" in text
    assert "MiB free" in text


def test_a_long_build_shows_life(
    modules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = tmp_path / "enough"
    write_script(tmp_path / "bin/go", f"until [ -e {enough} ]; do sleep 0.05; done")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(gocommand, "LIFE_SIGN", 0.1)
    said: list[str] = []

    def progress(message: str) -> None:
        said.append(message)
        if said.count("still here") == 2:
            enough.touch()

    gocommand.run(
        ["build"],
        module=modules / "tiny",
        log=tmp_path / "log.log",
        progress=progress,
        state=lambda: "still here",
    )
    assert said.count("still here") >= 2


def test_settings_of_the_user_that_would_change_the_result_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod -tags=other")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GONOSUMDB", "corp.invalid/*")
    environment = gocommand.environment()
    assert environment["GOFLAGS"] == "-mod=readonly"
    assert "GOOS" not in environment
    assert environment["GONOSUMDB"].startswith("corp.invalid/*,github.com/pulumi/*")
