"""The step that every kind shares: wait until all consumers use the new credential.

Owns its name, its remedy and the fact it reads: `new`, which credential is published now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rotation.consumers import Cluster, Consumer, Session, moved
from rotation.steps import Facts, Pending, Run, Step


@dataclass(frozen=True, kw_only=True)
class Following:
    """Who reads the credential, and how they are asked."""

    consumers: Sequence[Consumer]
    cluster: Cluster

    def step(
        self,
        *,
        old: Callable[[Run], Sequence[str]] = lambda _: (),
        sessions: Callable[[], Sequence[Session]] | None = None,
    ) -> Step:
        """`old` are the database users of before, `sessions` what the database sees now."""

        def act(run: Run) -> Facts | Pending:
            return moved(
                run,
                self.consumers,
                self.cluster,
                new=run.facts["new"],
                old=old(run),
                sessions=sessions,
            )

        return Step(
            name="await-consumers",
            act=act,
            remedy="look at the pod that is named: its agent or operator has not brought the new "
            "credential, or the program has not read it. Restart the pod if it cannot reload. The "
            "old credential works until all have moved",
        )
