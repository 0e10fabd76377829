"""When a pod counts as moved: by evidence of its own, never by time. A fake kubectl answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rotation.consumers import ANNOTATION, Cluster, Consumer, Reload, Session, moved
from rotation.steps import Facts, Pending, Run
from vaultops.errors import UnreachableError
from vaultops.kubectl import Kubectl

RUN = Run(id="run-1", since=1_800_000_000, now=1_800_000_060, facts={})
ENDPOINT = Consumer(
    namespace="ml-training",
    workload="deployment/app",
    reload=Reload.FILE,
    endpoint="8080/credential",
)
SESSIONS = Consumer(namespace="ml-training", workload="deployment/app", reload=Reload.SIGNAL)
ROLLOUT = Consumer(
    namespace="ml-training",
    workload="deployment/app",
    reload=Reload.ROLLOUT,
    external_secret="app-credentials",
)


def pod(
    name: str, ip: str = "", run: str = "", *, ready: bool = True, phase: str = "Running"
) -> Any:
    return {
        "metadata": {"name": name, "annotations": {ANNOTATION: run} if run else {}},
        "status": {
            "phase": phase,
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """Answers from `pods`, `said` (what each pod says of itself) and `refreshed`."""

    pods: tuple[Any, ...] = ()
    replicas: int = 1
    said: Mapping[str, str] = field(default_factory=dict)
    refreshed: str | None = None
    patches: list[Any] = field(default_factory=list)

    def run(self, *arguments: str, seconds: float = 30) -> str:
        line = " ".join(arguments)
        if line.startswith("patch deployment/app"):
            self.patches.append(json.loads(arguments[3].removeprefix("--patch=")))
            return ""
        if line.startswith("get deployment/app"):
            selector = {"matchLabels": {"app": "app"}}
            return json.dumps({"spec": {"replicas": self.replicas, "selector": selector}})
        if line.startswith("get pods --selector=app=app"):
            return json.dumps({"items": self.pods})
        if line.startswith("get externalsecrets"):
            return json.dumps({"status": {"refreshTime": self.refreshed}})
        assert line.startswith("get --raw /api/v1/namespaces/ml-training/pods/")
        name = line.split("/")[6].partition(":")[0]
        if name not in self.said:
            raise UnreachableError("no answer", where="", why="", fix="")
        return self.said[name]


def asked(consumer: Consumer, kubectl: FakeKubectl, **more: Any) -> Facts | Pending:
    return moved(RUN, [consumer], Cluster(kubectl=lambda _: kubectl), new="app_clone", **more)


def fake(*pods: Any, **more: Any) -> FakeKubectl:
    return FakeKubectl("ml-training", pods=pods, **{"replicas": len(pods), **more})


def why(found: Facts | Pending) -> str:
    assert isinstance(found, Pending), found
    return found.why


def test_every_pod_must_say_that_it_uses_the_new_credential() -> None:
    both = (pod("a"), pod("b"))
    said = {"a": "app_clone", "b": '{"credential": "app_clone"}'}
    assert asked(ENDPOINT, fake(*both, said=said)) == {"pods-moved": "2"}
    assert "pod b says that it uses app" in why(
        asked(ENDPOINT, fake(*both, said=said | {"b": "app"}))
    )
    assert "pod b does not answer" in why(asked(ENDPOINT, fake(*both, said={"a": "app_clone"})))
    assert "uses None" in why(asked(ENDPOINT, fake(*both, said=said | {"a": "{}"})))


def test_pods_that_are_missing_may_come_back_with_the_old_credential() -> None:
    found = asked(ENDPOINT, fake(pod("a"), replicas=2, said={"a": "app_clone"}))
    assert "pods are missing" in why(found)
    assert asked(ENDPOINT, fake(replicas=0)) == {"pods-moved": "0"}


def test_pods_that_have_ended_are_asked_nothing() -> None:
    pods = (pod("a"), pod("b", phase="Succeeded"))
    assert asked(ENDPOINT, fake(*pods, replicas=1, said={"a": "app_clone"})) == {"pods-moved": "1"}


def test_the_database_shows_who_moved_where_pods_say_nothing() -> None:
    kubectl = fake(pod("a", "10.0.0.1"), pod("b", "10.0.0.2"))
    new = [Session(user="app_clone", address=f"10.0.0.{n}") for n in (1, 2)]
    old = Session(user="app", address="10.0.0.2")
    assert asked(SESSIONS, kubectl, old=["app"], sessions=lambda: new) == {"pods-moved": "2"}
    assert "(10.0.0.2) has no session as app_clone yet" in why(
        asked(SESSIONS, kubectl, old=["app"], sessions=lambda: [new[0], old])
    )
    assert "1 sessions of app are open, from 10.0.0.2" in why(
        asked(SESSIONS, kubectl, old=["app"], sessions=lambda: [*new, old])
    )


def test_sessions_of_the_old_user_hold_it_even_without_consumers() -> None:
    found = moved(
        RUN,
        [],
        Cluster(kubectl=lambda _: fake()),
        new="app_clone",
        old=["app"],
        sessions=lambda: [Session(user="app", address="")],
    )
    assert "from unknown" in why(found)


@pytest.mark.parametrize("refreshed", [None, "2027-01-15T07:59:59Z", "2027-01-15T08:00:00Z"])
def test_a_rollout_waits_until_the_secret_was_copied(refreshed: str | None) -> None:
    kubectl = fake(pod("a"), refreshed=refreshed)  # published at 08:00:00
    assert "was not refreshed since 2027-01-15T08:00:00" in why(asked(ROLLOUT, kubectl))
    assert kubectl.patches == []


def test_a_rollout_is_over_when_every_pod_is_of_the_new_template_and_ready() -> None:
    copied = "2027-01-15T08:00:01Z"
    kubectl = fake(pod("a", run="run-1"), pod("b", run="run-0"), refreshed=copied)
    assert "pod b is from before the rollout" in why(asked(ROLLOUT, kubectl))
    patched = kubectl.patches[0]["spec"]["template"]["metadata"]["annotations"]
    assert patched == {ANNOTATION: "run-1"}
    starting = fake(pod("a", run="run-1", ready=False), refreshed=copied)
    assert "pod a is not ready" in why(asked(ROLLOUT, starting))
    assert asked(ROLLOUT, fake(pod("a", run="run-1"), refreshed=copied)) == {"pods-moved": "1"}
