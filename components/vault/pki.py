"""The PKI engine: a root that signs one intermediate, and the intermediate's narrow roles.

Owns both mounts, both authorities and the roles. Both private keys are made inside Vault and cannot
leave it. The intermediate's certificate itself permits only the roles' domains, so that neither a
wrong role nor a stolen signing right makes a certificate for anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import DAY, refuse

YEAR = 365 * DAY
# Below these live Services of every namespace: their subdomains are other people's names.
_SHARED = frozenset({"cluster.local", "svc.cluster.local", "svc"})


@dataclass(frozen=True, kw_only=True)
class PkiRole:
    """Certificates for `allowed_domains`, and with `subdomains` for what is below them.

    They serve and present themselves as clients (mTLS) for `ttl`, at most `max_ttl` seconds.
    """

    name: str
    allowed_domains: Sequence[str]
    subdomains: bool = False
    ttl: int = DAY
    max_ttl: int = 3 * DAY

    def __post_init__(self) -> None:
        inputs.exact(
            f"role {self.name} allowed_domains",
            self.allowed_domains,
            example="model.ml-serving.svc.cluster.local",
        )
        inputs.lifetime(f"role {self.name} ttl, max_ttl", self.ttl, self.max_ttl, limit=90 * DAY)
        for domain in self.allowed_domains:
            label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
            if not re.fullmatch(rf"{label}(\.{label})+", domain) or domain in _SHARED:
                raise refuse(
                    f"role {self.name} allowed_domains",
                    domain,
                    "is no domain of one owner; its certificates could stand for other services",
                    "Name one, for example ml-serving.svc.cluster.local",
                )


@dataclass(frozen=True, kw_only=True)
class PkiEngineArgs:
    """`address` is Vault's, from which clients fetch CA and CRL; lives are in seconds."""

    common_name: str
    address: str
    roles: Sequence[PkiRole]
    root_ttl: int = 10 * YEAR
    intermediate_ttl: int = 3 * YEAR
    root_path: str = "pki"
    intermediate_path: str = "pki-int"
    protect: bool = False

    def __post_init__(self) -> None:
        inputs.mount_path("root_path", self.root_path)
        inputs.mount_path("intermediate_path", self.intermediate_path)
        inputs.https("address", self.address)
        if not self.roles:
            raise refuse("roles", [], "leave an authority that signs for nobody", "Name a role")
        inputs.role_names("roles", [role.name for role in self.roles])
        if self.intermediate_ttl >= self.root_ttl:
            raise refuse(
                "intermediate_ttl",
                self.intermediate_ttl,
                f"is not less than the root's {self.root_ttl}; it would be cut to it, silently",
                "Make it about a third",
            )

    @property
    def domains(self) -> list[str]:
        """Every domain of every role: what the intermediate may sign."""
        return sorted({domain for role in self.roles for domain in role.allowed_domains})


class PkiEngine(pulumi.ComponentResource):
    """Produces two mounts, root and intermediate, their housekeeping, and the roles."""

    path: pulumi.Output[str]
    """The intermediate's mount, at which certificates are asked for."""
    ca_pem: pulumi.Output[str]
    """The root's certificate, which clients shall trust; public."""

    def __init__(
        self, name: str, args: PkiEngineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:PkiEngine", name, {}, opts)
        root_mount = self._mount(f"{name}-root", args.root_path, args.root_ttl, args)
        mount = self._mount(f"{name}-int", args.intermediate_path, args.intermediate_ttl, args)
        root = vault.pkisecret.SecretBackendRootCert(
            f"{name}-root-ca",
            backend=root_mount.path,
            type="internal",
            common_name=f"{args.common_name} Root",
            issuer_name="root",
            key_type="ec",
            key_bits=384,
            max_path_length=1,
            ttl=str(args.root_ttl),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, deleted_with=root_mount),
        )
        below = pulumi.ResourceOptions(parent=self, deleted_with=mount)
        request = vault.pkisecret.SecretBackendIntermediateCertRequest(
            f"{name}-int-request",
            backend=mount.path,
            type="internal",
            common_name=f"{args.common_name} Intermediate",
            key_type="ec",
            key_bits=256,
            opts=below,
        )
        signed = vault.pkisecret.SecretBackendRootSignIntermediate(
            f"{name}-int-signed",
            backend=root_mount.path,
            issuer_ref=root.issuer_id,
            csr=request.csr,
            common_name=f"{args.common_name} Intermediate",
            max_path_length=0,
            permitted_dns_domains=args.domains,
            ttl=str(args.intermediate_ttl),
            opts=pulumi.ResourceOptions(parent=self, deleted_with=root_mount),
        )
        imported = vault.pkisecret.SecretBackendIntermediateSetSigned(
            f"{name}-int-ca", backend=mount.path, certificate=signed.certificate, opts=below
        )
        issuers = vault.pkisecret.SecretBackendConfigIssuers(
            f"{name}-int-issuers",
            backend=mount.path,
            default=imported.imported_issuers.apply(lambda issuers: issuers[0]),
            opts=below,
        )
        for role in args.roles:
            self._role(f"{name}-role-{role.name}", role, mount, issuers)
        self.path = mount.path
        self.ca_pem = root.certificate
        self.register_outputs({"path": self.path, "ca_pem": self.ca_pem})

    def _mount(self, name: str, path: str, longest: int, args: PkiEngineArgs) -> vault.Mount:
        mount = vault.Mount(
            f"{name}-mount",
            path=path,
            type="pki",
            description="Certificates, made on request",
            max_lease_ttl_seconds=longest,
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, delete_before_replace=True
            ),
        )
        below = pulumi.ResourceOptions(parent=self, deleted_with=mount)
        vault.pkisecret.SecretBackendConfigUrls(
            f"{name}-urls",
            backend=mount.path,
            issuing_certificates=[f"{args.address}/v1/{path}/ca"],
            crl_distribution_points=[f"{args.address}/v1/{path}/crl"],
            opts=below,
        )
        vault.pkisecret.SecretBackendCrlConfig(
            f"{name}-crl",
            backend=mount.path,
            expiry="72h",
            auto_rebuild=True,  # else it runs out while nobody revokes anything
            auto_rebuild_grace_period="12h",
            opts=below,
        )
        vault.pkisecret.BackendConfigAutoTidy(
            f"{name}-tidy",
            backend=mount.path,
            enabled=True,
            tidy_cert_store=True,
            tidy_revoked_certs=True,
            opts=below,
        )
        return mount

    def _role(
        self, name: str, role: PkiRole, mount: vault.Mount, issuers: pulumi.Resource
    ) -> vault.pkisecret.SecretBackendRole:
        return vault.pkisecret.SecretBackendRole(
            name,
            backend=mount.path,
            name=role.name,
            allowed_domains=list(role.allowed_domains),
            allow_bare_domains=True,
            allow_subdomains=role.subdomains,
            allow_any_name=False,
            allow_glob_domains=False,
            allow_wildcard_certificates=False,
            allow_localhost=False,
            allow_ip_sans=False,
            enforce_hostnames=True,
            server_flag=True,
            client_flag=True,
            key_type="ec",
            key_bits=256,
            ttl=str(role.ttl),
            max_ttl=str(role.max_ttl),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[issuers], deleted_with=mount, delete_before_replace=True
            ),
        )
