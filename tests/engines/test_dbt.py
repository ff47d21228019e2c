"""What must hold for dbt itself on every engine: the same tests run, nothing is deprecated, few rights are enough."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.build import Source, command, dbt_build, make_project, run
from tests.conftest import Builder
from tests.servers import Server, SqlError, mariadb

DBT_1_7_SAYS = "This version of dbt is deprecated"


def data_tests(manifest: dict[str, Any]) -> set[str]:
    return {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}


def test_same_data_tests_on_both_dbts(other_engine: str, rules: Source, built: Builder) -> None:
    """dbt 1.7 leaves out in silence what it does not know."""
    ours, theirs = (data_tests(built(target, rules).manifest) for target in ("duckdb", other_engine))
    assert ours == theirs
    assert len(ours) > 40


@pytest.mark.parametrize("target", ["duckdb", "spark"])
def test_the_unit_tests_pass(target: str, rules: Source, built: Builder, tmp_path: Path) -> None:
    """dbt 1.7 on the servers has none. Spark does not read the shapes that only DuckDB reads."""
    make_project(tmp_path / "project")
    if target == "duckdb":
        database = shutil.copy(built("duckdb", rules).database, tmp_path / "probesheets.duckdb")
        environment = {"PROBESHEETS_DUCKDB": str(database)}
    else:
        environment = built("spark", rules).environment
    arguments = [str(command(target, "dbt")), "test", "--target", target, "--select", "test_type:unit"]
    result = run([*arguments, "--target-path", str(tmp_path)], tmp_path / "project", environment)
    assert result.returncode == 0, result.stdout
    results = json.loads((tmp_path / "run_results.json").read_text(encoding="utf-8"))["results"]
    passed = {entry["unique_id"].split(".")[2] for entry in results if entry["unique_id"].startswith("unit_test.")}
    expected = {"tag_matches", "combined"} | ({"rows_messages", "rows_transcript"} if target == "duckdb" else set())
    assert passed == expected and {entry["status"] for entry in results} <= {"pass", "success"}


def test_no_deprecation(engine: str, rules: Source, built: Builder) -> None:
    said = [
        line
        for line in built(engine, rules).log.splitlines()
        if "deprecat" in line.lower() and DBT_1_7_SAYS not in line
    ]
    assert not said, "\n".join(said)


def test_dirty_data_warns_and_says_how_much(engine: str, sample: Source, built: Builder) -> None:
    log = built(engine, sample).log
    for said in (
        "WARN texts_without_date: 4 rows (text_id 174, 356, 835, ...). ",
        "WARN dates_not_understood: 3 rows (date_text '2021-02-30', 'March 2021', 'yesterday'). ",
        "WARN tags_that_nearly_match: 2 rows (tag_text 'Date', 'Trimmed '). ",
    ):
        assert said in log
    assert "ERROR=0" in log


def test_select_on_the_source_is_enough(server_engine: str, rules: Source, built: Builder) -> None:
    """All builds here are made by a user with these rights: the source cannot be written, so nothing was."""
    build = built(server_engine, rules)
    assert build.server
    source, target = (build.environment[name] for name in ("PROBESHEETS_SOURCE_SCHEMA", "PROBESHEETS_SCHEMA"))
    grants = [row[0] for row in build.server.analyst.execute("show grants")]
    ours = [grant.split(" TO ")[0] for grant in grants if source in grant or target in grant]
    assert sorted(ours) == sorted([f"GRANT SELECT ON `{source}`.*", f"GRANT ALL PRIVILEGES ON `{target}`.*"])
    for statement in (f"delete from {source}.table_output", f"create table {source}.t (a int)", "create schema mine"):
        with pytest.raises(SqlError, match="denied"):
            build.server.analyst.execute(statement)
    tables = build.server.root.execute(
        f"select table_name from information_schema.tables where table_schema = '{source}'"
    )
    assert tables == [("table_output",)]


@pytest.mark.parametrize("version", ["10.4.32-MariaDB", "5.5.5-10.4.32-MariaDB"])
def test_an_old_server_is_refused_with_advice(version: str, mariadb_server: Server, tmp_path: Path) -> None:
    """XAMPP still brings MariaDB 10.4; a server can be told what version it says it is."""
    with mariadb(f"--version={version}") as server:
        server.create_schemas("source_old", "target_old")
        server.root.execute("create table source_old.table_output (id int)")
        make_project(tmp_path / "project")
        result = dbt_build(tmp_path / "project", "mariadb", server.environment("source_old", "target_old"), {})
    assert result.returncode != 0
    assert "needs MariaDB 10.6 or later, or MySQL 8.0.17 or later" in result.stdout
    assert "--source mysql://" in result.stdout


@pytest.mark.parametrize("target", ["duckdb", "mariadb"])
def test_a_variable_that_the_project_does_not_have_is_refused(
    target: str, rules: Source, built: Builder, tmp_path: Path
) -> None:
    """By both versions of dbt. dbt itself would build with the default of the variable that was meant."""
    make_project(tmp_path / "project")
    result = dbt_build(tmp_path / "project", target, built(target, rules).environment, {"text_tga": "x"})
    assert result.returncode != 0
    assert "There is no variable 'text_tga'" in result.stdout and "Valid: shape, text_tag, date_tag" in result.stdout
