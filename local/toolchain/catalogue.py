"""The one table of tools: what each is built from, and which installed program may take its place.

Owns names, versions and the linker's flags. Does nothing. The exact module revisions are in the
go.mod files under `go/`, one folder a module, each with its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed_package

from local.paths import REPOSITORY

GO_MODULES = REPOSITORY / "local" / "toolchain" / "go"

KUBERNETES_VERSION = "1.34.3"
VAULT_VERSION = "1.21.0"
PULUMI_VERSION = "3.259.0"


@dataclass(frozen=True)
class Build:
    """One `go build`: a folder under `go/` and what comes out of it.

    `packages` maps a binary to its main package; `files` maps a script to the Go module and the
    path in that module from which it is copied. `cold_seconds` was measured on two cores with an
    empty build cache; `size_mib` is what the results take.
    """

    name: str
    version: str
    packages: Mapping[str, str]
    ldflags: str = ""
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    cold_seconds: int = 60
    size_mib: int = 100


@dataclass(frozen=True)
class Launcher:
    """A Python module of this repository that serves as a provider plugin.

    `package` is the Pulumi SDK whose resources it imitates.
    """

    name: str
    version: str
    module: str


@dataclass(frozen=True)
class OnPath:
    """An installed program may be used when `arguments` make it print `minimum` or newer."""

    arguments: tuple[str, ...]
    minimum: str


@dataclass(frozen=True)
class BesidePulumi:
    """The file that the official Pulumi release ships beside its CLI, when that CLI is used."""


@dataclass(frozen=True)
class InPluginCache:
    """The official provider plugin in `~/.pulumi/plugins`, at exactly the SDK's version."""

    plugin: str
    version: str


@dataclass(frozen=True)
class Tool:
    """A tool by the name of its binary; `official` is None where versions must match ours."""

    name: str
    source: Build | Launcher
    official: OnPath | BesidePulumi | InPluginCache | None = None


def _main_version(path: str, version: str) -> str:
    return f"-X {path}={version}"


_KUBERNETES_NAMES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

