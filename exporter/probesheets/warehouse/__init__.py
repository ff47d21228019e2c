"""The databases that hold the models: a DuckDB file, or a MariaDB or MySQL server."""

from contextlib import AbstractContextManager

from probesheets import settings
from probesheets.warehouse.base import NotBuiltError, Warehouse, select
from probesheets.warehouse.duckdb_file import DuckDB
from probesheets.warehouse.server import Server

__all__ = ["DuckDB", "NotBuiltError", "Server", "Warehouse", "open_warehouse", "select", "sole_builder"]


def open_warehouse(target: str) -> Warehouse:
    """Connect to the warehouse of a target. Raises ProbesheetsError if that fails."""
    if settings.is_duckdb(target):
        return DuckDB(settings.database_file(target), settings.setting(target, "schema"))
    return Server(target)


def sole_builder(target: str) -> AbstractContextManager[None]:
    """Keeps other `run`s from copying and building until this one has exported. Raises ProbesheetsError if one does."""
    return DuckDB.lock(settings.database_file(target)) if settings.is_duckdb(target) else Server(target).sole_builder()
