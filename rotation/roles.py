"""The roles of a pair, as SQL: who owns, who logs in, and the proof that both may do the same.

    owner (NOLOGIN)   owns the tables and holds every grant
      +- NAME         logs in; works as the owner from its first statement
      +- NAME_clone   the same

A login's default role is the owner (`ALTER ROLE … SET role`), so whatever it creates belongs to
the owner at once, and the other login can read, alter and drop it. A login that owned a table or
held a grant itself would lose it every second rotation, so that is refused.

Owns the statements; runs them all in one transaction, so that a killed rotation leaves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pg8000.native import Connection, identifier, literal

from rotation.errors import ForeignError, LoginError, RightsError

Login = tuple[str, str]  # a user and the verifier of its password

_ROLES = """
SELECT r.rolname, r.oid, r.rolcanlogin, r.rolconnlimit,
       concat_ws(', ',
           CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
           CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
           CASE WHEN r.rolreplication THEN 'REPLICATION' END,
           CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
           CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
           CASE WHEN r.rolvaliduntil IS NOT NULL THEN 'VALID UNTIL' END),
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1),
       (SELECT count(*) FROM pg_shdepend d
        WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
          AND d.deptype IN ('o', 'a', 'r')),
       ARRAY(SELECT concat(s.setdatabase, ' ', c) FROM pg_db_role_setting s, unnest(s.setconfig) c
             WHERE s.setrole = r.oid AND c NOT LIKE 'role=%' ORDER BY 1)
