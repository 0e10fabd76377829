"""The node itself on a real kernel: pods, names, volumes, crashes, interrupts, and no traces."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local import images, toolchain
from local.images.catalogue import busybox, pause
from local.node import Node, cgroups
from local.node.components import REQUIRED_TOOLS
from local.paths import REPOSITORY, Instance, cache_dir
from local.progress import Clock
from tests.e2e.instances import keep_logs
from tests.e2e.traces import Traces
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Cluster:
    """A node of this test run with the two small images on it."""

    def __init__(self, binaries: Mapping[str, Path]) -> None:
        self.node = Node(Instance(f"test-{secrets.token_hex(3)}"), binaries)
        self.binaries = binaries

    def up(self) -> None:
        self.node.up(Clock())
        for image in (pause(), busybox()):
            self.node.import_image(images.build(image, cache_dir() / "images"))

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [
                str(self.binaries["kubectl"]),
                f"--kubeconfig={self.node.kubeconfig}",
                f"--cache-dir={self.node.instance.run_dir / 'kubectl-cache'}",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout + ("" if check else done.stderr)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def create_namespace(self, name: str) -> None:
        """With restricted pods only; waits for its service account, which pods need."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": name, "labels": labels}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        account = ("get", "serviceaccount", "-n", name, "-o", "name")
        wait_until("the default service account", lambda: "default" in self.kubectl(*account))

    def ready(self, namespace: str, *pods: str) -> None:
        names = [f"pod/{pod}" for pod in pods]
        self.kubectl("wait", "-n", namespace, "--for=condition=Ready", "--timeout=90s", *names)


def pod(namespace: str, name: str, script: str, claim: str | None = None) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "main",
        "image": "strongroom.local/busybox:1",
        "command": ["sh", "-c", script],
        "securityContext": RESTRICTED,
    }
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 0}
    if claim is not None:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="session")
def binaries() -> Mapping[str, Path]:
    return toolchain.ensure(list(REQUIRED_TOOLS))


@pytest.fixture(scope="module")
def cluster(binaries: Mapping[str, Path], request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made = Cluster(binaries)
    failed_before = request.session.testsfailed
    try:
        made.up()
        made.create_namespace("trial")
        yield made
    except BaseException:
        keep_logs(made.node.instance)
        raise
    finally:
        if request.session.testsfailed > failed_before:
            keep_logs(made.node.instance)
        made.node.down(Clock())


def test_a_restricted_pod_runs_prints_and_answers(cluster: Cluster) -> None:
    cluster.apply(pod("trial", "first", "echo it runs; exec sleep 3600"))
    cluster.ready("trial", "first")
    assert cluster.kubectl("logs", "-n", "trial", "first") == "it runs\n"
    assert "uid=1000" in cluster.kubectl("exec", "-n", "trial", "first", "--", "id")


def test_a_pod_that_runs_as_root_is_refused(cluster: Cluster) -> None:
    rooted = pod("trial", "rooted", "sleep 1")
    rooted["spec"]["containers"][0]["securityContext"] = {}
    said = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(rooted), check=False)
    assert 'violates PodSecurity "restricted' in said


def test_names_services_and_loops_to_oneself(cluster: Cluster) -> None:
    served = {"port": 80, "targetPort": 8080, "nodePort": 30080}
    cluster.apply(
        pod("trial", "web", "echo served > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"),
        pod("trial", "client", "exec sleep 3600"),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "trial"},
            "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [served]},
        },
    )
    cluster.ready("trial", "web", "client")

    def inside(who: str, *command: str) -> str:
        return cluster.kubectl("exec", "-n", "trial", who, "--", *command, check=False)

    name = "web.trial.svc.cluster.local"
    wait_until("the Service to answer", lambda: "served" in inside("client", "wget", "-qO-", name))
    assert inside("web", "wget", "-qO-", f"http://{name}") == "served\n"
    assert "10.96.0.1" in inside("client", "nslookup", "kubernetes.default.svc.cluster.local")
    assert "NXDOMAIN" in inside("client", "nslookup", "nothing.example.com")
    port = cluster.node.forward("web", 0, cluster.node.node_ip, 30080)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"served\n"
    connection.close()


def test_a_token_for_an_audience_is_accepted_for_that_audience_alone(cluster: Cluster) -> None:
    token = cluster.kubectl("create", "token", "default", "-n", "trial", "--audience=fake-audience")

    def review(audience: str) -> Any:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token.strip(), "audiences": [audience]},
        }
        created = ("create", "-o", "json", "-f", "-")
        return json.loads(cluster.kubectl(*created, stdin=json.dumps(body)))["status"]

    assert review("fake-audience")["user"]["username"] == "system:serviceaccount:trial:default"
    assert not review("another").get("authenticated", False)


