"""A secret in Google's Secret Manager with its rotation notices. Owns everything but its value.

Secret Manager changes nothing at a rotation: it publishes SECRET_ROTATE to the topic, and whoever
listens writes a new version. No version is registered here, so a deployment after a rotation has
nothing to change. Source: Google Cloud, "Create rotation schedules in Secret Manager".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.gcp.labels import standard_labels
from components.gcp.members import check_accounts
from components.vault.inputs import refuse

SERVICE = "secretmanager.googleapis.com"
PUBSUB = "pubsub.googleapis.com"
ENCRYPT = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
PUBLISH = "roles/pubsub.publisher"
READ = "roles/secretmanager.secretAccessor"
ADD = "roles/secretmanager.secretVersionAdder"
DAY = 24 * 60 * 60  # seconds
LONGEST_ROTATION = 90  # days
_KEY = re.compile(
    r"projects/[a-z][a-z0-9-]+/locations/(?P<location>[a-z0-9-]+)/keyRings/[\w-]+/cryptoKeys/[\w-]+"
)


@dataclass(frozen=True, kw_only=True)
class RotatingSecretArgs:
    """`secret` is the secret's id, `key` the whole name of its own Cloud KMS key in `location`.

    `first_rotation` is when the first notice goes out (RFC 3339, UTC); later ones follow every
    `rotation_days`, at most 90. `destroy_days` is how long a destroyed version can be called back.
    `readers` and `writers` are e-mail addresses of service accounts: the first read the value, the
    second add versions; `waits` are those of this program. With `protect` the engine refuses to
    delete the secret. Raises ValueError.
    """

    project: str
    location: str
    secret: str
    key: str
    first_rotation: str
    rotation_days: int = 30
    destroy_days: int = 7
    readers: tuple[str, ...]
    writers: tuple[str, ...]
    protect: bool = True
    waits: tuple[pulumi.Resource, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", self.secret):
            raise refuse(
                "secret",
                self.secret,
                "is no id of a secret; Google would refuse it",
                "Use letters, digits, dashes and underscores",
            )
        key = _KEY.fullmatch(self.key)
        if key is None or key["location"] != self.location:
            raise refuse(
                "key",
                self.key,
                f"is no key in {self.location}; Google would refuse the secret",
                f"Give projects/…/locations/{self.location}/keyRings/…/cryptoKeys/…",
            )
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", self.first_rotation):
            raise refuse(
                "first_rotation",
                self.first_rotation,
                "is no time; no notice would go out",
                "Write 2027-01-01T03:00:00Z",
            )
        if not 1 <= self.rotation_days <= LONGEST_ROTATION:
            raise refuse(
                "rotation_days",
                self.rotation_days,
                f"is outside 1 to {LONGEST_ROTATION} days; what leaks would be of use for too long",
                "Use 30",
            )
        if not 1 <= self.destroy_days <= 1000:
            raise refuse(
                "destroy_days",
                self.destroy_days,
                "is outside 1 to 1000 days; a version destroyed by mistake would be gone at once",
                "Use 7",
            )
        check_accounts("readers", self.readers, self.project)
        check_accounts("writers", self.writers, self.project)


class RotatingSecret(pulumi.ComponentResource):
    """Produces the topic, the secret, and who publishes, reads and adds versions.

    `secret_id` is projects/…/secrets/…; `topic` is the topic's
    whole name, for whoever rotates.
    """

    secret_id: pulumi.Output[str]
    topic: pulumi.Output[str]

    def __init__(
        self, name: str, args: RotatingSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:gcp:RotatingSecret", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = standard_labels("rotating-secret")
        agents = {
            service: gcp.projects.ServiceIdentity(
                f"{name}-{agent}-agent", project=args.project, service=service, opts=child
            )
            for agent, service in (("secrets", SERVICE), ("topics", PUBSUB))
        }
        members = {service: agent.member for service, agent in agents.items()}
        # A binding has the last word on its role: whoever else was given it loses it.
        encrypts = gcp.kms.CryptoKeyIAMBinding(
            f"{name}-encrypts",
            crypto_key_id=args.key,
            role=ENCRYPT,
            members=list(members.values()),
            opts=child,
        )
        topic = gcp.pubsub.Topic(
            f"{name}-topic",
            project=args.project,
            name=f"{args.secret}-rotation",
            kms_key_name=args.key,
            message_storage_policy=gcp.pubsub.TopicMessageStoragePolicyArgs(
                allowed_persistence_regions=[args.location]
            ),
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[encrypts]),
        )
        publishes = gcp.pubsub.TopicIAMBinding(
            f"{name}-publishes",
            project=args.project,
            topic=topic.name,
            role=PUBLISH,
            members=[members[SERVICE]],
            opts=child,
        )
        secret = gcp.secretmanager.Secret(
            f"{name}-secret",
            project=args.project,
            secret_id=args.secret,
            replication=gcp.secretmanager.SecretReplicationArgs(
                user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(
                    replicas=[
                        gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(
                            location=args.location,
                            customer_managed_encryption=(
                                gcp.secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
                                    kms_key_name=args.key
                                )
                            ),
                        )
                    ]
                )
            ),
            topics=[gcp.secretmanager.SecretTopicArgs(name=topic.id)],
            rotation=gcp.secretmanager.SecretRotationArgs(
                rotation_period=f"{args.rotation_days * DAY}s",
                next_rotation_time=args.first_rotation,
            ),
            version_destroy_ttl=f"{args.destroy_days * DAY}s",
            labels=labels,
            # Google moves the next time on after every notice; a deployment must not set it back.
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                retain_on_delete=args.protect,
                depends_on=[publishes, encrypts],
                ignore_changes=["rotation.nextRotationTime"],
            ),
        )
        for what, role, accounts in (("reads", READ, args.readers), ("adds", ADD, args.writers)):
            gcp.secretmanager.SecretIamBinding(
                f"{name}-{what}",
                project=args.project,
                secret_id=secret.secret_id,
                role=role,
                members=[f"serviceAccount:{account}" for account in sorted(set(accounts))],
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.waits)),
            )
        self.secret_id = secret.id
        self.topic = topic.id
        self.register_outputs({"secret_id": self.secret_id, "topic": self.topic})