PULUMI = Build(
    name="pulumi",
    version=PULUMI_VERSION,
    packages={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    ldflags=_main_version(
        "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", f"v{PULUMI_VERSION}"
    ),
    cold_seconds=191,
    size_mib=110,
)
LANGUAGE_HOST = Build(
    name="pulumi-language-python",
    version=PULUMI_VERSION,
    packages={"pulumi-language-python": "."},
    files={
        "pulumi-language-python-exec": (
            "github.com/pulumi/pulumi/sdk/v3",
            "python/cmd/pulumi-language-python-exec",
        ),
        "pulumi-resource-pulumi-python": (
            "github.com/pulumi/pulumi/sdk/v3",
            "python/dist/pulumi-resource-pulumi-python",
        ),
    },
    size_mib=60,
)
KUBERNETES_PLUGIN = Build(
    name="pulumi-kubernetes",
    version=installed_package("pulumi-kubernetes"),
    packages={"pulumi-resource-kubernetes": "."},
    ldflags=_main_version("main.version", installed_package("pulumi-kubernetes")),
    cold_seconds=311,
    size_mib=154,
)
VAULT_PLUGIN = Build(
    name="pulumi-vault",
    version=installed_package("pulumi-vault"),
    packages={"pulumi-resource-vault": "."},
    ldflags=_main_version("main.version", installed_package("pulumi-vault")),
    cold_seconds=120,
    size_mib=150,
)
KUBERNETES = Build(
    name="kubernetes",
    version=KUBERNETES_VERSION,
    packages={name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES_NAMES},
    ldflags=" ".join(
        (
            f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES_VERSION}",
            "-X k8s.io/component-base/version.gitMajor=1",
            "-X k8s.io/component-base/version.gitMinor=34",
            "-X k8s.io/component-base/version.gitTreeState=clean",
            f"-X k8s.io/client-go/pkg/version.gitVersion=v{KUBERNETES_VERSION}",
        )
    ),
    cold_seconds=237,
    size_mib=463,
)
COREDNS = Build(
    name="coredns",
    version="1.13.1",
    packages={"coredns": "github.com/coredns/coredns"},
    cold_seconds=48,
    size_mib=73,
)
VAULT = Build(
    name="vault",
    version=VAULT_VERSION,
    packages={"vault": "github.com/hashicorp/vault"},
    ldflags=" ".join(
        (
            f"-X github.com/hashicorp/vault/version.Version={VAULT_VERSION}",
            f"-X github.com/hashicorp/vault/version.fullVersion={VAULT_VERSION}",
        )
    ),
    cold_seconds=386,
    size_mib=344,
)
VAULT_INJECTOR = Build(
    name="vault-k8s",
    version="1.6.2",
    packages={"vault-k8s": "github.com/hashicorp/vault-k8s"},
    ldflags=_main_version("github.com/hashicorp/vault-k8s/version.Version", "1.6.2"),
    cold_seconds=51,
    size_mib=48,
)
EXTERNAL_SECRETS = Build(
    name="external-secrets",
    version="0.20.4",
    packages={"external-secrets": "github.com/external-secrets/external-secrets"},
    cold_seconds=169,
    size_mib=184,
)
SEALED_SECRETS = Build(
    name="sealed-secrets",
    version="0.36.6",
    packages={
        "sealed-secrets-controller": "github.com/bitnami-labs/sealed-secrets/cmd/controller",
        "kubeseal": "github.com/bitnami-labs/sealed-secrets/cmd/kubeseal",
    },
    ldflags=_main_version("main.VERSION", "v0.36.6"),
    cold_seconds=50,
    size_mib=83,
)
SOPS = Build(
    name="sops",
    version="3.11.0",
    packages={"sops": "github.com/getsops/sops/v3/cmd/sops"},
    cold_seconds=26,
    size_mib=45,
)
AGE = Build(
    name="age",
    version="1.2.1",
    packages={"age": "filippo.io/age/cmd/age", "age-keygen": "filippo.io/age/cmd/age-keygen"},
    ldflags=_main_version("main.Version", "v1.2.1"),
    cold_seconds=10,
    size_mib=7,
)
GITLEAKS = Build(
    name="gitleaks",
    version="8.30.1",
    packages={"gitleaks": "github.com/zricethezav/gitleaks/v8"},
    ldflags=_main_version("github.com/zricethezav/gitleaks/v8/version.Version", "8.30.1"),
    cold_seconds=37,
    size_mib=30,
)
TRUFFLEHOG = Build(
    name="trufflehog",
    version="3.90.0",
    packages={"trufflehog": "github.com/trufflesecurity/trufflehog/v3"},
    ldflags=_main_version(
        "github.com/trufflesecurity/trufflehog/v3/pkg/version.BuildVersion", "3.90.0"
    ),
    cold_seconds=341,
    size_mib=117,
)
ACTIONLINT = Build(
    name="actionlint",
    version="1.7.7",
    packages={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    ldflags=_main_version("github.com/rhysd/actionlint.version", "1.7.7"),
    cold_seconds=13,
    size_mib=10,
)
OPENTOFU = Build(
    name="opentofu",
    version="1.10.6",
    packages={"tofu": "github.com/opentofu/opentofu/cmd/tofu"},
    ldflags=_main_version("github.com/opentofu/opentofu/version.dev", "no"),
    cold_seconds=180,
    size_mib=87,
)
TERRAFORM_PROVIDER_VAULT = Build(
    name="terraform-provider-vault",
    version="1.9.1-0.20260422134934-5e9fcd457a99",
    packages={"terraform-provider-vault": "github.com/hashicorp/terraform-provider-vault"},
    cold_seconds=110,
    size_mib=46,
)

PULUMI_ON_PATH = OnPath(("version",), PULUMI_VERSION)


def _stand_in(plugin: str) -> Tool:
    version = installed_package(f"pulumi-{plugin}")
    name = f"pulumi-resource-{plugin}"
    return Tool(
        name, Launcher(name, version, f"local.plugins.{plugin}"), InPluginCache(plugin, version)
    )


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("pulumi", PULUMI, PULUMI_ON_PATH),
        Tool("pulumi-language-python", LANGUAGE_HOST, BesidePulumi()),
        Tool("pulumi-language-python-exec", LANGUAGE_HOST, BesidePulumi()),
        Tool("pulumi-resource-pulumi-python", LANGUAGE_HOST, BesidePulumi()),
        Tool(
            "pulumi-resource-kubernetes",
            KUBERNETES_PLUGIN,
            InPluginCache("kubernetes", KUBERNETES_PLUGIN.version),
        ),
        Tool("pulumi-resource-vault", VAULT_PLUGIN, InPluginCache("vault", VAULT_PLUGIN.version)),
        _stand_in("random"),
        _stand_in("aws"),
        *(Tool(name, KUBERNETES) for name in _KUBERNETES_NAMES),
        Tool("coredns", COREDNS),
        Tool("vault", VAULT),
        Tool("vault-k8s", VAULT_INJECTOR),
        Tool("external-secrets", EXTERNAL_SECRETS),
        Tool("sealed-secrets-controller", SEALED_SECRETS),
        Tool("kubeseal", SEALED_SECRETS),
        Tool("sops", SOPS, OnPath(("--version", "--disable-version-check"), SOPS.version)),
        Tool("age", AGE, OnPath(("--version",), AGE.version)),
        Tool("age-keygen", AGE, OnPath(("--version",), AGE.version)),
        Tool("gitleaks", GITLEAKS, OnPath(("version",), GITLEAKS.version)),
        Tool("trufflehog", TRUFFLEHOG, OnPath(("--version",), TRUFFLEHOG.version)),
        Tool("actionlint", ACTIONLINT, OnPath(("-version",), ACTIONLINT.version)),
    )
}

# What the local environment is measured against. No default list of tools holds these: they are
# built when a benchmark asks for them by name.
BENCHMARK_TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("tofu", OPENTOFU, OnPath(("version",), OPENTOFU.version)),
        Tool("terraform-provider-vault", TERRAFORM_PROVIDER_VAULT),
    )
}