def test_a_volume_outlives_its_pod_and_goes_with_its_claim(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "trial"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    write = "echo kept > /data/file; exec sleep 3600"
    cluster.apply(claim, pod("trial", "writer", write, claim="data"))
    cluster.ready("trial", "writer")
    cluster.kubectl("delete", "pod", "-n", "trial", "writer", "--wait")
    cluster.apply(pod("trial", "reader", "exec sleep 3600", claim="data"))
    cluster.ready("trial", "reader")
    read = ("exec", "-n", "trial", "reader", "--", "cat", "/data/file")
    assert cluster.kubectl(*read) == "kept\n"
    volumes = cluster.node.layout.volumes
    assert len(list(volumes.iterdir())) == 1
    cluster.kubectl("delete", "pod/reader", "pvc/data", "-n", "trial", "--wait")
    wait_until("the volume's files to be removed", lambda: not list(volumes.iterdir()))
    wait_until("the volume to be gone", lambda: not cluster.kubectl("get", "pv", "-o", "name"))


def test_after_a_crash_up_repairs_what_died_and_pods_go_on(cluster: Cluster) -> None:
    cluster.apply(pod("trial", "survivor", "exec sleep 3600"))
    cluster.ready("trial", "survivor")
    restarts = ("get", "pod", "-n", "trial", "survivor", "-o")
    path = "jsonpath={.metadata.uid} {.status.containerStatuses[0].restartCount}"
    before = cluster.kubectl(*restarts, path)
    for name in ("kube-apiserver", "containerd", "kubelet"):
        pid = cluster.node.supervisor.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    wait_until("the crash to be seen", lambda: not cluster.node.status().ready)
    cluster.up()
    assert cluster.node.status().ready
    assert cluster.kubectl(*restarts, path) == before
    assert "uid=1000" in cluster.kubectl("exec", "-n", "trial", "survivor", "--", "id")


def test_after_a_reboot_up_brings_the_same_cluster_back(cluster: Cluster) -> None:
    cluster.apply(pod("trial", "rebooted", "exec sleep 3600"))
    cluster.ready("trial", "rebooted")
    port = cluster.node.forward("web", 0, cluster.node.node_ip, 30080)
    layout = cluster.node.layout
    cgroups.kill(layout.cgroup)
    (layout.run / "boot").write_text("an earlier boot")
    cluster.up()
    cluster.ready("trial", "rebooted")
    assert "uid=1000" in cluster.kubectl("exec", "-n", "trial", "rebooted", "--", "id")
    assert cluster.node.forward("web", 0, cluster.node.node_ip, 30080) == port


def test_a_second_node_runs_beside_the_first(
    cluster: Cluster, binaries: Mapping[str, Path]
) -> None:
    before = Traces.now()
    second = Cluster(binaries)
    try:
        second.up()
        second.create_namespace("trial")
        second.apply(pod("trial", "only-here", "exec sleep 3600"))
        second.ready("trial", "only-here")
        assert "only-here" not in cluster.kubectl("get", "pods", "-A")
        assert second.node.kubeconfig != cluster.node.kubeconfig
    finally:
        second.node.down(Clock())
    assert cluster.node.status().ready
    Traces.now().none_new(before, second.node.instance)


@pytest.mark.parametrize("line", ["keeper", "etcd", "kube-apiserver", "API server", "kubelet"])
def test_an_interrupted_up_goes_on_and_down_leaves_nothing(
    binaries: Mapping[str, Path], line: str
) -> None:
    before = Traces.now()
    node = Node(Instance(f"test-{secrets.token_hex(3)}"), binaries)
    try:
        interrupted_at(line, node)
        node.up(Clock())
        assert all(node.status().processes.values())
        assert len(node.status().processes) == 10
    finally:
        node.down(Clock())
    Traces.now().none_new(before, node.instance)


def interrupted_at(line: str, node: Node) -> None:
    """Run `up` in a process of its own and interrupt it as a terminal does after that line."""
    program = (
        "import json,sys; from pathlib import Path; from local.node import Node; "
        "from local.paths import Instance; from local.progress import Clock; "
        "Node(Instance(sys.argv[1]), {n: Path(p) for n, p in json.loads(sys.argv[2]).items()})"
        ".up(Clock())"
    )
    paths = json.dumps({name: str(path) for name, path in node.binaries.items()})
    with subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-c",
            program,
            node.instance.name,
            paths,
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        for said in child.stdout:
            if line in said:
                os.killpg(child.pid, signal.SIGINT)
                break
        child.stdout.read()
    assert child.returncode != 0, "up ended before it could be interrupted"
