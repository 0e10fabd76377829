"""A Vault static role: one database user whose password Vault changes when it is asked to.

For servers without a schedule (OpenBao has none), and for roles whose pods must be seen to follow.
The old password ends at once, so a pair is two roles, and the planner keeps them apart.

Needs: read `database/static-roles/ROLE`, update `database/rotate-role/ROLE`.
"""

from __future__ import annotations

from rotation import vault
from rotation.drivers.following import Following
from rotation.steps import Facts, Run, Step
from rotation.vault import Clients
from vaultops.errors import VaultOpsError


def steps(clients: Clients, role: str, following: Following) -> tuple[Step, ...]:
    """Observe, rotate, wait for the consumers."""

    def rotated() -> str:
        path = f"database/static-roles/{role}"
        found = vault.read(clients, path)
        if found is None:
            raise VaultOpsError(
                "there is no such static role",
                where=path,
                why="it was never made, or was deleted",
                fix="add it to strongroom:engines.database.staticRoles and deploy",
            )
        return str(found.get("last_vault_rotation", ""))

    def observe(_: Run) -> Facts:
        return {"before": rotated()}

    def rotate(run: Run) -> Facts:
        if rotated() == run.facts["before"]:
            vault.write(clients, f"database/rotate-role/{role}")
        after = rotated()
        if after == run.facts["before"]:
            raise VaultOpsError(
                "Vault did not change the password",
                where=f"database/rotate-role/{role}",
                why=f"the last rotation is still of {after or 'never'}",
                fix="see Vault's log; Vault retries by itself while the database refuses",
            )
        return {"new": after}

    return (
        Step(name="observe", act=observe, remedy="deploy the role"),
        Step(
            name="rotate",
            act=rotate,
            remedy="see Vault's log and `vault read database/static-roles/ROLE`: the database may "
            "be unreachable, or refuse Vault's own user",
        ),
        following.step(),
    )
