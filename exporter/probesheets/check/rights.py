"""Check the user's rights in the target schema of a server by creating tables and dropping them."""

import os

from probesheets.errors import ProbesheetsError
from probesheets.sql import quoted
from probesheets.warehouse import Server


def missing_rights(server: Server, schema: str) -> dict[str, str]:
    """The rights that a build needs and the user lacks in the schema, each with the server's message.

    The schema need not exist. Raises ProbesheetsError, naming what remains, if the user may not remove it again.
    """
    schema_name = quoted(schema, server.quote)
    made = not server.has_schema(schema)
    if made and (said := server.attempt(f"create schema {schema_name}")):
        return {"CREATE (the schema does not exist, or is hidden from the user)": said}
    try:
        return _try(server, schema_name, [f"schema {schema_name}"] if made else [])
    finally:
        if made:
            server.attempt(f"drop schema {schema_name}")


def _try(server: Server, schema: str, made: list[str]) -> dict[str, str]:
    name = f"probesheets_check_{os.getpid()}"
    table = f"{schema}.{name}"
    steps = (
        ("CREATE", f"create table {table} (id int)"),
        ("INSERT", f"insert into {table} values (1)"),
        ("SELECT", f"create table {table}_copy as select id from {table}"),
        ("INDEX", f"create index probesheets_check on {table} (id)"),
        ("CREATE VIEW", f"create view {table}_view as select id from {table}"),
        ("ALTER", f"rename table {table} to {table}_renamed"),
    )
    missing: dict[str, str] = {}
    for right, statement in steps:
        if said := server.attempt(statement):
            missing[right] = said
            if right == "CREATE":
                return missing
    ours = {name, *(f"{name}_{end}" for end in ("copy", "view", "renamed"))}
    found = [(kind, one) for one, kind in server.rows(f"show full tables from {schema}") if one in ours]
    listed = [f"{'view' if kind == 'VIEW' else 'table'} {schema}.{quoted(one, server.quote)}" for kind, one in found]
    left = [what for what in listed if server.attempt(f"drop {what}")]
    if left:
        raise ProbesheetsError(
            f"The user can create tables in the schema but cannot drop them. Left there: {', '.join([*left, *made])}.\n"
            "Ask the administrator to grant DROP and to remove what is left."
        )
    return missing
