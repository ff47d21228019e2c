"""Check that dbt can build in the target database. This comes first, because dbt's own errors are unclear."""

import os
import re
from contextlib import closing

from probesheets.check.spark import check_spark
from probesheets.errors import ProbesheetsError
from probesheets.settings import database_file, is_duckdb, is_spark, memory, setting
from probesheets.source.copy import connect
from probesheets.source.shapes import all_tables
from probesheets.sql import literal
from probesheets.warehouse import Server


def check_database(target: str, *, copying: bool) -> str:
    """What Spark will run on, as a sentence, else "". Raises ProbesheetsError unless dbt can build in the target."""
    if is_spark(target):
        return check_spark(target)
    if is_duckdb(target):
        memory()  # raises for a wrong size
        _check_file(target, copying)
    else:
        with closing(Server(target)) as server:
            [(sql_mode,)] = server.rows("select @@sql_mode")
            if "ORACLE" in sql_mode.split(","):
                raise ProbesheetsError(
                    "The server's sql_mode includes ORACLE, and dbt cannot work with it.\n"
                    "Ask the administrator to remove it: set global sql_mode = ...\n"
                    "To copy the source into DuckDB instead, run: probesheets run --source mysql://user@host:port/schema"
                )
    return ""


def _check_file(target: str, copying: bool) -> None:
    named, file = setting(target, "path"), database_file(target)
    # dbt reads a name that begins like a URL as another database; the name becomes a catalog in dbt's SQL
    if re.match(r":|\w\w+:|$", named) or re.search("[\"';#\n]|^(main|temp|system)(\\.[^.]*)?$", file.name, re.I):
        raise ProbesheetsError(
            f"PROBESHEETS_DUCKDB must name a file that dbt can use; it is {named!r}.\n"
            "The name must not be main, temp or system, and must not contain a quotation mark, ; or #. "
            "For example: probesheets.duckdb"
        )
    if not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise ProbesheetsError(
                f"{file} cannot be created: {file.parent} is not a folder that you can write to.\n"
                "Set PROBESHEETS_DUCKDB to another file."
            )
        return
    with connect(file) as connection:
        names = ", ".join(map(literal, all_tables() if copying else [])) or "null"
        views = f"select view_name from duckdb_views() where view_name in ({names})"
        if found := connection.execute(views).fetchone():
            raise ProbesheetsError(
                f"{file} has a view {found[0]}, so the source cannot be copied into it.\n"
                "Set PROBESHEETS_DUCKDB to another file."
            )
