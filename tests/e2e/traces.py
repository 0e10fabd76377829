"""What an environment could leave on the machine: taken before and after, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from local.node import cgroups
from local.node.layout import Layout
from local.paths import Instance


class Traces:
    """What a node could leave on the machine: each kind as a set of lines."""

    def __init__(self, found: Mapping[str, set[str]]) -> None:
        self.found = found

    @classmethod
    def now(cls) -> Traces:
        shared = ("/var/lib/cni/results", "/run/containerd/s", "/var/log/containers", "/run/netns")
        return cls(
            {
                "processes": set(_processes()),
                "mounts": set(Path("/proc/self/mounts").read_text().splitlines()),
                "interfaces": {path.name for path in Path("/sys/class/net").iterdir()},
                "cgroups": {
                    str(path) for root in cgroups.hierarchies() for path in root.glob("strongroom*")
                },
                "files": {
                    str(path)
                    for folder in (*shared, "/run/strongroom", str(Instance("x").state_dir.parent))
                    if Path(folder).is_dir()
                    for path in Path(folder).iterdir()
                },
                "kernel": {
                    f"{path} {path.read_text().strip()}"
                    for name in ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory")
                    if (path := Path("/proc/sys") / name)
                },
            }
        )

    def none_new(self, before: Traces, instance: Instance) -> None:
        """Fail when anything is there that was not, other nodes on this machine left aside."""
        alone = not any(cgroup for cgroup in before.found["cgroups"] | self.found["cgroups"])
        for kind, lines in self.found.items():
            new = lines - before.found[kind]
            if not alone or kind == "processes":
                new = {text for text in new if instance.name in text}
            assert not new, f"{kind} left behind: {sorted(new)}"
        assert not cgroups.processes(Layout(instance).cgroup)


def _processes() -> Iterator[str]:
    """Every process's command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        yield text.replace(b"\0", b" ").decode(errors="replace")
