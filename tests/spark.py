"""Spark for the tests: sources as Parquet files, and the tables that a build has made, read by DuckDB."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.servers import ROOT, SECONDS_TO_START, SqlError, free_port

SCHEMA = "probesheets"
_CLIENT = """
import json, pickle, sys
from pyhive import hive
connection = hive.connect(host="127.0.0.1", port=int(sys.argv[1]))
found = []
for statement in json.load(sys.stdin):
    cursor = connection.cursor()
    cursor.execute(statement)
    found.append(cursor.fetchall() if cursor.description else [])
pickle.dump(found, sys.stdout.buffer)
"""
CORES = 2
# for a build of minutes, the slow compiler of Java is not worth its time
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
HINT = "Spark is not installed (make .venv-spark, and Java 17 or 21, which .ci/run installs)"


def spark_environment() -> Path:
    """The virtual environment that has dbt-spark."""
    return Path(os.environ.get("PROBESHEETS_TEST_SPARK_ENV", ROOT / ".venv-spark"))


def is_installed() -> bool:
    return (spark_environment() / "bin" / "dbt").exists() and shutil.which("java") is not None


def environment(folder: Path) -> dict[str, str]:
    """A session of Spark with a metastore of its own, on a few cores."""
    return {
        "PROBESHEETS_SPARK_FILES": str(folder / "spark"),
        "PROBESHEETS_SPARK_MASTER": f"local[{CORES}]",
        "PROBESHEETS_SCHEMA": SCHEMA,
        "JAVA_TOOL_OPTIONS": JAVA_OPTIONS,
    }


@contextmanager
def thrift_server(folder: Path) -> Iterator[dict[str, str]]:
    """The variables that lead to a Thrift server of Spark, which has its files and its metastore in a folder."""
    port, files = free_port(), folder / "spark"
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.sql.warehouse.dir": str(files),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={files}/metastore;create=true",
    }
    home = next(spark_environment().glob("lib/python3*/site-packages/pyspark"))
    command = [str(home / "bin" / "spark-submit")]
    command += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command += ["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"]
    command += ["--hiveconf", f"hive.server2.thrift.port={port}"]
    command += ["--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"]
    variables = {"JAVA_TOOL_OPTIONS": JAVA_OPTIONS, "SPARK_HOME": str(home)}
    with (folder / "thrift.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | variables)
        try:
            _wait_for(port, process, folder / "thrift.log")
            yield {
                "PROBESHEETS_HOST": "127.0.0.1",
                "PROBESHEETS_PORT": str(port),
                "PROBESHEETS_SCHEMA": SCHEMA,
                "PROBESHEETS_SPARK_FILES": str(files),
            }
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"The Thrift server did not start.\n{log.read_text(errors='replace')[-3000:]}")


def execute(environment: Mapping[str, str], statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    """The rows that a Thrift server returns for each statement. Raises SqlError."""
    result = subprocess.run(
        [str(spark_environment() / "bin" / "python"), "-c", _CLIENT, environment["PROBESHEETS_PORT"]],
        input=json.dumps([*statements]).encode(),
        capture_output=True,
        check=False,
    )
    if result.returncode:
        raise SqlError(result.stderr.decode())
    rows: list[list[tuple[Any, ...]]] = pickle.loads(result.stdout)
    return rows


def shared(folder: Path) -> Path:
    """The folder that all processes of the tests share, by one of pytest's."""
    return folder.parents["PYTEST_XDIST_WORKER" in os.environ]


def incoming(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], whole_numbers: Sequence[str]) -> str:
    """Write tables as Parquet files; returns PROBESHEETS_INCOMING for a build that reads them."""
    views = {}
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
        views[name] = f"select * from parquet.`{folder / f'{name}.parquet'}`"
    return json.dumps({"name": "the source of a test", "rows": None, "views": views})


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
