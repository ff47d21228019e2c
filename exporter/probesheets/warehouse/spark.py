"""The models on Spark: DuckDB reads their Parquet files, so no Spark starts."""

from glob import escape
from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.settings import artifacts, find_root, setting
from probesheets.sql import literal, quoted
from probesheets.warehouse.base import NotBuiltError
from probesheets.warehouse.duckdb_file import DuckDB


class Spark(DuckDB):
    """The tables of the target's schema: each is a folder of Parquet files in FILES/SCHEMA.db."""

    def __init__(self, target: str) -> None:
        name = setting(target, "schema").lower()
        self._target, self.schema, self._folder = target, quoted(name), files(target) / f"{name}.db"
        if not self._folder.is_dir():
            raise ProbesheetsError(
                f"There is no folder {self._folder} with the tables of {name}. Run: probesheets run --target {target}\n"
                "If Spark has built them, set PROBESHEETS_SPARK_FILES to the folder that has "
                f"{name}.db, as this machine sees it."
            )
        self._connection = duckdb.connect()
        self._connection.execute(f"set temp_directory = {literal(str(artifacts(target) / 'sorting'))}")
        self._connection.execute(f"create schema {self.schema}")
        self._prepare()
        with self._cursor() as cursor:
            for table in sorted(self._folder.iterdir()):
                if next(table.glob("*.parquet"), None):
                    found = literal(f"{escape(str(table))}/*.parquet")
                    read = f"read_parquet({found}, hive_partitioning = false)"
                    cursor.execute(f"create view {self.schema}.{quoted(table.name)} as from {read}")

    def columns(self, relation: str) -> list[str]:
        """The columns of a quoted relation. Raises NotBuiltError if it has no files."""
        try:
            return super().columns(relation)
        except NotBuiltError:
            raise NotBuiltError(relation, self._target) from None


def files(target: str) -> Path:
    """The folder with the folders of all schemas, as this machine sees it."""
    return find_root() / setting(target, "files")
