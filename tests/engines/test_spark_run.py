"""`run`, `check` and `export` on Spark, as a user calls them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from probesheets.project.build import OFFERED
from probesheets.source.asked import Source
from probesheets.source.copy import shape_in
from probesheets.source.spark import offer_source
from tests import spark
from tests.build import command, make_project, run
from tests.conftest import need
from tests.exports import sheet

ANSWERS = """
select * from (values
  (1::bigint, 'Why is', 'Why is the sky blue? See https://example.org/a', timestamp '2020-03-05 12:00:00', 'gpt2', 0.7),
  (2, 'Why is', '', timestamp '2020-04-05 12:00:00', 'gpt2', 0.8),
  (5, 'Once upon', 'a time', null, null, null)
) as answers(number, prompt, response, created_at, model, temperature)
"""
OPTIONS = ["--columns", "id=number"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("spark")
    folder = tmp_path_factory.mktemp("spark_run") / "lab"
    make_project(folder)
    return folder


@pytest.fixture(scope="module")
def call(lab: Path) -> Callable[..., tuple[int, str]]:
    """call(*arguments): the exit code of `probesheets ARGUMENTS --target spark`, and what it printed."""

    def probesheets(*arguments: str, **variables: str) -> tuple[int, str]:
        environment = {**spark.environment(lab), "SOURCE_DATE_EPOCH": "1700000000", **variables}
        result = run([str(command("spark", "probesheets")), *arguments, "--target", "spark"], lab, environment)
        return result.returncode, result.stdout + result.stderr

    return probesheets


@pytest.fixture(scope="module")
def parquet(lab: Path) -> Path:
    """A folder with two Parquet files of answers."""
    folder = lab.parent / "answers"
    folder.mkdir()
    duckdb.execute(f"copy (from ({ANSWERS}) where number < 5) to '{folder}/a.parquet'")
    duckdb.execute(f"copy (from ({ANSWERS}) where number = 5) to '{folder}/b.parquet'")
    return folder


def test_parquet_is_read_in_place(lab: Path, parquet: Path, call: Callable[..., tuple[int, str]]) -> None:
    options = [*OPTIONS, "--vars", "{extra_columns: [temperature]}"]
    code, said = call("run", "--source", str(parquet), *options, "--out", "out", PROBESHEETS_SCHEMA="ProbeSheets")
    assert code == 0, said
    assert "Spark reads 3 rows of answers in place" in said and "number → Record ID" in said
    assert not list((lab / "spark").glob("copied_sources/*/*"))
    duck = run(
        [str(command("duckdb", "probesheets")), "run", "--source", str(parquet), *options, "--out", "duck"],
        lab,
        {"PROBESHEETS_DUCKDB": str(lab / "copy.duckdb"), "SOURCE_DATE_EPOCH": "1700000000"},
    )
    assert duck.returncode == 0, duck.stderr
    names = sorted(path.relative_to(lab / "duck").as_posix() for path in (lab / "duck").rglob("*.xlsx"))
    assert len(names) > 5
    for name in names:
        assert sheet(lab / "out" / name) == sheet(lab / "duck" / name), name


def test_the_shape_of_the_copy_is_kept(
    lab: Path, call: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run` and `check` without a source read the copy of the test above; tables that exist may have another shape."""
    _, said = call("check")
    assert "2 text rows of 2 probes" in said, said
    monkeypatch.chdir(lab)
    assert shape_in("spark") == "answers"
    monkeypatch.setenv("PROBESHEETS_SOURCE_SCHEMA", "mine")
    assert shape_in("spark") is None


