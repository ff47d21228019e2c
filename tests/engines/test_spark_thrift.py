"""A Spark that a lab has already: dbt and `run` speak to its Thrift server."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests import spark
from tests.build import WHOLE_NUMBERS, Build, Source, command, dbt_build, make_project, run, write_seeds
from tests.coding.rows import seeds
from tests.conftest import Builder, need
from tests.engines.differences import compare_rows
from tests.engines.test_later_tables import CASES, RUNS, TABLES
from tests.engines.test_same_characters import CODING, MODELS, plain
from tests.exports import sheet

EARLIER = "insert into {log} select event_id + 1, recorded_at, 'another', event, subject, details from {log}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    need("spark")
    folder = tmp_path_factory.mktemp("thrift")
    with spark.thrift_server(folder) as environment:
        yield environment | {"SOURCE_DATE_EPOCH": "1700000000"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thrift_project") / "project"
    make_project(folder, coding=True)
    write_seeds(folder, seeds())
    return folder


@pytest.fixture(scope="module")
def source(sample: Source, rules: Source) -> Source:
    """The sample, with its codings, and the rows of all rule cases, whose ids come after those of the sample."""
    last = max(row["id"] for row in sample.outputs)
    cases = [{**row, "id": last + row["id"]} for row in rules.outputs]
    return replace(sample, name="sample_and_rules", outputs=[*sample.outputs, *cases], server_columns={})


@pytest.fixture(scope="module")
def build(server: dict[str, str], folder: Path, source: Source) -> Build:
    tables = {"table_output": source.outputs, "table_experiment": source.experiments}
    copy = spark.incoming(folder.parent, tables, WHOLE_NUMBERS)
    environment = server | {"PROBESHEETS_INCOMING": copy}
    result = dbt_build(folder, "spark", environment, source.variables, "--exclude-resource-type", "test")
    assert result.returncode == 0, result.stdout
    return Build("spark", folder, server, result.stdout, 0)


@pytest.mark.parametrize("model", MODELS | CODING)
def test_same_rows(model: str, build: Build, source: Source, built: Builder) -> None:
    ours, key = built("duckdb", source), (MODELS | CODING)[model]
    columns = key + sorted(set(ours.columns(model)) - set(key))
    rows = {name: [*map(plain, one.rows(model, columns))] for name, one in (("duckdb", ours), ("thrift", build))}
    differences = compare_rows(model, columns, len(key), rows)
    assert not differences, "\n" + "\n".join(differences)


def test_a_build_that_has_not_ended_must_be_taken_over(build: Build, server: dict[str, str]) -> None:
    log = f"{spark.SCHEMA}.probesheets_builds"
    spark.execute(server, [EARLIER.format(log=log) + " where event = 'started'"])
    refused = build.probesheets("run", "--target", "spark", "--out", "refused")
    assert refused.returncode == 1 and "has not ended" in refused.stderr, refused.stderr
    assert "run: probesheets run --target spark --take-over" in refused.stderr
    assert not (build.folder / "refused").exists()


def for_spark(statement: str) -> str:
    """SQL of MySQL that creates a table or fills it, for Spark."""
    types = {" primary key": "", " auto_increment": "", " charset latin1": "", "datetime": "timestamp"}
    types |= {"longblob": "binary", r"varchar\(\d+\)": "string", r"(?<=\w) text(?=[,)])": " string"}
    for ours, theirs in types.items() if "create table" in statement else ():
        statement = re.sub(ours, theirs, statement)
    return statement


def test_a_table_of_others_is_not_replaced(build: Build, server: dict[str, str], tmp_path: Path) -> None:
    spark.execute(server, ["create schema ours", "create view ours.answers as select 1 as id, 'mine' as text"])
    duckdb.execute(f"copy (select 2 as id, 'new' as text) to '{tmp_path}/new.parquet'")
    options = ["--target", "spark", "--source", str(tmp_path / "new.parquet")]
    refused = replace(build, environment=server | {"PROBESHEETS_SCHEMA": "ours"}).probesheets("run", *options)
    assert refused.returncode == 1 and "a view ours.answers that is not a copy" in refused.stderr, refused.stderr
    assert spark.execute(server, ["select text from ours.answers", "show tables in ours"])[0] == [("mine",)]


@pytest.fixture(scope="module")
def lab(server: dict[str, str]) -> dict[str, str]:
    """Where the tables of later forms exist; the models of each get a schema of their own."""
    statements = [for_spark(statement) for statement in TABLES.split(";")]
    begin = ["create schema lab", "use lab", "set spark.sql.storeAssignmentPolicy=legacy"]
    spark.execute(server, [*begin, *statements])
    return server | {"PROBESHEETS_SOURCE_SCHEMA": "lab"}


def test_existing_tables_of_texts_become_workbooks(lab: dict[str, str], tmp_path: Path) -> None:
    extra, options, expected, _ = CASES["table_text"]
    names = ("Text", "Month", "Model", extra, "Probe", "Date match")
    make_project(tmp_path / "project")
    arguments = ["run", "--target", "spark", "--shape", "table_text", "--out", "out", *options, "--quiet"]
    environment = lab | {"PROBESHEETS_SCHEMA": "models_of_texts"}
    result = run([str(command("spark", "probesheets")), *arguments], tmp_path / "project", environment)
    assert result.returncode == 0, result.stderr
    found: dict[str, list[object]] = {}
    for file in (tmp_path / "project" / "out" / "with_links").iterdir():
        header, *rows = sheet(file)
        cells = [dict(zip(header, row, strict=True)) for row in rows]
        found |= {row["Record ID"]: [row[name] for name in names] for row in cells}
    assert found == expected


def test_existing_tables_of_runs(lab: dict[str, str], tmp_path: Path) -> None:
    make_project(tmp_path / "project")
    options = ["--select", "+texts", "--exclude-resource-type", "test"]
    variables = {"shape": "table_run", "extra_columns": ["run_id"]}
    environment = lab | {"PROBESHEETS_SCHEMA": "models_of_runs"}
    result = dbt_build(tmp_path / "project", "spark", environment, variables, *options)
    assert result.returncode == 0, result.stdout
    columns = "record_id, text, coalesce(month, ''), model_name, run_id, probe, date_match"
    [rows] = spark.execute(lab, [f"select {columns} from models_of_runs.texts"])
    assert {record: cells for record, *cells in rows} == RUNS
