"""Loads a source into an engine, builds the project there as a user would, and reads the models back."""

import atexit
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.settings import artifacts
from tests import spark
from tests.copies import replace_copy
from tests.servers import ROOT, Server, SqlError, mysql_environment

_WENT_WELL = re.compile(r"\d+ of \d+ (START|PASS|OK|SKIP|NO-OP)|^[\d:]+\s*$")
_PARTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests", "sample")
REMEMBERED = "DBT_PARTIAL_PARSE_FILE_PATH"  # the variable that names the file with what dbt has read of a project
WHOLE_NUMBERS = ("id", "experiment_id", "root_id", "depth")
# as in the wild, but for longtext: some texts are longer than TEXT takes
_SERVER_COLUMNS = {
    "id": "int primary key auto_increment",
    "experiment_id": "int",
    "root_id": "int",
    "tag": "varchar(255)",
    "depth": "int",
    "probe": "longtext",
    "content": "longtext",
}


@dataclass(frozen=True)
class Source:
    """Rows of table_output (and table_experiment), with the variables that the project is built with."""

    name: str
    outputs: Sequence[Mapping[str, Any]]
    experiments: Sequence[Mapping[str, Any]] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    server_columns: Mapping[str, str] = field(default_factory=dict)  # other types than _SERVER_COLUMNS
    seeds: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)  # rows of codings and codebook

    @property
    def columns(self) -> list[str]:
        """The usual columns of table_output, then those that only this source has."""
        return list(dict.fromkeys([*_SERVER_COLUMNS, *(name for row in self.outputs for name in row)]))


