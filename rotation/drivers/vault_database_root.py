"""The password of Vault's own database user. Nobody but Vault knows it, before and after.

Done twice it is only newer, so a killed run repeats it. The proof is a new connection: Vault is
made to drop its open ones and to log in with what it keeps.

Needs: update `database/rotate-root/NAME` and `database/reset/NAME`.
"""

from __future__ import annotations

from rotation import vault
from rotation.steps import Facts, Run, Step
from rotation.vault import Clients


def steps(clients: Clients, connection: str) -> tuple[Step, ...]:
    """Rotate, then log in anew."""

    def rotate(_: Run) -> Facts:
        vault.write(clients, f"database/rotate-root/{connection}")
        return {}

    def verify(_: Run) -> Facts:
        vault.write(clients, f"database/reset/{connection}")
        return {}

    return (
        Step(
            name="rotate",
            act=rotate,
            remedy="see Vault's log; as long as the database refuses, the old password is valid",
        ),
        Step(
            name="verify",
            act=verify,
            remedy="Vault cannot log in to the database: set a new password for its user by hand, "
            "put it into the password file, add 1 to engines.database.passwordVersion, and deploy",
        ),
    )
