"""`Settings`: every section of a stack's configuration as one frozen, checked value.

Owns parsing: the environment's defaults, the shape of each section, the rules between sections,
and that all mistakes come out together. Reads no file and knows nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from access.grant import Grant
from settings import environments
from settings.auth import Auth
from settings.base import Section, setting
from settings.cloud import Aws, Cloud, Gcp
from settings.cloud_secrets import CloudSecrets
from settings.engines import Engines
from settings.environments import Environment
from settings.errors import SettingsError
from settings.external_secrets import ExternalSecrets
from settings.identities import Identities
from settings.kubernetes import NAMESPACES, Kubernetes, Namespace, Network, ServiceAccount
from settings.rotation import Rotation
from settings.rules import broken_rules
from settings.sealed_secrets import SealedSecrets
from settings.shape import credentials_in, problems_of, repaired
from settings.sops import Sops
from settings.types import Flag
from settings.vault import Vault


class Settings(Section):
    """The whole configuration of one stack."""

    environment: Environment = setting(
        why="sizes, protection and the strictness of every check follow from it", write="prod"
    )
    protect: Flag = setting(
        why="a protected resource cannot be deleted by a deployment", write="true"
    )
    cloud: Cloud = setting(
        Cloud.NONE, why="keys, custody and rotating secrets come from there", write="aws"
    )
    kubernetes: Kubernetes = setting(
        Kubernetes(), why="everything is deployed to that cluster", write="{context: my-cluster}"
    )
    network: Network = setting(
        why="network policies drop everything that is not named",
        write='{apiServer: {cidrs: ["10.0.0.0/16"], port: 6443}}',
    )
    vault: Vault = setting(why="it is the heart of the platform", write="see Pulumi.dev.yaml")
    aws: Aws | None = setting(
        None, why="keys and secrets are created there", write="{region: eu-central-1}"
    )
    gcp: Gcp | None = setting(
        None,
        why="keys and secrets are created there",
        write="{project: example-project, region: europe-west3}",
    )
    namespaces: tuple[Namespace, ...] = setting(
        NAMESPACES, why="workloads live in them", write="[{name: ml-training, purpose: training}]"
    )
    service_accounts: tuple[ServiceAccount, ...] = setting(
        (), why="workloads run as them", write="[{name: ml-app-sa, namespace: ml-training}]"
    )
    engines: Engines = setting(
        Engines(),
        why="workloads get database logins, cloud credentials, certificates and keys from them",
        write="{database: {…}, aws: {…}, pki: {…}, transit: {…}}",
    )
    auth: Auth = setting(
        Auth(),
        why="people and machines outside the cluster log in by these ways and no others",
        write="{oidc: {…}, githubActions: {…}}",
    )
    grants: tuple[Grant, ...] = setting(
        (),
        why="nobody reads a secret without a grant, and a grant names exactly who and what",
        write="[{name: ml-app, serviceAccounts: [ml-app-sa], namespaces: [ml-training], "
        "secrets: [secret/ml/mlflow], ttl: 1h}]",
    )
    grant_files: str | None = setting(
        None,
        why="each team keeps its own file of grants there, and reviews it",
        write="grants/prod",
    )
    sealed_secrets: SealedSecrets = setting(
        why="secrets sealed for the cluster can be kept in Git", write="{fingerprint: …}"
    )
    external_secrets: ExternalSecrets = setting(
        why="Secrets are copied from Vault and the clouds", write="{stores: […], secrets: […]}"
    )
    rotation: Rotation = setting(
        Rotation(),
        why="credentials that do not end by themselves are changed as it says",
        write="{everyDays: 90, credentials: [{type: vault-database-root, name: vault-database}]}",
    )
    identities: Identities = setting(
        Identities(),
        why="pods act in the cloud as these, each for one Kubernetes account",
        write="{aws: {provider: arn:…, roles: […]}}",
    )
    cloud_secrets: CloudSecrets = setting(
        why="the cloud keeps and rotates these", write="{databaseLogins: {…}, google: […]}"
    )
    sops: Sops | None = setting(
        None,
        why="files in Git are encrypted for these keys",
        write="{folder: secrets/production, awsKms: …}",
    )

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], *, source: str) -> Settings:
        """Check `mapping` (camelCase keys, without the `strongroom:` prefix).

        `source` names the file in messages. Raises SettingsError with every mistake at once.
        """
        defaults = environments.defaults(_environment(mapping))
        given = environments.overlay(defaults, mapping)
        problems = list(credentials_in(mapping, []))
        usable: BaseModel | None
        try:
            usable = settings = cls.model_validate(given)
        except ValidationError as invalid:
            found = problems_of(invalid, cls)
            problems += [p for p in found if not p.touches([known.key for known in problems])]
            usable = repaired(given, cls, defaults)
        if isinstance(usable, cls):
            wrong = [problem.key for problem in problems]
            problems += [p for p in broken_rules(usable) if not p.touches(wrong)]
        if problems:
            raise SettingsError(source, problems)
        return settings


def _environment(mapping: Mapping[str, Any]) -> Environment:
    """The environment named, or the cheapest one where the name is wrong."""
    named = mapping.get("environment")
    return Environment(named) if named in list(Environment) else Environment.DEV
