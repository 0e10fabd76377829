"""The access key with which Vault's AWS engine works. Nobody but Vault knows its secret.

Vault makes the new key, keeps it and deletes the old one in one request. AWS keeps two keys of a
user, so a second one makes Vault's request fail half-way: it is refused here, before.

Needs: read `aws/config/root`, update `aws/config/rotate-root`; iam ListAccessKeys on the user and
GetAccessKeyLastUsed. (Vault's own key: iam GetUser, CreateAccessKey, DeleteAccessKey on itself.)
"""

from __future__ import annotations

from rotation import vault
from rotation.drivers.aws_keys import MOST, KeysOf
from rotation.steps import Facts, Pending, Run, Step
from rotation.vault import Clients
from vaultops.errors import DoubtError, VaultOpsError

_PATH = "aws/config/root"


def steps(clients: Clients, keys: KeysOf) -> tuple[Step, ...]:
    """Observe, rotate, see the old key gone."""

    def in_use() -> str:
        found = vault.read(clients, _PATH) or {}
        if key := str(found.get("access_key", "")):
            return key
        raise VaultOpsError(
            "Vault's AWS engine has no access key to rotate",
            where=_PATH,
            why="it works with the AWS role of its pods, which AWS rotates by itself",
            fix="remove this rotation from strongroom:rotation",
        )

    def observe(_: Run) -> Facts:
        key = in_use()
        found = [one.id for one in keys.all()]
        if key not in found:
            raise DoubtError(
                f"the key that Vault works with, {key}, is not one of the user's",
                where=f"{_PATH}, {keys.where}",
                why="the rotation names another user than Vault's, or the key was deleted",
                fix="correct `user` in strongroom:rotation, or give Vault a new key",
            )
        if len(found) >= MOST:
            other = next(one for one in found if one != key)
            raise DoubtError(
                f"the user has {MOST} keys already, so Vault cannot make a new one",
                where=keys.where,
                why=f"{other} is not the one that Vault works with; an earlier rotation may have "
                "ended half-way",
                fix=f"see that nobody uses {other}, delete it (aws iam delete-access-key), and "
                "run the rotation again",
            )
        return {"old": key}

    def rotate(run: Run) -> Facts:
        if in_use() == run.facts["old"]:
            vault.write(clients, "aws/config/rotate-root")
        return {"new": in_use()}

    def verify(run: Run) -> Facts | Pending:
        found = {one.id: one.active for one in keys.all()}
        if not found.get(run.facts["new"]):
            return Pending(f"the new key {run.facts['new']} is not active yet")
        if run.facts["old"] in found:
            return Pending(f"the old key {run.facts['old']} is still there")
        return {}

    return (
        Step(name="observe", act=observe, remedy="read the reason; nothing was changed"),
        Step(name="rotate", act=rotate, remedy="see Vault's log; the old key is in use"),
        Step(
            name="verify",
            act=verify,
            remedy="see that Vault works with the new key (`vault read aws/config/root`), and "
            "delete the old one: aws iam delete-access-key",
        ),
    )
