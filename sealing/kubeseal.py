"""Sealing and re-sealing with the real kubeseal.

Owns what is asked of it, and what it would do silently: take the namespace from whatever cluster is
current, and the scope from an annotation.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from sealing import files
from sealing.certificates import CONTROLLER, SealingCertificate
from sealing.files import Document
from sealing.programs import run
from vaultops.errors import DoubtError, VaultOpsError
from vaultops.kubectl import Kubectl

# kubeseal fills a missing namespace from the current context; with no kubeconfig it has none.
NO_CLUSTER = {"KUBECONFIG": "/dev/null"}


class Scope(StrEnum):
    """Where a sealed file may be opened. Only the first ties it to its name and namespace."""

    STRICT = "strict"
    NAMESPACE_WIDE = "namespace-wide"
    CLUSTER_WIDE = "cluster-wide"

    @property
    def annotation(self) -> str:
        """What marks the scope in a manifest."""
        return f"sealedsecrets.bitnami.com/{self}"


def seal(
    secrets: Iterable[Document], certificate: SealingCertificate, scope: Scope, *, source: str
) -> list[Document]:
    """The Secrets, sealed for the certificate. Raises VaultOpsError for what is no whole Secret."""
    listed = list(secrets)
    if not listed:
        raise VaultOpsError(
            "nothing to seal", where=source, why="it holds no Secret", fix="give a Secret"
        )
    for secret in listed:
        _check(secret, scope, source)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate.pem)
        file.flush()
        text = run(
            ["kubeseal", "--cert", file.name, "--format", "yaml", "--scope", str(scope)],
            files.dump(listed).encode(),
            environment=NO_CLUSTER,
        ).decode()
    sealed = files.load(text, source="kubeseal's answer")
    return [files.noted(_plain(document), certificate.fingerprint) for document in sealed]


def re_encrypt(document: Document, kubectl: Kubectl, certificate: SealingCertificate) -> Document:
    """`document` sealed anew by the controller, whose newest certificate is `certificate`.

    The values do not change and nobody here sees them. Everything else stays as it is written.
    """
    given = files.without_note(document)
    answer = json.loads(
        run(
            ["kubeseal", "--re-encrypt", "--format", "json", *_controller(kubectl)],
            json.dumps(given).encode(),
        )
    )
    values: dict[str, Any] = answer["spec"]["encryptedData"]
    before = document["spec"].get("encryptedData") or {}
    if set(values) != set(before):
        raise DoubtError(
            "the controller's answer has other keys than the file; the file was not changed",
            where=files.name_of(document),
            why=f"asked for {sorted(before)}, got {sorted(values)}",
            fix="seal the Secret anew with `strongroom seal seal`",
        )
    renewed = {**given, "spec": {**given["spec"], "encryptedData": values}}
    return files.noted(renewed, certificate.fingerprint)


def opens(document: Document, keys: bytes) -> bool:
    """Whether one of the private keys (a List of their Secrets, JSON) opens `document`.

    The keys go in by a pipe; what was sealed is thrown away unseen.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(files.without_note(document), file)
        file.flush()
        command = ["kubeseal", "--recovery-unseal", "--recovery-private-key", "/dev/stdin"]
        try:
            run([*command, "--secret-file", file.name], keys, environment=NO_CLUSTER)
        except VaultOpsError as error:
            if "no key could decrypt" in error.why:
                return False
            raise
    return True


def _check(secret: Document, scope: Scope, source: str) -> None:
    def refused(what: str, why: str, fix: str) -> VaultOpsError:
        return VaultOpsError(what, where=source, why=why, fix=fix)

    metadata = secret.get("metadata") or {}
    if secret.get("kind") != "Secret":
        raise refused(
            f"a {secret.get('kind')} where a Secret is expected",
            "kubeseal would leave its values in clear, or lose them",
            "give manifests of kind Secret, one a document",
        )
    if not metadata.get("name"):
        raise refused("a Secret without a name", "it could not be opened", "set metadata.name")
    if scope is not Scope.CLUSTER_WIDE and not metadata.get("namespace"):
        raise refused(
            f"Secret {metadata['name']} without a namespace",
            "it would be sealed for whatever namespace is current",
            "set metadata.namespace",
        )
    for wider in (Scope.NAMESPACE_WIDE, Scope.CLUSTER_WIDE):
        if wider is not scope and wider.annotation in (metadata.get("annotations") or {}):
            raise refused(
                f"Secret {metadata['name']} asks for the scope {wider} by annotation",
                f"--scope says {scope}; the annotation would win silently",
                f"remove the annotation, or say --scope {wider}",
            )


def _controller(kubectl: Kubectl) -> list[str]:
    own = ["--controller-namespace", kubectl.namespace, "--controller-name", CONTROLLER]
    if kubectl.kubeconfig:
        own += ["--kubeconfig", str(Path(kubectl.kubeconfig).expanduser())]
    if kubectl.context:
        own += ["--context", kubectl.context]
    return own


def _plain(document: Document) -> Document:
    """Without the empty fields that kubeseal writes: `creationTimestamp: null` and the like."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: cleaned(v) for k, v in value.items() if v is not None}
        return value

    result: Document = cleaned(document)
    return result
