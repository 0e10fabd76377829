"""The program's things against the live ones. Owns the one comparison of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drift import policies, values
from drift.model import Difference, Drift, Kind, State, Thing, Unread


def compare(
    program: Iterable[Thing],
    live: Iterable[Thing],
    *,
    unread: Iterable[Unread] = (),
) -> Drift:
    """Every difference, sorted by state, kind and name.

    What `unread` hides is neither missing, nor unmanaged, nor the same: it is not compared.
    """
    wanted = {thing.key: thing for thing in program}
    found = {thing.key: thing for thing in live}
    hidden = tuple(unread)
    seen = {
        key: thing
        for key, thing in wanted.items()
        if key in found or not any(part.hides(thing) for part in hidden)
    }
    differences = [
        *_changed(seen, found),
        *_missing(seen, found),
        *(
            Difference(state=State.UNMANAGED, kind=thing.kind, name=thing.name)
            for key, thing in found.items()
            if key not in wanted and not any(part.hides(thing) for part in hidden)
        ),
    ]
    order = list(State)
    kinds = list(Kind)
    return Drift(
        differences=tuple(
            sorted(differences, key=lambda d: (order.index(d.state), kinds.index(d.kind), d.name))
        ),
        compared=len(seen),
        unread=hidden,
    )


def _changed(
    wanted: dict[tuple[Kind, str], Thing], found: dict[tuple[Kind, str], Thing]
) -> Iterator[Difference]:
    for key, thing in wanted.items():
        if key in found and (details := tuple(_details(thing, found[key]))):
            yield Difference(
                state=State.CHANGED,
                kind=thing.kind,
                name=thing.name,
                details=details,
                origin=thing.origin,
            )


def _missing(
    wanted: dict[tuple[Kind, str], Thing], found: dict[tuple[Kind, str], Thing]
) -> Iterator[Difference]:
    for key, thing in wanted.items():
        if key not in found:
            yield Difference(
                state=State.MISSING, kind=thing.kind, name=thing.name, origin=thing.origin
            )


def _details(program: Thing, live: Thing) -> Iterator[str]:
    if program.kind is Kind.POLICY:
        return policies.differing(program.facts["policy"], live.facts["policy"])
    return values.differing(program.facts, live.facts)