@dataclass(frozen=True)
class Build:
    """The project, built on one engine from one source. `folder` is a project folder of its own, made of links."""

    target: str
    folder: Path
    environment: dict[str, str]
    log: str  # what dbt said
    returncode: int
    server: Server | None = None

    def rows(self, relation: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """All rows of a model's relation, as Python values that are equal if the engines agree."""
        names = ", ".join(self.quote(name) for name in columns)
        return [tuple(map(_plain, row)) for row in self.query(f"select {names} from {self.schema}.{relation}")]

    def by_key(self, relation: str, key: str, columns: Sequence[str]) -> dict[Any, dict[str, Any]]:
        """The rows as dictionaries, by a column that is unique."""
        rows = self.rows(relation, [key, *columns])
        found = {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}
        assert len(found) == len(rows), f"{relation}.{key} repeats on {self.target}"
        return found

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the analyst."""
        if self.server:
            return self.server.analyst.execute(statement)
        if self.target == "spark":
            with spark.tables(Path(self.environment["PROBESHEETS_SPARK_FILES"])) as connection:
                return connection.execute(statement).fetchall()
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(statement).fetchall()

    def columns(self, relation: str) -> list[str]:
        return [str(row[0]) for row in self.query(f"describe {self.schema}.{relation}")]

    def quote(self, name: str) -> str:
        return f"`{name}`" if self.server else f'"{name}"'

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / self.environment["PROBESHEETS_DUCKDB"]

    @property
    def schema(self) -> str:
        return self.environment.get("PROBESHEETS_SCHEMA", "main")

    @property
    def source(self) -> str:
        """The source's table_output."""
        return self.environment["PROBESHEETS_SOURCE_SCHEMA"] + ".table_output" if self.server else "main.table_output"

    @property
    def problems(self) -> str:
        """What dbt said, without the lines about what went well."""
        lines = self.log.splitlines()
        return "\n".join(line for line in lines if line.strip() and not _WENT_WELL.search(line)) or "It said nothing."

    @property
    def manifest(self) -> dict[str, Any]:
        file = artifacts_of(self.folder, self.target, self.environment) / "manifest.json"
        return dict(json.loads(file.read_text(encoding="utf-8")))

    def probesheets(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in this project folder."""
        return run([str(command(self.target, "probesheets")), *arguments], self.folder, self.environment)


def build(folder: Path, target: str, source: Source, server: Server | None) -> Build:
    """Load the source and run dbt build, without unit tests, as `probesheets run` does."""
    make_project(folder, coding=bool(source.seeds))
    write_seeds(folder, source.seeds)
    environment = {"PROBESHEETS_DUCKDB": "probesheets.duckdb"}
    if server:
        names = f"source_{source.name}", f"target_{source.name}"
        environment = server.environment(*names)
        server.create_schemas(*names)
        load_server(server, names[0], source)
    elif target == "spark":
        environment = spark.environment(folder)
    else:
        load_duckdb(folder, source)
    environment["SOURCE_DATE_EPOCH"] = "1700000000"
    result = dbt_build(folder, target, environment | _incoming(folder, target, source), source.variables)
    if (parsed := artifacts_of(folder, target, environment) / "partial_parse.msgpack").exists():
        environment[REMEMBERED] = str(parsed)
    return Build(target, folder, environment, result.stdout + result.stderr, result.returncode, server)


def _incoming(folder: Path, target: str, source: Source) -> dict[str, str]:
    if target != "spark":
        return {}
    tables = {"table_output": source.outputs, "table_experiment": source.experiments}
    return {"PROBESHEETS_INCOMING": spark.incoming(folder, tables, WHOLE_NUMBERS)}


def make_project(folder: Path, *, coding: bool = False) -> None:
    """A project folder with links to the checkout's parts, so that it has artifacts and logs of its own.

    Without `coding`, it has copies of the models and data tests that need no seeds: a build takes a fifth less time, on
    Spark a quarter.
    """
    folder.mkdir(parents=True)
    for part in _PARTS:
        if coding or part not in ("models", "seeds", "tests"):
            (folder / part).symlink_to(ROOT / part)
    if not coding:  # dbt does not follow links inside these folders
        for part in ("models", "tests/data"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("coding", "codings_*"))


def own_part(folder: Path, name: str) -> Path:
    """A part of a project, such as models, as a copy that may be changed."""
    part = folder / name
    if part.is_symlink():
        part.unlink()
        shutil.copytree(ROOT / name, part)
    return part


def write_seeds(folder: Path, seeds: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Replace seeds of a project; without rows, the checkout's stay."""
    place = own_part(folder, "seeds") if seeds else folder
    for name, rows in seeds.items():
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def artifacts_of(folder: Path, target: str, environment: Mapping[str, str]) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in environment.items():
            patch.setenv(name, value)
        return artifacts(target)


def dbt_build(
    folder: Path, target: str, environment: Mapping[str, str], variables: Mapping[str, Any], *options: str
) -> subprocess.CompletedProcess[str]:
    place = artifacts_of(folder, target, environment)  # which `probesheets run` then need not read again
    arguments = ["--target", target, "--target-path", str(place), "--profiles-dir", str(folder)]
    arguments += ["--vars", json.dumps(dict(variables))]
    if target in ("duckdb", "spark"):
        arguments += ["--exclude-resource-type", "unit_test"]
    arguments += options
    return run([str(command(target, "dbt")), "--no-use-colors", "build", *arguments], folder, environment)


def command(target: str, name: str) -> Path:
    """A command of the environment that a target needs."""
    environments = {"duckdb": Path(sys.prefix), "spark": spark.spark_environment()}
    return environments.get(target, mysql_environment()) / "bin" / name


def run(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=folder, env=own_environment(environment, folder), capture_output=True, text=True, check=False
    )


def own_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """This process's environment without the settings of probesheets and dbt, and with those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
    return inherited | remembered(environment, folder)


def remembered(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """An environment in which dbt on DuckDB need not read the whole project again, unless it has changed."""
    place = environment.get("PROBESHEETS_DUCKDB", "")
    known = {*environment} & {"PROBESHEETS_SCHEMA", REMEMBERED} or Path(place).is_absolute()
    return dict(environment) if known else {REMEMBERED: _parsed((folder / "seeds").exists()), **environment}


@cache
def _parsed(coding: bool) -> str:
    """The file that dbt writes when it has read the project, which takes it seconds."""
    place = Path(tempfile.mkdtemp(prefix="probesheets-parsed-"))
    atexit.register(shutil.rmtree, place)
    folder = place / "p"
    make_project(folder, coding=coding)
    arguments = [str(command("duckdb", "dbt")), "parse", "--target", "duckdb", "--profiles-dir", "."]
    environment = own_environment({REMEMBERED: ""}, folder)
    subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, check=True)
    return str(folder / "target" / "partial_parse.msgpack")


def load_duckdb(folder: Path, source: Source) -> None:
    """With the product's own loader: Parquet keeps nulls, which CSV cannot."""
    file = _parquet(folder / "table_output.parquet", source.columns, source.outputs)
    experiments = None
    if source.experiments:
        experiments = _parquet(folder / "table_experiment.parquet", list(source.experiments[0]), source.experiments)
    replace_copy(folder / "probesheets.duckdb", str(file), experiments)


def _parquet(file: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Path:
    values = [pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in columns]
    pq.write_table(pa.table(values, names=list(columns)), file)
    return file


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def load_server(server: Server, schema: str, source: Source) -> None:
    types = dict.fromkeys(source.columns, "longtext") | _SERVER_COLUMNS | dict(source.server_columns)
    _load_table(server, f"{schema}.table_output", types, source.outputs)
    if source.experiments:
        types = dict.fromkeys(source.experiments[0], "text") | {
            "id": "int primary key",
            "model_name": "varchar(255)",
        }
        _load_table(server, f"{schema}.table_experiment", types, source.experiments)


def _load_table(server: Server, table: str, types: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
    server.root.execute(f"create table {table} ({', '.join(f'`{name}` {kind}' for name, kind in types.items())})")
    places = ", ".join(["%s"] * len(types))
    values = [tuple(row.get(name) for name in types) for row in rows]
    names = ", ".join(f"`{name}`" for name in types)
    try:
        server.root.execute(f"insert into {table} ({names}) values ({places})", values)
    except SqlError as error:
        raise AssertionError(f"The server does not take the rows of {table}: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8")
    if isinstance(value, float):
        return round(value, 9)
    if value is None or isinstance(value, str | date | int):
        return value
    raise TypeError(f"{value!r} is a {type(value).__name__}: cast it in the model")
