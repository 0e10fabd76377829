from __future__ import annotations

import base64
import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.node import components, config, manifests, pki
from local.node.layout import Layout
from local.paths import Instance

TOOLS = {name: Path("/fake") / name for name in components.REQUIRED_TOOLS}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = Layout(Instance("render"))
    pki.ensure(made.pki)
    config.write_all(made)
    return made


def every_path(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for item in value.values() for path in every_path(item)]
    if isinstance(value, list):
        return [path for item in value for path in every_path(item)]
    return [value] if isinstance(value, str) and value.startswith("/") else []


def test_containerd_keeps_everything_in_the_instance(layout: Layout) -> None:
    rendered = tomllib.loads(config.containerd(layout))
    outside = [
        path
        for path in every_path(rendered)
        if not Path(path).is_relative_to(layout.root) and not Path(path).is_relative_to(layout.run)
    ]
    assert outside == ["/usr/lib/cni"]
    cri = rendered["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "strongroom.local/pause:1"
    assert cri["restrict_oom_score_adj"] is True
    assert cri["netns_mounts_under_state_dir"] is True


def test_the_kubelet_runs_on_either_cgroup_version_below_the_node_s_own(layout: Layout) -> None:
    rendered = yaml.safe_load(config.kubelet(layout))
    assert rendered["cgroupRoot"] == "/strongroom-render"
    assert rendered["failCgroupV1"] is False
    assert rendered["authentication"]["anonymous"] == {"enabled": False}
    assert rendered["authorization"] == {"mode": "Webhook"}
    assert rendered["imageGCHighThresholdPercent"] == 100


def test_pod_addresses_are_handed_out_in_the_instance(layout: Layout) -> None:
    plugins = json.loads(config.cni(layout))["plugins"]
    assert [plugin["type"] for plugin in plugins] == ["ptp", "portmap"]
    assert Path(plugins[0]["ipam"]["dataDir"]).is_relative_to(layout.run)


def test_two_instances_share_no_name(layout: Layout) -> None:
    other = Layout(Instance("render2"))
    for attribute in ("root", "run", "cgroup", "cni_network", "netns_path", "kubeconfig"):
        assert getattr(layout, attribute) != getattr(other, attribute)


def test_the_kubeconfig_for_people_carries_its_own_material(layout: Layout) -> None:
    text = config.kubeconfig(layout, "admin", "https://127.0.0.1:20001", embed=True)
    rendered = yaml.safe_load(text)
    cluster = rendered["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:20001"
    authority = base64.b64decode(cluster["certificate-authority-data"])
    assert authority == (layout.pki / "ca.crt").read_bytes()
    assert rendered["current-context"] == "strongroom-render"
    assert str(layout.root) not in text


def test_every_file_is_private(layout: Layout) -> None:
    files = [path for path in layout.config.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_no_key_is_in_an_argument_of_any_process(layout: Layout) -> None:
    secret = (layout.pki / "encryption.key").read_text()
    specs = [
        *components.control_plane(layout, TOOLS),
        *components.node_agents(layout, TOOLS),
        components.containerd(layout),
        components.keeper(layout),
        components.storage(layout),
    ]
    for spec in specs:
        text = " ".join([*spec.argv, *spec.prefix, *spec.env.values()])
        assert secret not in text
        assert "PRIVATE KEY" not in text


def test_secrets_are_encrypted_at_rest_before_anything_is_read_in_clear(layout: Layout) -> None:
    rules = yaml.safe_load(config.encryption(layout))["resources"][0]
    assert rules["resources"] == ["secrets"]
    assert list(rules["providers"][0]) == ["secretbox"]


def test_there_is_one_default_class_that_waits_for_its_pod_and_deletes() -> None:
    classes = [m for m in manifests.all_manifests() if m["kind"] == "StorageClass"]
    assert len(classes) == 1
    assert classes[0]["metadata"]["name"] == "local-path"
    assert classes[0]["volumeBindingMode"] == "WaitForFirstConsumer"
    assert classes[0]["reclaimPolicy"] == "Delete"


def test_no_part_of_the_node_may_read_secrets() -> None:
    roles = [m for m in manifests.all_manifests() if m["kind"] == "ClusterRole"]
    assert roles
    for role in roles:
        for rule in role["rules"]:
            assert not {"*", "secrets"} & set(rule["resources"])
            assert "*" not in rule["verbs"]


def test_the_audit_log_is_bounded_and_goes_with_the_instance(layout: Layout) -> None:
    api_server = components.control_plane(layout, TOOLS)[1]
    flags = dict(arg.split("=", 1) for arg in api_server.argv if arg.startswith("--audit-"))
    assert Path(flags["--audit-log-path"]).is_relative_to(layout.root)
    files = 1 + int(flags["--audit-log-maxbackup"])
    assert 0 < files * int(flags["--audit-log-maxsize"]) <= 50  # megabytes
    policy = Path(flags["--audit-policy-file"])
    # Another policy starts the API server anew, as it reads the file but once.
    assert policy.read_text() == api_server.config


def test_no_body_is_logged_and_what_a_reviewer_asks_for_is(layout: Layout) -> None:
    policy = yaml.safe_load((layout.config / "audit-policy.yaml").read_text())
    logged = [rule for rule in policy["rules"] if rule["level"] != "None"]
    assert {rule["level"] for rule in logged} == {"Metadata"}
    core, rbac = logged[-1]["resources"]
    assert {"secrets", "serviceaccounts/token", "pods/exec"} <= set(core["resources"])
    assert (core["group"], rbac) == ("", {"group": "rbac.authorization.k8s.io"})
    left_out = [rule for rule in policy["rules"] if rule["level"] == "None"]
    assert all(rule.get("verbs") == ["watch"] or rule.get("users") for rule in left_out)
