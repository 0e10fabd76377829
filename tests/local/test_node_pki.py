from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.node import pki


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("node") / "pki"
    assert pki.ensure(made)
    return made


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def test_the_api_server_is_known_by_loopback_node_service_and_names(folder: Path) -> None:
    names = (
        certificate(folder, "apiserver")
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.77.0.2", "10.96.0.1"}
    assert {"localhost", "kubernetes", "kubernetes.default.svc.cluster.local"} <= set(
        names.get_values_for_type(x509.DNSName)
    )


@pytest.mark.parametrize("leaf", pki.LEAVES, ids=lambda leaf: leaf.name)
def test_every_leaf_is_signed_by_its_authority_and_is_none_itself(
    folder: Path, leaf: pki.Leaf
) -> None:
    cert = certificate(folder, leaf.name)
    cert.verify_directly_issued_by(certificate(folder, leaf.authority))
    assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usages = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (ExtendedKeyUsageOID.SERVER_AUTH in usages) == bool(leaf.addresses)


def test_the_kubelet_is_a_node_and_only_the_administrator_a_master(folder: Path) -> None:
    def groups(name: str) -> list[object]:
        found = certificate(folder, name).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return [attribute.value for attribute in found]

    assert groups("kubelet") == ["system:nodes"]
    masters = [leaf.name for leaf in pki.LEAVES if "system:masters" in groups(leaf.name)]
    assert masters == ["admin"]


def test_nobody_else_reads_what_is_in_the_folder(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert not list(folder.glob("*.partial"))


def test_a_second_call_makes_nothing_new(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert not pki.ensure(folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lost_key_is_replaced_with_its_certificate_and_nothing_else(tmp_path: Path) -> None:
    pki.ensure(tmp_path)
    ca, old = (tmp_path / "ca.crt").read_bytes(), certificate(tmp_path, "scheduler")
    (tmp_path / "scheduler.key").unlink()
    assert pki.ensure(tmp_path)
    assert certificate(tmp_path, "scheduler").serial_number != old.serial_number
    assert (tmp_path / "ca.crt").read_bytes() == ca


def test_a_lost_authority_takes_its_leaves_along(tmp_path: Path) -> None:
    pki.ensure(tmp_path)
    admin = (tmp_path / "admin.crt").read_bytes()
    (tmp_path / "front-proxy-ca.crt").unlink()
    assert pki.ensure(tmp_path)
    certificate(tmp_path, "front-proxy").verify_directly_issued_by(
        certificate(tmp_path, "front-proxy-ca")
    )
    assert (tmp_path / "admin.crt").read_bytes() == admin


def test_what_ends_within_the_month_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pki, "VALIDITY", datetime.timedelta(days=20))
    pki.ensure(tmp_path)
    ending = certificate(tmp_path, "admin")
    monkeypatch.setattr(pki, "VALIDITY", datetime.timedelta(days=365))
    assert pki.ensure(tmp_path)
    renewed = certificate(tmp_path, "admin")
    assert renewed.not_valid_after_utc > ending.not_valid_after_utc
    assert isinstance(renewed.public_key(), ec.EllipticCurvePublicKey)
