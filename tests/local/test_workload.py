"""What the environment's own Job does when the cluster does not do its part."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes import client

from local.node import NodeError
from local.progress import Clock
from local.workload import Cluster


def test_a_job_of_before_that_stays_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "api", lambda _: client.ApiClient())
    for call in ("delete_namespaced_job", "read_namespaced_job"):
        monkeypatch.setattr(client.BatchV1Api, call, lambda *_, **__: None)
    cluster = Cluster(
        kubeconfig=tmp_path / "none", vault_address="https://127.0.0.1:1", vault_ca=tmp_path / "ca"
    )
    job = {"metadata": {"name": "fake", "namespace": "ml"}}
    with pytest.raises(NodeError, match="job ml/fake of an earlier run is not gone after 0 s"):
        cluster.run_job(job, Clock(), deadline=0.3)
