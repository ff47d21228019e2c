"""Spark for the tests: sources as Parquet files, and the tables that a build has made, read by DuckDB."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.servers import ROOT

SCHEMA = "probesheets"
HINT = "Spark is not installed (.ci/run installs Java; or: apt-get install openjdk-17-jre-headless)"


def spark_environment() -> Path:
    """The virtual environment that has dbt-spark."""
    return Path(os.environ.get("PROBESHEETS_TEST_SPARK_ENV", ROOT / ".venv-spark"))


def has_java() -> bool:
    return shutil.which("java") is not None


def environment(folder: Path) -> dict[str, str]:
    """A session of Spark with a metastore of its own, on two cores."""
    return {
        "PROBESHEETS_SPARK_FILES": str(folder / "spark"),
        "PROBESHEETS_SPARK_MASTER": "local[2]",
        "PROBESHEETS_SCHEMA": SCHEMA,
    }


def incoming(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], whole_numbers: Sequence[str]) -> str:
    """Write tables as Parquet files; returns PROBESHEETS_INCOMING for a build that reads them."""
    copies = {"": "the source of a test"}
    for name, rows in tables.items():
        if not rows:
            continue
        columns = dict.fromkeys(column for row in rows for column in row)
        arrays = {
            column: pa.array(
                [row.get(column) for row in rows], pa.int64() if column in whole_numbers else _type(rows, column)
            )
            for column in columns
        }
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")
        copies[name] = f"select * from parquet.`{folder / f'{name}.parquet'}`"
    return json.dumps(copies)


def _type(rows: Sequence[Mapping[str, Any]], column: str) -> pa.DataType:
    return pa.float64() if any(isinstance(row.get(column), float) for row in rows) else pa.string()


@contextmanager
def tables(files: Path, schema: str = SCHEMA) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of a schema as views of DuckDB."""
    with duckdb.connect() as connection:
        connection.execute(f"create schema {schema}")
        for folder in (files / f"{schema}.db").iterdir():
            if any(folder.glob("*.parquet")):
                connection.execute(f"create view {schema}.{folder.name} as from read_parquet('{folder}/*.parquet')")
        yield connection
