"""One local Kubernetes node: brought up, repaired, asked, taken down.

Owns the order of things. How each part is configured, run or removed is in the modules beside it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.node import (
    api,
    cgroups,
    components,
    config,
    forwards,
    health,
    kernel,
    manifests,
    mounts,
    network,
    pki,
    preflight,
    runtime,
    teardown,
)
from local.node.errors import NodeError
from local.node.layout import API_PORT, NODE_IP, NODE_NAME, Layout
from local.node.processes import Spec, Supervisor, boot_id
from local.paths import REPOSITORY, Instance
from local.progress import Progress

API_FORWARD = "kube-apiserver"


@dataclass(frozen=True)
class NodeStatus:
    """What of a node exists and runs. `processes` maps a name to its pid, None when it is dead."""

    instance: str
    processes: Mapping[str, int | None]
    forwards: Mapping[str, forwards.Forward]
    ready: bool

    @property
    def exists(self) -> bool:
        """Whether anything of the node was ever started and not taken down."""
        return bool(self.processes)


@dataclass
class Node:
    """The node of one instance. `binaries` maps tool names to built programs (for `up`)."""

    instance: Instance
    binaries: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layout = Layout(self.instance)
        self.supervisor = Supervisor(self.layout.pids, self.instance.logs)

    @property
    def kubeconfig(self) -> Path:
        """Reaches the API server from the host, as cluster administrator; 0600."""
        return self.layout.kubeconfig

    @property
    def node_ip(self) -> str:
        """The node's address inside its namespace."""
        return NODE_IP

    def check_machine(self) -> None:
        """Raise NodeError where no node can be; building its programs takes most of an hour."""
        preflight.check_machine(self.layout)

    def up(self, progress: Progress) -> None:
        """Bring the node to Ready; whatever already runs is left as it is.

        Raises NodeError: a refusal before anything was touched, or a part that did not come up.
        """
        preflight.check(self.layout, self.binaries, progress)
        self._forget_last_boot()
        for folder in (self.instance.state_dir, self.layout.root, self.layout.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kernel.remember(self.layout.run.parent)
        config.write(self.layout.run / "boot", boot_id())
        config.write(self.layout.checkout_file, str(REPOSITORY))
        cgroups.create(self.layout.cgroup)
        network.create(self.layout)
        if pki.ensure(self.layout.pki):
            for name in self.supervisor.names():
                self.supervisor.stop(name)
        config.write_all(self.layout)
        self._start(components.keeper(self.layout), progress)
        port = self._api_port()
        server = f"https://{forwards.LOOPBACK}:{port}"
        admin = config.kubeconfig(self.layout, "admin", server, embed=True)
        config.write(self.kubeconfig, admin)
        etcd, api_server, *plane = components.control_plane(self.layout, self.binaries)
        self._start(etcd, progress)
        self._start(components.containerd(self.layout), progress)
        self._wait(
            "etcd to listen",
            [etcd.name],
            lambda: network.accepts(self.layout.netns_path, components.ETCD_PORT, "127.0.0.1"),
            120,
        )
        self._start(api_server, progress)
        self._wait("the API server to be ready", [etcd.name, api_server.name], self._api_ready, 120)
        progress("API server ready")
        self._apply()
        agents = components.node_agents(self.layout, self.binaries)
        for spec in [*plane, *agents, components.storage(self.layout)]:
            self._start(spec, progress)
        names = [etcd.name, api_server.name, "containerd", "storage"]
        names += [spec.name for spec in (*plane, *agents)]
        self._wait("the controllers to work", names, self._controllers_work, 60)
        self._wait(f"node {NODE_NAME} to be Ready", names, self._node_ready, 120)
        self._wait("the kubelet to know every pod's state", names, self._pods_known, 60)
        progress(f"node Ready, kubeconfig {self.kubeconfig}")

    def down(self, progress: Progress) -> None:
        """Remove everything of the node: processes, pods, mounts, namespace, cgroups, files."""
        preflight.require_root()
        teardown.remove(self.layout, progress)
        for log in self.instance.logs.glob("*.log"):
            log.unlink()
        for folder in (self.instance.logs, self.instance.state_dir):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        progress("node removed")

    def status(self) -> NodeStatus:
        """Look at the node; changes nothing."""
        names = self.supervisor.names()
        running = {name: self.supervisor.pid(name) for name in names}
        ready = running.get("kube-apiserver") is not None and self._node_ready()
        recorded = forwards.read(self.layout.forwards_file)
        return NodeStatus(self.instance.name, running, recorded, ready)

    def import_image(self, archive: Path) -> bool:
        """Import an image archive; False when this very archive had been imported before."""
        return runtime.import_archive(self.layout, archive)

    def run_service(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
        user: str | None = None,
    ) -> bool:
        """Run a long-lived program inside the node's network namespace; True when it was started.

        Left alone when it runs with the same arguments, restarted when they differ.
        """
        prefix = components.inside(self.layout)
        if user is not None:
            prefix += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return self.supervisor.ensure(Spec(name, list(argv), dict(env or {}), cwd, prefix))

    def stop_service(self, name: str) -> None:
        """End a program that `run_service` started; nothing happens when it does not run."""
        self.supervisor.stop(name)

    def forward(self, name: str, host_port: int, target_host: str, target_port: int) -> int:
        """Lead 127.0.0.1:`host_port` of the host to an address inside; 0 picks a free port.

        Returns the port. The same name again keeps its port when 0 is asked for. Raises NodeError
        when the port is taken.
        """
        with forwards.changing(self.layout.forwards_file) as recorded:
            old = recorded.get(name)
            port = host_port or (old.host_port if old else forwards.free_port())
            wanted = forwards.Forward(port, target_host, target_port)
            if old is None or old.host_port != port:
                preflight.require_free_port(port, f"forward {name}")
            recorded[name] = wanted
        self._wait(
            f"{forwards.LOOPBACK}:{port} to be opened for {name}",
            ["keeper"],
            lambda: preflight.port_owner(port) == self.supervisor.pid("keeper"),
            60,
        )
        return port

    def remove_forward(self, name: str) -> None:
        """Close a forward and forget it."""
        with forwards.changing(self.layout.forwards_file) as recorded:
            recorded.pop(name, None)

    def _api_port(self) -> int:
        return self.forward(API_FORWARD, 0, NODE_IP, API_PORT)

    def _recorded_port(self) -> int:
        recorded = forwards.read(self.layout.forwards_file).get(API_FORWARD)
        return recorded.host_port if recorded else 0

    def _forget_last_boot(self) -> None:
        """After a reboot nothing in the run folder is true; without its namespace nothing works."""
        stamp = self.layout.run / "boot"
        rebooted = stamp.exists() and stamp.read_text() != boot_id()
        if rebooted or not mounts.is_mounted(self.layout.netns_path):
            teardown.forget_run(self.layout)

    def _start(self, spec: Spec, progress: Progress) -> None:
        if self.supervisor.ensure(spec):
            progress(f"{spec.name} started")

    def _apply(self) -> None:
        done = self._kubectl("apply", "--server-side", "--force-conflicts", "-f", "-")
        if done.returncode != 0:
            raise NodeError(f"the node's own manifests were refused: {done.stderr.strip()}")

    def _kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kubectl = self.binaries.get("kubectl", Path("kubectl"))
        cache = self.layout.run / "kubectl-cache"
        return subprocess.run(
            [str(kubectl), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={cache}", *arguments],
            input=manifests.as_json(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _api_ready(self) -> bool:
        return api.get(self.layout, self._recorded_port(), "/readyz") == "ok"

    def _controllers_work(self) -> bool:
        """Pods are refused in a namespace until its default service account was made."""
        return api.get(self.layout, self._recorded_port(), health.DEFAULT_ACCOUNT) is not None

    def _node_ready(self) -> bool:
        """What the kubelet that runs now says; its predecessor's word is in the API as well."""
        started = self.supervisor.started("kubelet")
        node = api.get(self.layout, self._recorded_port(), health.NODE)
        return started is not None and node is not None and health.is_ready(node, started)

    def _pods_known(self) -> bool:
        """Whether no pod is called running by the word of a kubelet from before a crash."""
        port = self._recorded_port()
        recorded = api.get(self.layout, port, health.PODS)
        known = api.get(self.layout, port, health.PODS_OF_KUBELET)
        if recorded is None or known is None or health.unknown_pods(recorded, known):
            return False
        return health.reported_running(recorded) <= runtime.running_containers(self.layout)

    def _wait(
        self, what: str, parts: Sequence[str], done: Callable[[], bool], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            dead = [name for name in parts if self.supervisor.pid(name) is None]
            if dead or time.monotonic() > deadline:
                reason = f"{', '.join(dead)} ended" if dead else f"not within {seconds:.0f} s"
                tails = "\n".join(
                    f"--- {self.supervisor.log(name)}\n{self.supervisor.tail(name)}"
                    for name in dead or parts
                )
                raise NodeError(f"waited for {what}: {reason}\n{tails}")
            time.sleep(0.2)
