from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.node import storage

UID = "00000000-0000-4000-8000-000000000001"
NAME = f"pvc-{UID}"


class FakeApi:
    """Claims and volumes in memory."""

    def __init__(self, claims: list[Any], volumes: list[Any] | None = None) -> None:
        self.claims, self.volumes = claims, volumes or []
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def list_persistent_volume_claim_for_all_namespaces(self, **arguments: Any) -> Any:
        return SimpleNamespace(items=self.claims)

    def list_persistent_volume(self, **arguments: Any) -> Any:
        return SimpleNamespace(items=self.volumes)

    def create_persistent_volume(self, body: Any) -> Any:
        self.created.append(body)

    def delete_persistent_volume(self, name: str) -> Any:
        self.deleted.append(name)


def claim(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "class_name": "local-path",
        "phase": "Pending",
        "node": "strongroom",
        "deleted": None,
        **changes,
    }
    return SimpleNamespace(
        metadata=SimpleNamespace(
            uid=UID,
            name="data",
            namespace="team",
            deletion_timestamp=values["deleted"],
            annotations={"volume.kubernetes.io/selected-node": values["node"]},
        ),
        spec=SimpleNamespace(
            storage_class_name=values["class_name"],
            access_modes=["ReadWriteOnce"],
            resources=SimpleNamespace(requests={"storage": "1Gi"}),
        ),
        status=SimpleNamespace(phase=values["phase"]),
    )


def volume(name: str = NAME, phase: str = "Released", **changes: Any) -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name=name,
            annotations={
                "pv.kubernetes.io/provisioned-by": changes.get("by", "strongroom.local/volumes")
            },
        ),
        spec=SimpleNamespace(
            persistent_volume_reclaim_policy=changes.get("policy", "Delete"),
        ),
        status=SimpleNamespace(phase=phase),
    )


def test_a_waiting_claim_gets_a_folder_that_any_user_may_write(tmp_path: Path) -> None:
    api = FakeApi([claim()])
    storage.reconcile(api, tmp_path)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o777
    (body,) = api.created
    assert body["spec"]["local"]["path"] == str(tmp_path / NAME)
    assert body["spec"]["claimRef"]["uid"] == UID
    assert body["spec"]["persistentVolumeReclaimPolicy"] == "Delete"


@pytest.mark.parametrize(
    "changes",
    [
        {"class_name": "other"},
        {"phase": "Bound"},
        {"node": "another"},
        {"deleted": "2024-01-01"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_claims_are_not_ours(tmp_path: Path, changes: dict[str, Any]) -> None:
    api = FakeApi([claim(**changes)])
    storage.reconcile(api, tmp_path)
    assert api.created == []
    assert list(tmp_path.iterdir()) == []


def test_a_released_volume_goes_with_its_files(tmp_path: Path) -> None:
    (tmp_path / NAME / "deep").mkdir(parents=True)
    (tmp_path / NAME / "deep" / "file").write_text("fake data")
    api = FakeApi([], [volume()])
    storage.reconcile(api, tmp_path)
    assert api.deleted == [NAME]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kept",
    [volume(phase="Bound"), volume(policy="Retain"), volume(by="someone.else/provisioner")],
    ids=["bound", "retained", "another's"],
)
def test_other_volumes_keep_their_files(tmp_path: Path, kept: Any) -> None:
    (tmp_path / NAME).mkdir()
    api = FakeApi([], [kept])
    storage.reconcile(api, tmp_path)
    assert api.deleted == []
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize("name", ["..", "pvc-..", f"{NAME}/../x", "data"])
def test_a_strange_name_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "volumes"
    folder.mkdir()
    (tmp_path / "precious").write_text("fake")
    api = FakeApi([], [volume(name=name)])
    assert "not a name" in storage.reconcile(api, folder)[0]
    assert api.deleted == []
    assert (tmp_path / "precious").exists()
