from __future__ import annotations

import shutil
import threading
from pathlib import Path

from local.node import cgroups

NAME = "fake-node"


def cgroup(folder: Path, *pids: int) -> Path:
    """A cgroup with processes, as the kernel shows it."""
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return folder


def test_the_processes_of_every_hierarchy_and_of_all_below(tmp_path: Path) -> None:
    for hierarchy, pids in (("cpu", (1, 2)), ("memory", (2, 3))):
        cgroup(tmp_path / hierarchy)
        cgroup(tmp_path / hierarchy / NAME, pids[0])
        cgroup(tmp_path / hierarchy / NAME / "pods" / "one", pids[1])
        cgroup(tmp_path / hierarchy / "foreign", 4)
    assert cgroups.processes(NAME, tmp_path) == {1, 2, 3}


def test_pods_that_end_meanwhile_are_no_failure(tmp_path: Path) -> None:
    top = cgroup(tmp_path / "cpu" / NAME, 1)
    cgroup(top / "system", 2)
    (tmp_path / "cpu" / "cgroup.procs").touch()
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            shutil.rmtree(cgroup(top / "pods" / "one", 3).parent)

    pods = threading.Thread(target=come_and_go)
    pods.start()
    try:
        seen = [cgroups.processes(NAME, tmp_path) for _ in range(2000)]
    finally:
        ended.set()
        pods.join()
    assert all({1, 2} <= found <= {1, 2, 3} for found in seen)
