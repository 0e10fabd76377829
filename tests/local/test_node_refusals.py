from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.__main__ import app
from local.environment import Environment
from local.node import cgroups, packages, preflight
from local.node.errors import NodeError
from local.node.layout import Layout
from local.paths import REPOSITORY, Instance
from local.progress import Clock
from local.services.host import ServiceError

FULL = "Name:\tpython\nCapEff:\t000001ffffffffff\n"


def test_a_user_who_is_not_root_hears_of_the_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NodeError, match=r"uid 1000.*sudo.*kind.*kubeconfig"):
        preflight.require_root()


def test_a_missing_capability_is_named() -> None:
    preflight.require_capabilities(FULL)
    without = f"CapEff:\t{0x1FFFFFFFFFF & ~(1 << 21) & ~(1 << 12):016x}\n"
    with pytest.raises(NodeError, match="lacks CAP_NET_ADMIN, CAP_SYS_ADMIN") as caught:
        preflight.require_capabilities(without)
    assert without.strip() in str(caught.value).replace("\\t", "\t")


def test_the_one_capability_that_is_not_needed_may_be_missing() -> None:
    preflight.require_capabilities(f"CapEff:\t{0x1FFFFFFFFFF & ~(1 << 24):016x}\n")


def test_the_failing_probe_is_shown() -> None:
    with pytest.raises(NodeError, match=r"`ls /nowhere-at-all` says .*No such file"):
        preflight.require_namespaces(["ls", "/nowhere-at-all"])


@pytest.mark.e2e
@pytest.mark.parametrize("module", ["local", "local.node"])
def test_a_machine_that_can_hold_no_node_is_refused_before_anything_is_built(
    module: str, tmp_path: Path
) -> None:
    """Without a cache the tools take most of an hour."""
    cache = tmp_path / "cache"
    program = (
        "import os, runpy, sys; os.geteuid = lambda: 1000; "
        f"sys.argv = ['{module}', 'up', '--instance', 'nobody']; "
        f"runpy.run_module('{module}', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "STRONGROOM_CACHE": str(cache), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the node needs root and this is uid 1000" in done.stderr
    assert "Traceback" not in done.stderr
    assert not cache.exists()


@pytest.mark.e2e
@pytest.mark.parametrize("command", ["status", "down"])
def test_looking_and_taking_down_need_no_tools(command: str, tmp_path: Path) -> None:
    """The cache may be gone, or of another version of the tools."""
    cache = tmp_path / "cache"
    done = subprocess.run(
        [sys.executable, "-m", "local", command, "--instance", "nobody"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "STRONGROOM_CACHE": str(cache),
            "XDG_STATE_HOME": str(tmp_path),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert ("nothing runs" if command == "status" else "node removed") in done.stdout
    assert not cache.exists()


def test_a_service_that_does_not_start_is_one_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ServiceError("fake: initdb failed")

    monkeypatch.setattr(Environment, "up", fails)
    monkeypatch.setattr(sys, "argv", ["local", "up", "--instance", "nobody"])
    with pytest.raises(SystemExit) as ended:
        app()
    assert ended.value.code == 1
    assert "error: fake: initdb failed" in capsys.readouterr().err


@pytest.mark.e2e
def test_a_wrong_name_of_an_environment_is_one_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "status", "--instance", "Not_This"],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "use lower-case letters" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    preflight.require_overlay("nodev\tproc\nnodev\toverlay\n")
    monkeypatch.setattr(preflight, "_loads", lambda _: False)
    with pytest.raises(NodeError, match="no overlayfs"):
        preflight.require_overlay("nodev\tproc\n\text4\n")


def test_a_full_disk_is_told_in_figures(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"GiB free, the node needs 1048576\.0.*XDG_STATE_HOME"):
        preflight.require_space(tmp_path / "not" / "there" / "yet", minimum=1024**5)


def test_every_missing_program_is_named() -> None:
    with pytest.raises(NodeError, match=r"kube-apiserver.*kubelet.*coredns"):
        preflight.require_tools({})


def test_no_cgroups(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="no cgroup hierarchy"):
        preflight.require_cgroups(tmp_path)


def layout_of(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    layout = Layout(Instance("shared"))
    layout.checkout_file.parent.mkdir(parents=True)
    layout.checkout_file.write_text(str(checkout))
    return layout


def test_a_node_of_another_checkout_is_left_alone_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layout_of(tmp_path, tmp_path, monkeypatch)
    monkeypatch.setattr(cgroups, "processes", lambda _: {1})
    with pytest.raises(NodeError, match=f"runs from the checkout {tmp_path}"):
        preflight.require_own_checkout(layout, Path("/elsewhere"))
    preflight.require_own_checkout(layout, tmp_path)
    monkeypatch.setattr(cgroups, "processes", lambda _: set())
    preflight.require_own_checkout(layout, Path("/elsewhere"))


def test_missing_packages_are_named_and_nothing_is_done_without_apt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = packages.missing(search=str(tmp_path), root=tmp_path)
    assert {"containerd", "containernetworking-plugins", "postgresql", "runc"} <= set(wanted)
    monkeypatch.setattr(packages, "missing", lambda: wanted)
    monkeypatch.setattr(packages, "_SEARCH", str(tmp_path))
    with pytest.raises(NodeError, match=r"busybox-static, conntrack.*no apt-get"):
        packages.ensure(Clock())


@pytest.mark.parametrize("before", [None, "left", "#!/bin/sh\n# the administrator's\nexit 104\n"])
def test_the_order_to_start_no_service_ends_with_the_installation(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that a killed installation left; the administrator's own stays."""
    policy, seen = tmp_path / "policy-rc.d", tmp_path / "seen"
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\n/bin/cat {policy} > {seen}\n")
    apt.chmod(0o755)
    if before:
        policy.write_text(packages.START_NOTHING if before == "left" else before)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packages, "missing", lambda: ["fake"])
    monkeypatch.setattr(packages, "_SEARCH", str(tmp_path))
    monkeypatch.setattr(packages, "_POLICY", policy)
    monkeypatch.setattr(packages, "_NO_CLUSTER", tmp_path / "etc" / "createcluster.d" / "a.conf")
    packages.ensure(Clock())
    own = before not in (None, "left")
    assert seen.read_text() == (before if own else packages.START_NOTHING)
    assert policy.exists() is own
