"""What is scanned in each mode, and what is said about what is not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanning.config import Config
from scanning.errors import ScanError
from scanning.model import Scanner, Sighting
from scanning.scan import sightings
from scanning.snapshot import Mode, Obstacle, Snapshot, taken
from tests.unit.scanning.repository import Repository

ALL = Config()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "project"
    root.mkdir()
    return Repository(root)


def names(snapshot: Snapshot) -> list[str]:
    return sorted(source.path for source in snapshot.sources)


def texts(snapshot: Snapshot) -> list[tuple[str, str, bool]]:
    return [(one.path, one.text(), one.commit is not None) for one in snapshot.sources]


def test_the_tree_is_what_git_tracks_or_would(repository: Repository) -> None:
    repository.write(a__txt="a", gone__txt="g", __gitignore="ignored.txt\n", ignored__txt="i")
    repository.commit()
    repository.write(new__txt="n")
    (repository.root / "gone.txt").unlink()
    (repository.root / "link.txt").symlink_to("a.txt")
    with taken(repository.root, Mode.TREE, ALL) as snapshot:
        assert names(snapshot) == [".gitignore", "a.txt", "new.txt"]


def test_staged_is_the_index_and_not_the_work_tree(repository: Repository) -> None:
    repository.write(a__txt="old", b__txt="kept")
    repository.commit()
    repository.write(a__txt="staged")
    repository.git("add", "a.txt")
    repository.write(a__txt="later")
    with taken(repository.root, Mode.STAGED, ALL) as snapshot:
        assert texts(snapshot) == [("a.txt", "staged", False)]


def test_staged_works_before_the_first_commit(repository: Repository) -> None:
    repository.write(a__txt="first")
    repository.git("add", "a.txt")
    with taken(repository.root, Mode.STAGED, ALL) as snapshot:
        assert names(snapshot) == ["a.txt"]


def test_the_history_is_every_version_once_with_its_first_commit(repository: Repository) -> None:
    repository.write(a__txt="one")
    first = repository.commit()
    repository.write(a__txt="two")
    repository.commit()
    repository.write(a__txt="one")
    repository.commit()
    repository.git("switch", "--quiet", "--create", "side")
    repository.write(side__txt="s")
    repository.commit()
    repository.git("switch", "--quiet", "main")
    repository.write(b__txt="not committed")
    with taken(repository.root, Mode.HISTORY, ALL) as snapshot:
        assert texts(snapshot) == [
            ("a.txt", "one", True),
            ("a.txt", "two", True),
            ("side.txt", "s", True),
            ("b.txt", "not committed", False),
        ]
        assert snapshot.sources[0].commit == first


def test_what_a_merge_itself_brought_in_is_history(repository: Repository) -> None:
    repository.write(a__txt="base")
    repository.commit()
    repository.git("switch", "--quiet", "--create", "side")
    repository.write(b__txt="b")
    repository.commit()
    repository.git("switch", "--quiet", "main")
    repository.write(c__txt="c")
    repository.commit()
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.write(a__txt="slipped in")
    repository.commit()
    repository.write(a__txt="base")
    repository.commit()
    with taken(repository.root, Mode.HISTORY, ALL) as snapshot:
        assert "slipped in" in [source.text() for source in snapshot.sources]


def test_since_leaves_older_commits_out(repository: Repository) -> None:
    repository.write(old__txt="old")
    repository.commit()
    repository.git("tag", "base")
    repository.write(new__txt="new")
    repository.commit()
    with taken(repository.root, Mode.HISTORY, ALL, since="base") as snapshot:
        assert [one for one in texts(snapshot) if one[2]] == [("new.txt", "new", True)]


def test_an_unknown_revision_and_a_shallow_clone_are_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit()
    repository.commit()
    with (
        pytest.raises(ScanError, match="git does not answer"),
        taken(repository.root, Mode.HISTORY, ALL, since="nothing"),
    ):
        pass
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(clone))
    with (
        pytest.raises(ScanError, match="fetch-depth: 0"),
        taken(clone, Mode.HISTORY, ALL),
    ):
        pass


def test_paths_are_scanned_whether_git_ignores_them_or_not(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write(__gitignore="*.log\n", a__log="in")
    outside = tmp_path / "outside.log"
    outside.write_text("out")
    with taken(repository.root, Mode.PATHS, ALL, paths=[repository.root, outside]) as snapshot:
        assert set(names(snapshot)) == {str(outside), ".gitignore", "a.log"}


def test_a_path_that_leads_upwards_stays_within_the_snapshot(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "up.txt").write_text("u")
    way = repository.root / ".." / "up.txt"
    with taken(repository.root, Mode.PATHS, ALL, paths=[way]) as snapshot:
        (source,) = snapshot.sources
        assert source.copy.is_relative_to(snapshot.folder)
        assert ".." not in source.copy.parts


def test_a_path_in_a_tree_that_leads_upwards_stays_within_the_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "snapshot"
    folder.mkdir(parents=True)
    snapshot = Snapshot(folder=folder, mode=Mode.HISTORY)
    snapshot.add("../../../escaped.txt", b"fake", "c0ffee")
    (source,) = snapshot.sources
    assert source.copy == folder / "0" / "escaped.txt"
    assert source.path == "../../../escaped.txt"
    assert source.text() == "fake"


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to("a.txt")
    with taken(tmp_path, Mode.PATHS, ALL, paths=[tmp_path / "link.txt"]) as snapshot:
        assert texts(snapshot) == [("a.txt", "a", False)]


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.txt").write_text("a")
    listed = os.scandir

    def refuse(path: str | Path | int) -> object:
        if isinstance(path, str | Path) and Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with taken(tmp_path, Mode.PATHS, ALL, paths=[tmp_path, tmp_path / "closed"]) as snapshot:
        assert names(snapshot) == ["a.txt"]
        (folder,) = snapshot.unscanned
        assert (folder.path, folder.in_order) == (str(tmp_path / "closed"), False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_text_as_powershell_writes_it_is_no_binary(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "a.txt").write_bytes(f"{mark}fake = 'ä'\n".encode(encoding))
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00\xd8")
    with taken(tmp_path, Mode.PATHS, ALL, paths=[tmp_path]) as snapshot:
        assert texts(snapshot) == [("a.txt", "fake = 'ä'\n", False)]
        assert [one.obstacle for one in snapshot.unscanned] == [Obstacle.BINARY]


def test_a_name_of_a_blank_is_a_name_in_every_mode(repository: Repository) -> None:
    (repository.root / " ").write_text("fake")
    (repository.root / "\n").write_text("more")
    with taken(repository.root, Mode.TREE, ALL) as snapshot:
        assert names(snapshot) == ["\n", " "]
    repository.git("add", "--all")
    with taken(repository.root, Mode.STAGED, ALL) as snapshot:
        assert names(snapshot) == ["\n", " "]
    commit = repository.commit()
    with taken(repository.root, Mode.HISTORY, ALL) as snapshot:
        assert {(one.path, one.commit) for one in snapshot.sources} == {
            ("\n", commit),
            (" ", commit),
        }


def test_a_git_that_takes_too_long_is_an_error(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanning.git._DEADLINE", 0.0)
    with (
        pytest.raises(ScanError, match="git does not answer"),
        taken(repository.root, Mode.TREE, ALL),
    ):
        pass


def test_a_folder_that_is_a_file_by_now_is_no_obstacle(repository: Repository) -> None:
    (repository.root / "a").mkdir()
    (repository.root / "a" / "b.txt").write_text("b")
    repository.commit()
    (repository.root / "a" / "b.txt").unlink()
    (repository.root / "a").rmdir()
    repository.write(a="a")
    with taken(repository.root, Mode.TREE, ALL) as snapshot:
        assert names(snapshot) == ["a"]
        assert snapshot.unscanned == []


@pytest.mark.parametrize(("name", "what"), [("absent", "no such file"), ("empty", "nothing to")])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "empty").mkdir()
    with (
        pytest.raises(ScanError, match=what),
        taken(tmp_path, Mode.PATHS, ALL, paths=[tmp_path / name]),
    ):
        pass


def test_what_cannot_be_judged_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "huge").write_bytes(b"a" * (2**20 + 1))
    (tmp_path / "closed").write_text("c")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "open").write_text("")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    config = Config.model_validate({"maxMegabytes": 1})
    with taken(tmp_path, Mode.PATHS, config, paths=[tmp_path]) as snapshot:
        assert names(snapshot) == ["open"]
        assert {one.path: (one.obstacle, one.in_order) for one in snapshot.unscanned} == {
            "binary": (Obstacle.BINARY, True),
            "huge": (Obstacle.TOO_LARGE, False),
            "closed": (Obstacle.UNREADABLE, False),
            "pipe": (Obstacle.UNREADABLE, False),
        }


def test_a_huge_version_in_the_history_is_named(repository: Repository) -> None:
    repository.write(a__txt="a" * (2**20 + 1), b__txt="b")
    repository.commit()
    with taken(
        repository.root, Mode.HISTORY, Config.model_validate({"maxMegabytes": 1})
    ) as snapshot:
        assert names(snapshot) == ["b.txt"]
        assert [one.path for one in snapshot.unscanned] == ["a.txt"]


def test_what_the_configuration_excludes_is_not_there(repository: Repository) -> None:
    (repository.root / "deep").mkdir()
    repository.write(a__sum="x", b__txt="b")
    (repository.root / "deep" / "c.sum").write_text("x")
    config = Config.model_validate(
        {"exclude": [{"path": "**/*.sum", "reason": "checksums, for the test"}]}
    )
    with taken(repository.root, Mode.TREE, config) as snapshot:
        assert names(snapshot) == ["b.txt"]


def test_nothing_is_left_and_nobody_else_could_read_it(repository: Repository) -> None:
    repository.write(a__txt="a")
    with taken(repository.root, Mode.TREE, ALL) as snapshot:
        assert snapshot.folder.stat().st_mode & 0o777 == 0o700
    assert not snapshot.folder.exists()


def test_a_name_that_is_no_text_is_kept(repository: Repository) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (repository.root / name).write_text("x")
    repository.commit()
    with taken(repository.root, Mode.HISTORY, ALL) as snapshot:
        assert names(snapshot) == [name]


def test_what_stops_one_scanner_leaves_the_others_nothing_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("a")
    begun, ended = threading.Event(), []

    def interrupted(_: Path) -> list[Sighting]:
        assert begun.wait(20)
        raise KeyboardInterrupt

    def slow(snapshot: Snapshot) -> Iterator[Sighting]:
        begun.set()
        deadline = time.monotonic() + 20
        while snapshot.folder.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        ended.append(snapshot.folder.exists())
        yield from ()

    monkeypatch.setattr("scanning.scan.gitleaks.sightings", interrupted)
    monkeypatch.setattr("scanning.scan.ours.sightings", slow)
    with (
        pytest.raises(KeyboardInterrupt),
        taken(tmp_path, Mode.PATHS, ALL, paths=[tmp_path]) as snapshot,
    ):
        sightings(snapshot, (Scanner.GITLEAKS, Scanner.STRONGROOM))
    assert ended == [False]
