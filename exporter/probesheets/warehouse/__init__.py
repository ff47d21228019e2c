"""The databases that hold the models: a DuckDB file, or a MariaDB or MySQL server."""

from contextlib import AbstractContextManager, nullcontext

from probesheets import settings
from probesheets.warehouse.base import NotBuiltError, Warehouse, select
from probesheets.warehouse.duckdb_file import DuckDB
from probesheets.warehouse.server import Server

__all__ = ["DuckDB", "NotBuiltError", "Server", "Warehouse", "open_warehouse", "select", "sole_builder"]


def open_warehouse(target: str) -> Warehouse:
    """Connect to the warehouse of a target. Raises ProbesheetsError if that fails."""
    return DuckDB(settings.database_file()) if target == "duckdb" else Server(target)


def sole_builder(target: str) -> AbstractContextManager[None]:
    """Keeps other `run`s from building until this one has exported. Only one process can open a DuckDB file anyway."""
    return nullcontext() if target == "duckdb" else Server(target).sole_builder()