FROM pg_roles r WHERE r.rolname = ANY (:names)
"""
# By the session's own role, as its statements are judged.
_RIGHTS = """
SELECT concat(kind, ' ', name, ': ', concat_ws(' ', VARIADIC may)) FROM (
    SELECT 'database' AS kind, current_database()::text AS name, ARRAY(
        SELECT p FROM unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) p
        WHERE has_database_privilege(current_database(), p)) AS may
  UNION ALL
    SELECT 'schema', n.nspname::text, ARRAY(
        SELECT p FROM unnest(ARRAY['USAGE', 'CREATE']) p WHERE has_schema_privilege(n.oid, p))
    FROM pg_namespace n
  UNION ALL
    SELECT 'relation', concat(n.nspname, '.', c.relname), ARRAY(
        SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',
                                   'REFERENCES', 'TRIGGER']) p
        WHERE has_table_privilege(c.oid, p)
      UNION ALL SELECT 'owner' WHERE pg_has_role(c.relowner, 'USAGE'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
    SELECT 'sequence', concat(n.nspname, '.', c.relname), ARRAY(
        SELECT p FROM unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p
        WHERE has_sequence_privilege(c.oid, p))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'
  UNION ALL
    SELECT 'function', p.oid::regprocedure::text, ARRAY(
        SELECT 'EXECUTE' WHERE has_function_privilege(p.oid, 'EXECUTE'))
    FROM pg_proc p WHERE p.pronamespace <> 'pg_catalog'::regnamespace
) AS rights
WHERE cardinality(may) > 0 AND name !~ '^pg_(temp|toast)'
"""


@dataclass(frozen=True, kw_only=True)
class _Role:
    """What the catalogue says about one role."""

    name: str
    oid: int
    can_log_in: bool
    connections: int
    special: str
    member_of: tuple[str, ...]
    own: int
    settings: tuple[str, ...]


def settle(connection: Connection, *, owner: str, current: Login, idle: Login) -> None:
    """Make the pair what it must be and give `idle` its verifier; again changes nothing else.

    Where `owner` does not exist yet, the current user turns into it by a new name, with all its
    tables, grants and open sessions, and a login of the old name and password is made: one
    transaction, in which no login is refused. Raises ForeignError or RightsError with nothing
    changed.
    """
    connection.run("START TRANSACTION")
    connection.run(
        "SELECT pg_advisory_xact_lock(hashtext('strongroom rotation'), hashtext(:owner))",
        owner=owner,
    )
    user, clone = current[0], idle[0]
    found = _read(connection, (owner, user, clone))
    if user not in found:
        raise _missing(user)
    if owner not in found:
        _refuse_specials(found[user], owner)
        if clone in found:
            raise _stranger(clone, owner)
        if found[user].settings:  # they would go to the owner, where no login sees them
            raise _settings(user, clone)
        limit = found[user].connections
        connection.run(f"ALTER ROLE {identifier(user)} RENAME TO {identifier(owner)}")
        connection.run(f"ALTER ROLE {identifier(owner)} NOLOGIN PASSWORD NULL CONNECTION LIMIT -1")
        _make(connection, user, owner, limit, current[1])
        found = _read(connection, (owner, user))
    if found[owner].can_log_in:
        raise _owner_logs_in(owner)
    _refuse_own(found[user], owner)
    if clone not in found:
        if found[user].settings:
            raise _settings(user, clone)
        _make(connection, clone, owner, found[user].connections, idle[1])
    else:
        _refuse_own(found[clone], owner)
        if found[clone].settings != found[user].settings:
            raise _settings(user, clone)
        connection.run(
            f"ALTER ROLE {identifier(clone)} LOGIN PASSWORD {literal(idle[1])} "
            f"CONNECTION LIMIT {found[user].connections}"
        )
    for login in (user, clone):
        connection.run(f"ALTER ROLE {identifier(login)} SET role TO {identifier(owner)}")
    connection.run("COMMIT")


def rights(connection: Connection, user: str, owner: str) -> frozenset[str]:
    """What this session may do, a text each; raises RightsError when it does not work as owner."""
    session, effective = connection.run("SELECT session_user::text, current_user::text")[0]
    if (session, effective) != (user, owner):
        raise RightsError(
            f"{user} works as {effective} instead of {owner}",
            where=f"a session of {session}",
            why="its default role is gone, or it is no member of the owner any more; what it "
            "creates would be lost to the other user",
            fix=f"GRANT {owner} TO {user}; ALTER ROLE {user} SET role TO {owner};",
        )
    return frozenset(str(row[0]) for row in connection.run(_RIGHTS))


def _read(connection: Connection, names: tuple[str, ...]) -> dict[str, _Role]:
    rows: list[list[Any]] = connection.run(_ROLES, names=list(names))
    return {
        row[0]: _Role(
            name=row[0],
            oid=row[1],
            can_log_in=row[2],
            connections=row[3],
            special=row[4],
            member_of=tuple(row[5]),
            own=row[6],
            settings=tuple(row[7]),
        )
        for row in rows
    }


def _make(connection: Connection, name: str, owner: str, limit: int, verifier: str) -> None:
    connection.run(
        f"CREATE ROLE {identifier(name)} LOGIN CONNECTION LIMIT {limit} "
        f"PASSWORD {literal(verifier)}"
    )
    connection.run(f"GRANT {identifier(owner)} TO {identifier(name)}")


def _refuse_specials(role: _Role, owner: str) -> None:
    if role.special:
        raise RightsError(
            f"user {role.name} is {role.special}",
            where=f"role {role.name}",
            why=f"no membership of {owner} passes that on, so the two users would differ",
            fix=f"take it off (ALTER ROLE {role.name} …), or rotate this user another way",
        )


def _refuse_own(role: _Role, owner: str) -> None:
    if owner not in role.member_of or not role.can_log_in:
        raise _stranger(role.name, owner)
    _refuse_specials(role, owner)
    more = [name for name in role.member_of if name != owner]
    if role.own or more:
        what = [f"{role.own} objects or grants of its own"] if role.own else []
        what += [f"membership of {', '.join(more)}"] if more else []
        raise RightsError(
            f"user {role.name} has {' and '.join(what)}",
            where=f"role {role.name}",
            why="the other user does not have them, so programs would lose them by the rotation",
            fix=f"REASSIGN OWNED BY {role.name} TO {owner}; grant to {owner} what was granted to "
            f"{role.name} (\\dp, \\drg), then DROP OWNED BY {role.name}; in every database",
        )


def _stranger(name: str, owner: str) -> ForeignError:
    return ForeignError(
        f"role {name} exists and is no login that belongs to {owner}",
        where=f"role {name}",
        why="it may be somebody else's, whose password this rotation would change",
        fix=f"if it is this pair's: GRANT {owner} TO {name}; ALTER ROLE {name} LOGIN; "
        "otherwise configure another name",
    )


def _missing(user: str) -> LoginError:
    return LoginError(
        f"user {user} does not exist",
        where="the administrator's server",
        why="the server that the administrator reaches is not the one that let this user in",
        fix="compare the documents of the administrator and of the user",
    )


def _owner_logs_in(owner: str) -> RightsError:
    return RightsError(
        f"role {owner} can log in",
        where=f"role {owner}",
        why="its own password would never be rotated, and opens everything",
        fix=f"ALTER ROLE {owner} NOLOGIN PASSWORD NULL, or name another owner",
    )


def _settings(user: str, clone: str) -> RightsError:
    return RightsError(
        f"the settings of users {user} and {clone} differ",
        where="ALTER ROLE … SET",
        why="a setting of one login does not hold for the other, so programs would behave "
        "differently after the rotation",
        fix="make the setting one of the database (ALTER DATABASE … SET), or give it to both",
    )
