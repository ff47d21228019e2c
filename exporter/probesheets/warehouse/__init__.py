"""The databases that hold the models: DuckDB, MariaDB, MySQL or Spark. All queries go through them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from probesheets import settings
from probesheets.sql import quoted
from probesheets.warehouse.base import NotBuiltError
from probesheets.warehouse.duckdb_file import DuckDB
from probesheets.warehouse.server import Server
from probesheets.warehouse.spark import Spark, files

__all__ = ["DuckDB", "NotBuiltError", "Server", "Spark", "Warehouse", "open_warehouse", "select", "sole_builder"]

Warehouse = DuckDB | Server | Spark  # a connection to the models of one target


def open_warehouse(target: str) -> Warehouse:
    """Connect to the warehouse of a target. Raises ProbesheetsError if that fails."""
    if settings.is_duckdb(target):
        return DuckDB(settings.database_file(target), settings.setting(target, "schema"))
    return Spark(target) if settings.is_spark(target) else Server(target)


def sole_builder(target: str) -> AbstractContextManager[None]:
    """Keeps other `run`s from copying and building until this one has exported. Raises ProbesheetsError if one does."""
    if settings.is_duckdb(target):
        return DuckDB.lock(settings.database_file(target))
    if settings.is_spark(target):
        return DuckDB.lock(files(target) / "metastore")
    return Server(target).sole_builder()


def select(
    warehouse: Warehouse,
    relation: str,
    columns: Sequence[str],
    *,
    where: str = "",
    order_by: Sequence[str] = (),
) -> str:
    """A query for columns of a quoted relation, with a condition in SQL unless it is empty; nulls come last."""
    mark = warehouse.quote
    query = f"select {', '.join(quoted(name, mark) for name in columns)} from {relation}"
    if where:
        query += f" where {where}"
    if order_by:
        query += " order by " + ", ".join(f"{quoted(name, mark)} is null, {quoted(name, mark)}" for name in order_by)
    return query
