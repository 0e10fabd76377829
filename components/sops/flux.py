"""Encrypted files in Git, decrypted and applied in the cluster by Flux.

Owns the Kustomization. Flux itself and its GitRepository exist already. The key is a Secret with an
age identity, or Flux's own cloud identity where the files are encrypted by a key service; neither
passes through here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.vault import inputs

API_VERSION = "kustomize.toolkit.fluxcd.io/v1"


@dataclass(frozen=True, kw_only=True)
class EncryptedFilesArgs:
    """The files below `folder` of the GitRepository `source`, applied every `interval_seconds`.

    With `age_secret` Flux decrypts with that Secret's age identity, without one as its own cloud
    identity. `service_account` limits what the files can do to that account's rights; without it
    they are applied with Flux's own. `prune` removes what is removed in Git.
    """

    kustomization: str
    namespace: pulumi.Input[str]
    source: str
    folder: str
    age_secret: str | None = None
    service_account: str | None = None
    interval_seconds: int = 600
    prune: bool = True

    def __post_init__(self) -> None:
        if self.folder.startswith("/") or ".." in self.folder.split("/"):
            raise inputs.refuse(
                "folder",
                self.folder,
                "is not within the repository; Flux would apply nothing, or something else",
                "Write it relative to the repository, for example secrets/production",
            )
        if self.interval_seconds < 60:
            raise inputs.refuse(
                "interval_seconds",
                self.interval_seconds,
                "asks the repository and the key service more than once a minute",
                "Use 600",
            )


class EncryptedFiles(pulumi.ComponentResource):
    """Produces the Kustomization with its decryption."""

    def __init__(
        self, name: str, args: EncryptedFilesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:sops:EncryptedFiles", name, {}, opts)
        key = {"secretRef": {"name": args.age_secret}} if args.age_secret else {}
        account = {"serviceAccountName": args.service_account} if args.service_account else {}
        k8s.apiextensions.CustomResource(
            f"{name}-kustomization",
            api_version=API_VERSION,
            kind="Kustomization",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.kustomization,
                namespace=args.namespace,
                labels=standard_labels("encrypted-files"),
            ),
            spec={
                "interval": f"{args.interval_seconds}s",
                "sourceRef": {"kind": "GitRepository", "name": args.source},
                "path": f"./{args.folder}",
                "prune": args.prune,
                "decryption": {"provider": "sops", **key},
                **account,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