def test_a_moved_project_does_not_build_into_its_old_place(
    lab: Path, parquet: Path, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    moved = tmp_path / "moved spark"
    shutil.copytree(lab / "spark", moved)
    before = {file: file.stat().st_mtime_ns for file in (lab / "spark").rglob("*.parquet")}
    code, said = call("run", "--source", str(parquet), *OPTIONS, PROBESHEETS_SPARK_FILES=str(moved))
    assert code == 1 and "the folder was moved or copied" in said and "with --source" in said, said
    assert {file: file.stat().st_mtime_ns for file in (lab / "spark").rglob("*.parquet")} == before


def test_files_that_spark_passes_over_are_noticed(
    parquet: Path, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    for name in ("a", "_b"):
        shutil.copy(parquet / "a.parquet", tmp_path / f"{name}.parquet")
    duckdb.execute(f"copy (from ({ANSWERS}) where number = 5) to '{tmp_path}/_b.parquet'")
    code, said = call("run", "--source", str(tmp_path), *OPTIONS)
    assert code == 1 and "which have 3." in said and "do not begin with _" in said, said


def test_times_of_pandas_are_copied(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In nanoseconds, which Spark cannot read. The copy has them as text."""
    rows = "select 7::bigint as id, 'a' as text, timestamp_ns '2020-03-05 12:00:00' as date"
    duckdb.execute(f"copy ({rows}) to '{tmp_path}/nano.parquet'")
    monkeypatch.chdir(lab)
    offered = json.loads(offer_source(tmp_path, Source(str(tmp_path / "nano.parquet"))).environment[OFFERED])
    [copy] = tmp_path.rglob("answers.parquet")
    assert offered["views"] == {"answers": f"select * from parquet.`{copy}`"}
    assert duckdb.execute(f"select id, text, date from '{copy}'").fetchall() == [(7, "a", "2020-03-05 12:00:00")]


def test_the_notes_of_java_are_not_printed(parquet: Path, call: Callable[..., tuple[int, str]]) -> None:
    _, said = call("check", "--source", str(parquet), *OPTIONS)
    assert "STOP" not in said and "WARN" not in said and "log4j" not in said
    assert "Java" in said and "local[2]" in said and "2 text rows of 2 probes; 1 no answer" in said


REFUSED = {  # {name: (SQL of a Parquet file, options, what the message says)}
    "no id": ("select 'a' as text", [], "has no column id, so Spark cannot read it in place"),
    "an id that is text": ("select 'x1' as id, 'a' as text", [], "has the type VARCHAR, but must hold whole numbers"),
    "lists": ("select 1 as id, ['a'] as text", [], "the column text contains lists or objects"),
    "no rows": ("select 1 as id, 'a' as text where 1 = 0", [], "answers has no rows"),
    "null": ("select 1 as id, 'a' as text", ["--null", "NULL"], "in place, without --null"),
    "append": ("select 1 as id, 'a' as text", ["--append"], "Target spark has no --append"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_source_that_spark_cannot_read(
    name: str, lab: Path, tmp_path: Path, call: Callable[..., tuple[int, str]]
) -> None:
    query, options, message = REFUSED[name]
    duckdb.execute(f"copy ({query}) to '{tmp_path}/answers.parquet'")
    before = sorted((lab / "spark").rglob("*.parquet"))
    code, said = call("run", "--source", str(tmp_path / "answers.parquet"), *options, "--out", str(tmp_path / "out"))
    assert code == 1 and message in said, said
    assert not (tmp_path / "out").exists() and sorted((lab / "spark").rglob("*.parquet")) == before


def test_files_with_different_columns(tmp_path: Path, call: Callable[..., tuple[int, str]]) -> None:
    duckdb.execute(f"copy (select 1 as id, 'a' as text) to '{tmp_path}/a.parquet'")
    duckdb.execute(f"copy (select 2 as id, 'b' as text, 'gpt2' as model) to '{tmp_path}/b.parquet'")
    code, said = call("run", "--source", str(tmp_path))
    assert code == 1 and "b.parquet has a column model (VARCHAR), " in said and "a.parquet has none" in said, said


MACHINES = {  # {name: (environment, what the message says)}
    "no Java": ({"JAVA_HOME": "/nowhere"}, "Spark needs Java 17 or 21; JAVA_HOME (/nowhere) has no Java."),
    "memory": ({"PROBESHEETS_MEMORY": "1.5GB"}, "PROBESHEETS_MEMORY must be a whole number for Spark"),
    "another cluster": ({"PROBESHEETS_SPARK_MASTER": "yarn"}, "PROBESHEETS_SPARK_MASTER must be spark://host:port"),
    "no master": ({"PROBESHEETS_SPARK_MASTER": "spark://127.0.0.1:1"}, "No master of Spark answers at 127.0.0.1:1"),
    "no server": ({"PROBESHEETS_HOST": "127.0.0.1", "PROBESHEETS_PORT": "1"}, "No Thrift server of Spark answers"),
    "no port": ({"PROBESHEETS_HOST": "127.0.0.1", "PROBESHEETS_PORT": "x"}, "No Thrift server of Spark answers"),
    "no name": ({"PROBESHEETS_SCHEMA": "my-models"}, "PROBESHEETS_SCHEMA may have letters, digits and _ only on Spark"),
    "no path": ({"PROBESHEETS_SPARK_FILES": "s3://bucket/x"}, "PROBESHEETS_SPARK_FILES must be a path, such as"),
    "no folder": ({"PROBESHEETS_SPARK_FILES": "/proc/spark"}, "for Spark's tables cannot be written"),
    "two sources": ({"PROBESHEETS_SOURCE_SCHEMA": "other"}, "PROBESHEETS_SOURCE_SCHEMA names the source: other."),
}


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("words", ["run", "check"])
def test_a_machine_that_cannot_run_spark(
    name: str, words: str, parquet: Path, call: Callable[..., tuple[int, str]]
) -> None:
    environment, message = MACHINES[name]
    code, said = call(words, "--source", str(parquet), *OPTIONS, **environment)
    assert code == 1 and message in said, said


def test_without_a_build_an_export_says_where_it_looked(tmp_path: Path, call: Callable[..., tuple[int, str]]) -> None:
    code, said = call("export", PROBESHEETS_SPARK_FILES=str(tmp_path / "other"))
    assert code == 1 and f"There is no folder {tmp_path / 'other' / 'probesheets.db'}" in said
    assert "set PROBESHEETS_SPARK_FILES" in said


def test_a_shape_for_duckdb_only_is_refused_by_name(tmp_path: Path, call: Callable[..., tuple[int, str]]) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_text('{"messages": [{"role": "assistant", "content": "Hello"}]}\n', encoding="utf-8")
    code, said = call("run", "--source", str(file))
    assert code == 1 and "Only DuckDB can read a source of the shape messages." in said, said
