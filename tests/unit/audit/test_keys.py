"""Keys of entries: found again in any number of files, however they were merged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit import keys


def made(count: int, seed: int) -> keys.Keys:
    random = np.random.default_rng(seed)
    return sorted_(random.integers(0, 2**64, size=(2, count), dtype=np.uint64))


def sorted_(found: keys.Keys) -> keys.Keys:
    return found[:, np.argsort(found[0], kind="stable")]


def test_keys_are_found_in_whichever_file_they_are(tmp_path: Path) -> None:
    files = [tmp_path / f"{seed}.npy" for seed in range(3)]
    for seed, file in enumerate(files):
        np.save(file, made(1000, seed))
    asked = sorted_(
        np.concatenate([made(10, 9), made(1000, 1)[:, 500:], made(1000, 2)[:, :9]], axis=1)
    )
    new = keys.new(asked, files)
    assert asked[:, new].tolist() == made(10, 9).tolist()
    assert np.count_nonzero(~new) == 509


def test_the_first_of_equal_keys_is_new_and_no_other() -> None:
    asked = np.array([[1, 1, 2, 2, 2], [5, 5, 5, 5, 6]], dtype=np.uint64)
    assert keys.new(asked, []).tolist() == [True, False, True, False, True]


def test_half_a_key_is_not_the_key(tmp_path: Path) -> None:
    np.save(tmp_path / "file.npy", np.array([[1], [1]], dtype=np.uint64))
    asked = np.array([[1, 1, 2], [1, 2, 1]], dtype=np.uint64)
    assert keys.new(asked, [tmp_path / "file.npy"]).tolist() == [False, True, True]


@pytest.mark.parametrize(("one", "other"), [(1000, 1), (1, 1000), (700, 700)])
def test_a_merged_file_is_sorted_and_holds_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: int, other: int
) -> None:
    monkeypatch.setattr(keys, "_STEP", 64)
    np.save(tmp_path / "one.npy", made(one, 1))
    np.save(tmp_path / "other.npy", made(other, 2))
    merged = tmp_path / "merged.npy"
    keys.merge(tmp_path / "one.npy", tmp_path / "other.npy", merged)
    stored = np.load(merged)
    assert stored.shape == (2, one + other)
    assert (np.diff(stored[0].astype(object)) >= 0).all()
    both = sorted_(np.concatenate([made(one, 1), made(other, 2)], axis=1))
    assert not keys.new(both, [merged]).any()
    assert keys.new(made(50, 3), [merged]).all()
