"""The bootstrap as the engine runs it: when, with which facts, and what it may store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.vault import bootstrap_provider as module
from components.vault.bootstrap import VaultBootstrap, VaultBootstrapArgs
from components.vault.bootstrap_provider import BootstrapProvider
from tests.unit.support.monitor import Deployment, deploy
from vaultops import bootstrap, deployer
from vaultops.bootstrap import BootstrapResult
from vaultops.errors import UnreachableError
from vaultops.options import BootstrapOptions
from vaultops.state import BootstrapState, Observation, Replica

RUN = "pulumi-python:dynamic/strongroom:VaultBootstrap"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
PROPS: dict[str, Any] = {
    "namespace": "secrets",
    "release": "vault",
    "address": "https://vault.example.com:8200",
    "replicas": 3.0,  # the engine's numbers are floats
    "seal": "awskms",
    "ca_pem": "fake CA",
    "ready": True,
    "custodian": {"type": "file", "path": "fake-init.json", "shares": 5.0, "threshold": 3.0},
    "token_file": "fake-token",
    "token_ttl": "1h",
    "kubeconfig": None,
    "context": "fake-context",
    "autopilot": {"min_quorum": 3.0, "cleanup_dead_servers": True},
}
FACTS = {
    "cluster_id": "fake-cluster",
    "completed_state": "deployer-credential",
    "audit_devices": ["stdout/", "file/"],
}


class World:
    """Stands in for everything outside: keeps what it was asked."""

    def __init__(self) -> None:
        self.state = BootstrapState.DEPLOYER_CREDENTIAL
        self.reachable = True
        self.targets: list[dict[str, Any]] = []
        self.custodians: list[dict[str, Any]] = []
        self.options: list[BootstrapOptions] = []
        self.logins: list[tuple[int, str, Path]] = []

    @contextmanager
    def target(self, **facts: Any) -> Iterator[World]:
        self.targets.append(facts)
        yield self

    def build(self, facts: dict[str, Any]) -> World:
        self.custodians.append(facts)
        return self

    def observe(self, target: World) -> Observation:
        if not self.reachable:
            raise UnreachableError("no answer", where="a test", why="it was asked to", fix="none")
        servers = [Replica(name=f"vault-{n}", answers=True, active=n == 2) for n in range(3)]
        return Observation(state=self.state, replicas=tuple(servers))

    def run(
        self, target: World, custodian: World, options: BootstrapOptions, tell: Any
    ) -> BootstrapResult:
        self.options.append(options)
        tell(BootstrapState.JOINED, "made progress")
        return BootstrapResult(
            cluster_id="fake-cluster",
            completed_state=self.state,
            audit_devices=("stdout/", "file/"),
            initialised=True,
        )

    def login(self, target: World, ordinal: int, role: Any, kubectl: Any, file: Path) -> None:
        self.logins.append((ordinal, role.ttl, file))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(module, "VaultTarget", made.target)
    monkeypatch.setattr(module, "build", made.build)
    monkeypatch.setattr(module, "observe", made.observe)
    monkeypatch.setattr(bootstrap, "run", made.run)
    monkeypatch.setattr(deployer, "login", made.login)
    return made


@pytest.fixture
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a preview asked the world")

    for name in ("VaultTarget", "Kubectl", "build", "observe", "request_jwt"):
        monkeypatch.setattr(module, name, refuse)


@pytest.mark.usefixtures("nothing_outside")
class TestDiff:
    """A preview calls `diff` alone, which compares and asks nobody."""

    def test_the_same_facts_are_no_change(self) -> None:
        diff = BootstrapProvider().diff("id", {**PROPS, **FACTS}, dict(PROPS))
        assert diff.changes is False
        assert not diff.replaces

    def test_numbers_of_another_kind_and_the_engines_own_keys_are_no_change(self) -> None:
        news = {
            **PROPS,
            "replicas": 3,
            "autopilot": {"min_quorum": 3, "cleanup_dead_servers": True, "__defaults": []},
        }
        assert BootstrapProvider().diff("id", {**PROPS, **FACTS}, news).changes is False

    def test_waiting_for_the_servers_is_no_fact(self) -> None:
        news = {**PROPS, "ready": False}
        assert BootstrapProvider().diff("id", {**PROPS, **FACTS}, news).changes is False

    @pytest.mark.parametrize("key", sorted(set(PROPS) - {"ready", "namespace", "release"}))
    def test_every_other_fact_is_an_update(self, key: str) -> None:
        news = {**PROPS, key: "something else"}
        diff = BootstrapProvider().diff("id", {**PROPS, **FACTS}, news)
        assert diff.changes is True
        assert not diff.replaces

    @pytest.mark.parametrize("key", ["namespace", "release"])
    def test_another_place_is_another_vault(self, key: str) -> None:
        news = {**PROPS, key: "elsewhere"}
        diff = BootstrapProvider().diff("id", {**PROPS, **FACTS}, news)
        assert diff.changes is True
        assert diff.replaces == [key]

    def test_delete_touches_neither_vault_nor_custody(self) -> None:
        BootstrapProvider().delete("fake-cluster", {**PROPS, **FACTS})


def test_create_and_update_run_the_same_bootstrap_and_keep_facts_only(world: World) -> None:
    created = BootstrapProvider().create(dict(PROPS))
    assert created.id == "fake-cluster"
    assert created.outs == {**PROPS, **FACTS}
    updated = BootstrapProvider().update("fake-cluster", {**PROPS, **FACTS}, dict(PROPS))
    assert updated.outs == created.outs
    assert len(world.options) == 2


def test_the_engines_numbers_become_whole_ones(world: World) -> None:
    BootstrapProvider().create(dict(PROPS))
    (options,) = world.options
    assert (options.shares, options.threshold, options.min_quorum) == (5, 3, 3)
    assert all(type(n) is int for n in (options.shares, options.threshold, options.min_quorum))
    assert world.targets[0]["replicas"] == 3
    assert type(world.targets[0]["replicas"]) is int
    assert world.custodians == [
        {"type": "file", "path": "fake-init.json", "shares": 5, "threshold": 3}
    ]


@pytest.mark.parametrize(("seal", "auto"), [("awskms", True), ("transit", True), ("shamir", False)])
def test_only_shamir_is_unsealed_by_shares(world: World, seal: str, auto: bool) -> None:
    BootstrapProvider().create({**PROPS, "seal": seal})
    assert world.options[0].auto_unseal is auto


def test_the_deployers_token_goes_to_its_file_and_not_into_the_state(world: World) -> None:
    outs = BootstrapProvider().create({**PROPS, "token_ttl": "30m"}).outs
    assert world.logins == [(2, "30m", Path("fake-token"))]
    assert outs is not None
    assert set(outs) == set(PROPS) | set(FACTS)


def test_progress_is_told_with_time_and_state(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    BootstrapProvider().create(dict(PROPS))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "vault [   0 s] joined: made progress\n"


@pytest.mark.parametrize(
    ("state", "reachable", "kept"),
    [
        (BootstrapState.CONFIGURED, True, "fake-cluster"),
        (BootstrapState.INITIALISED, True, "fake-cluster"),
        (BootstrapState.UNINITIALISED, True, ""),
        (BootstrapState.UNINITIALISED, False, "fake-cluster"),
    ],
    ids=["configured", "sealed", "emptied", "unreachable"],
)
def test_refresh_forgets_a_vault_only_when_it_is_empty(
    world: World, state: BootstrapState, reachable: bool, kept: str
) -> None:
    world.state, world.reachable = state, reachable
    assert BootstrapProvider().read("fake-cluster", {**PROPS, **FACTS}).id == kept


def run(preview: bool) -> Deployment:
    def program() -> None:
        started = VaultBootstrap(
            "bootstrap",
            VaultBootstrapArgs(
                namespace="secrets",
                address="https://vault.example.com:8200",
                replicas=3,
                seal="awskms",
                ca_pem="fake CA",
                ready=True,
                custodian={"type": "file", "path": "fake-init.json"},
                token_file="fake-token",
            ),
            pulumi.ResourceOptions(providers=[k8s.Provider("k8s")]),
        )
        pulumi.export("address", started.address)

    return deploy(program, preview=preview, outputs={RUN: FACTS})


@pytest.mark.usefixtures("nothing_outside")
@pytest.mark.parametrize("preview", [False, True])
def test_the_tree_is_as_pinned(preview: bool) -> None:
    deployed = run(preview)
    assert deployed.tree() == [
        "pulumi:providers:kubernetes k8s",
        "strongroom:vault:Bootstrap bootstrap",
        f"  {SERVICE_ACCOUNT} bootstrap-strongroom-deployer",
        f"  {SERVICE_ACCOUNT} bootstrap-strongroom-operator",
        f"  {RUN} bootstrap-run",
    ]


def test_the_address_is_unknown_until_there_is_a_vault() -> None:
    assert run(preview=True).exports == {}
    assert run(preview=False).exports == {"address": "https://vault.example.com:8200"}


def test_accounts_come_first_hold_no_token_and_are_of_the_explicit_provider() -> None:
    deployed = run(preview=False)
    accounts = deployed.of_type(SERVICE_ACCOUNT)
    assert {a.inputs["metadata"]["name"] for a in accounts} == {
        "strongroom-deployer",
        "strongroom-operator",
    }
    assert all(a.inputs["automountServiceAccountToken"] is False for a in accounts)
    assert {a.provider for a in accounts} == {"k8s"}
    started = deployed.one(RUN)
    assert started.depends_on >= {a.urn for a in accounts}
    assert started.request.customTimeouts.create == "30m"


def test_the_stored_provider_is_a_name_and_the_inputs_are_what_diff_compares() -> None:
    inputs = dict(run(preview=False).one(RUN).inputs)
    assert len(inputs.pop("__provider")) < 200
    assert set(inputs) <= set(PROPS)
