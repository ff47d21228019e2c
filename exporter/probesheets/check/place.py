"""Can dbt work where the models will be? Checked first, because dbt's own errors would not make the reason clear."""

import os
import re
from contextlib import closing
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.settings import database_file, profile
from probesheets.warehouse import Server


def check_place(target: str, *, copying: bool) -> None:
    """Raises ProbesheetsError unless dbt can build in the DuckDB file (which need not exist) or on the server."""
    if target == "duckdb":
        _check_file(database_file(), copying)
    else:
        with closing(Server(target)) as server:
            [(sql_mode,)] = server.rows("select @@sql_mode")
            if "ORACLE" in sql_mode.split(","):
                raise ProbesheetsError(
                    "The server's sql_mode includes ORACLE, and dbt cannot work with it.\n"
                    "Ask the administrator to remove it: set global sql_mode = ...\n"
                    "To copy the source into DuckDB instead, run: probesheets run --source mysql://user@host:port/schema"
                )


def _check_file(file: Path, copying: bool) -> None:
    named = profile("duckdb")["path"]
    # dbt reads a name that begins like a URL as another database; the name becomes a catalog in dbt's SQL
    if re.match(r":|\w\w+:|$", named) or re.search("[\"';#\n]|^(main|temp|system)(\\.[^.]*)?$", file.name, re.I):
        raise ProbesheetsError(
            f"PROBESHEETS_DUCKDB must name a file that dbt can use; it is {named!r}.\n"
            "The name must not be main, temp or system, and must not contain a quotation mark, ; or #. "
            "For example: probesheets.duckdb"
        )
    try:
        if not file.exists() and not os.access(file.parent, os.W_OK):
            raise duckdb.IOException(f"{file.parent} is not a folder that you can write to")
        if file.exists():
            with duckdb.connect(str(file)) as connection:
                views = "select view_name from duckdb_views() where view_name in ('table_output', 'table_experiment')"
                if copying and (found := connection.execute(views).fetchone()):
                    raise duckdb.CatalogException(f"{found[0]} is a view in it")
    except duckdb.Error as error:
        raise ProbesheetsError(
            f"{file} cannot be opened for writing: {str(error).splitlines()[0]}\n"
            "Close the program that uses it, or name another file in PROBESHEETS_DUCKDB."
        ) from None
