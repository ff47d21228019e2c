"""Models and data tests give the same in ANSI mode, which is the default of Spark 4, but which dbt turns off."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import spark
from tests.build import Build, Source, artifacts_of, own_environment
from tests.conftest import Builder

CHILD = Path(__file__).with_name("ansi_child.py")


@pytest.fixture(scope="module")
def dbt_build(built: Builder, rules: Source) -> Build:
    return built("spark", rules)


@pytest.fixture(scope="module")
def ansi(dbt_build: Build, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The folder with a table for each model, and how many faults each data test finds."""
    out = tmp_path_factory.mktemp("ansi")
    task = {
        "before": list(_catalog(dbt_build)),
        "models": {node["alias"]: node["compiled_code"] for node in _nodes(dbt_build, "model")},
        "tests": {
            node["unique_id"]: f"select {node['config']['fail_calc']} from ({node['compiled_code']}\n) as found"
            for node in _nodes(dbt_build, "test")
        },
        "out": str(out),
    }
    result = subprocess.run(
        [str(spark.spark_environment() / "bin" / "python"), str(CHILD)],
        input=json.dumps(task), cwd=out, env=own_environment(spark.environment(out), out),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    return out, json.loads(result.stdout.splitlines()[-1])


def _nodes(build: Build, kind: str) -> list[dict[str, Any]]:
    """The models or tests that were run; an ephemeral model is part of others."""
    nodes = [node for node in build.manifest["nodes"].values() if node["resource_type"] == kind]
    return [node for node in nodes if "compiled_code" in node and node["config"]["materialized"] != "ephemeral"]


def _catalog(build: Build) -> Iterator[str]:
    """What makes the source, the tables and the views of a build known to a session that has no metastore."""
    yield f"create schema {spark.SCHEMA}"
    folders = {file.stem: file for file in build.folder.glob("*.parquet")}
    models = _nodes(build, "model")
    tables = Path(build.environment["PROBESHEETS_SPARK_FILES"]) / f"{spark.SCHEMA}.db"
    folders |= {node["alias"]: tables / node["alias"] for node in models if node["config"]["materialized"] == "table"}
    for name, folder in folders.items():
        yield f"create view {spark.SCHEMA}.{name} as select * from parquet.`{folder}`"
    for node in models:
        if node["config"]["materialized"] == "view":
            yield f"create view {node['relation_name']} as {node['compiled_code']}"


def test_every_model_has_the_same_rows(dbt_build: Build, ansi: tuple[Path, dict[str, int]]) -> None:
    different, compared = [], 0
    with spark.tables(Path(dbt_build.environment["PROBESHEETS_SPARK_FILES"])) as connection:
        for node in _nodes(dbt_build, "model"):
            if node["config"]["materialized"] != "table":
                continue
            theirs, ours = node["relation_name"], f"read_parquet('{ansi[0] / node['alias']}/*.parquet')"
            for one, other in ((ours, theirs), (theirs, ours)):
                rows = connection.execute(f"from {one} except all from {other}").fetchmany(3)
                different += [f"{node['alias']}: {row}" for row in rows]
            compared += 1
    assert compared == 15 and not different, "\n".join(different)


def test_every_data_test_finds_the_same(dbt_build: Build, ansi: tuple[Path, dict[str, int]]) -> None:
    place = artifacts_of(dbt_build.folder, "spark", dbt_build.environment)
    results = json.loads((place / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = {result["unique_id"]: result["failures"] for result in results if result["unique_id"] in ansi[1]}
    assert len(found) > 40 and sum(found.values()) > 1_000
    assert ansi[1] == found


def test_combined_v1_has_the_pairs_of_duckdb(ansi: tuple[Path, dict[str, int]], built: Builder, rules: Source) -> None:
    """Also its dates, but those that are not stored as 2020-03-05 or 2020-3-5 may be null."""
    columns = ("root_id", "experiment_id", "probe", "text", "date")
    ours = set(built("duckdb", rules).rows("combined_v1", columns))
    theirs = set(duckdb.execute(f"select {', '.join(columns)} from '{ansi[0]}/combined_v1/*.parquet'").fetchall())
    assert {row[:4] for row in ours} == {row[:4] for row in theirs}
    iso = {row["root_id"] for row in rules.outputs if re.match(r"\d{4}-\d\d?-\d", row["content"] or "")}
    dated = {row for row in ours if row[4] and row[0] in iso}
    assert len(dated) > 20 and not dated - theirs
    assert {row for row in theirs if row[4]} <= ours
