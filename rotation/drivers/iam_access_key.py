"""An IAM access key: a second one is made and published, the first ends once nobody uses it.

AWS keeps two keys of a user, so a user who has another one already is refused, with what to do.
The new key's secret exists in this process and in the document, nowhere else: a key whose secret
was lost with a killed run is deleted. A new key is published when AWS accepts it, which takes
seconds. Between switching the old key off and
deleting it there is a time of grace, in which a forgotten program shows itself and the key can be
switched on again.

Needs: iam ListAccessKeys, CreateAccessKey, UpdateAccessKey, DeleteAccessKey on the user, and
GetAccessKeyLastUsed; read and update (or the AWS rights) of the document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotation import events
from rotation.documents import Document
from rotation.drivers.aws_keys import MOST, AccessKey, KeysOf
from rotation.drivers.following import Following
from rotation.steps import Facts, Pending, Run, Step
from vaultops.errors import DoubtError
from vaultops.wait import wait_for

KEY_ID, SECRET = "aws_access_key_id", "aws_secret_access_key"
ACCEPT_SECONDS = 90.0
_PROBED = "sts"  # what `accepts` uses a key for


@dataclass(frozen=True, kw_only=True)
class UserKey:
    """The user's keys and where the one in use is published.

    `quiet` and `grace` are seconds: without use before the old key is switched off, and switched
    off before it is deleted. `accepts` tells whether AWS takes a key (its id and secret) by now.
    """

    keys: KeysOf
    accepts: Callable[[str, str], bool]
    document: Document
    quiet: float
    grace: float


def steps(user: UserKey, following: Following) -> tuple[Step, ...]:
    """Choose, publish, wait for the consumers and for silence, switch off, wait, delete."""

    def choose(_: Run) -> Facts:
        published = str(user.document.read()[0].get(KEY_ID, ""))
        keys = user.keys.all()
        if published not in [key.id for key in keys]:
            raise DoubtError(
                f"the published key {published or '(none)'} is not one of the user's",
                where=f"{user.document.where}, {user.keys.where}",
                why="nobody can tell which key is in use, so none may end",
                fix=f"write the id and secret of the key in use as {KEY_ID} and {SECRET}",
            )
        if len(keys) >= MOST:
            other = next(key for key in keys if key.id != published)
            raise _full(user, other)
        return {"old": published}

    def publish(run: Run) -> Facts:
        values, version = user.document.read()
        published = str(values.get(KEY_ID, ""))
        if published != run.facts["old"]:
            found = _find(user, published)
            if found is None or not found.active:
                raise _dead(user, published, run.facts["old"])
            return {"new": published}
        for key in user.keys.all():
            if key.id == published:
                continue
            if key.service not in (None, _PROBED):
                raise _full(user, key)
            # There was no second key when this run chose, so a killed runner of it made this one.
            user.keys.delete(key.id)
        new, secret = user.keys.create()
        wait_for(
            lambda: None if user.accepts(new, secret) else "not yet",
            what=f"AWS to accept the new key {new}",
            where=user.keys.where,
            seconds=ACCEPT_SECONDS,
            fix="run it again: the key was not published and is replaced",
        )
        user.document.replace({**values, KEY_ID: new, SECRET: secret}, version)
        return {"new": new}

    def quiet(run: Run) -> Facts | Pending:
        old = _find(user, run.facts["old"])
        if old is None or not old.active:
            return {}
        since = max(run.since, old.used or 0)
        if run.now - since < user.quiet:
            used = f"was used at {events.at(old.used)}" if old.used else "was never used"
            return Pending(
                f"the old key {old.id} {used}; it is switched off when it was unused until "
                f"{events.at(since + user.quiet)}"
            )
        return {}

    def deactivate(run: Run) -> Facts:
        _stands(user, run)
        if (old := _find(user, run.facts["old"])) and old.active:
            user.keys.deactivate(old.id)
        return {}

    def grace(run: Run) -> Facts | Pending:
        until = run.since + user.grace
        if run.now < until:
            return Pending(
                f"the old key {run.facts['old']} is switched off and is deleted at "
                f"{events.at(until)}"
            )
        return {}

    def delete(run: Run) -> Facts:
        _stands(user, run)
        if old := _find(user, run.facts["old"]):
            user.keys.delete(old.id)
        return {}

    back = "switch the old key on again if something fails: aws iam update-access-key"
    return (
        Step(name="choose", act=choose, remedy="read the reason; nothing was changed"),
        Step(
            name="publish",
            act=publish,
            remedy="read the reason; the published key is the old one and works",
        ),
        following.step(),
        Step(
            name="await-silence",
            act=quiet,
            remedy="somebody still uses the old key: CloudTrail shows who (accessKeyId); give him "
            "the published one",
        ),
        Step(name="deactivate", act=deactivate, remedy="read the reason; both keys work"),
        Step(name="grace", act=grace, remedy=back),
        Step(name="delete", act=delete, remedy=back),
    )


def _find(user: UserKey, key: str) -> AccessKey | None:
    return next((one for one in user.keys.all() if one.id == key), None)


def _stands(user: UserKey, run: Run) -> None:
    """Raise DoubtError unless the new key is the published one, and active."""
    published = str(user.document.read()[0].get(KEY_ID, ""))
    new = _find(user, run.facts["new"])
    if published != run.facts["new"] or new is None or not new.active:
        raise DoubtError(
            f"the new key {run.facts['new']} is not published any more, or not active; the old "
            "one was left as it is",
            where=f"{user.document.where}, {user.keys.where}",
            why=f"published is {published}",
            fix="publish an active key, or put the old one back and give the rotation up "
            "(docs/runbooks/rotation.md)",
        )


def _dead(user: UserKey, published: str, old: str) -> DoubtError:
    return DoubtError(
        f"the published key {published or '(none)'} is not one of the user's, or not active",
        where=f"{user.document.where}, {user.keys.where}",
        why="somebody wrote it there, or deleted the key, while it was rotated; who reads it now "
        "is refused",
        fix=f"publish {old}, which was in use before, or another active key of the user at once; "
        "then run the rotation again",
    )


def _full(user: UserKey, other: AccessKey) -> DoubtError:
    used = f"last used {events.at(other.used)}" if other.used else "never used"
    return DoubtError(
        f"the user has {MOST} keys already, so there is no room for a new one",
        where=user.keys.where,
        why=f"{other.id} ({'active' if other.active else 'inactive'}, {used}) is not the published "
        "one, and was not made by this rotation",
        fix="find out from CloudTrail who uses it; then deactivate and delete it (aws iam "
        "delete-access-key), and run the rotation again",
    )
