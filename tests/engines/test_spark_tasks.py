"""All cores of Spark mark texts, whatever the size of the files that it reads."""

from pathlib import Path

import pyarrow.parquet as pq

from tests import spark
from tests.build import Build, Source, command, make_project, own_part, run
from tests.conftest import Builder, need


def rows_of_tasks(build: Build, table: str) -> list[int]:
    """How many rows each task has written: a task writes one file."""
    folder = Path(build.environment["PROBESHEETS_SPARK_FILES"]) / f"{build.schema}.db" / table
    return [pq.ParquetFile(file).metadata.num_rows for file in folder.glob("*.parquet")]


def test_all_cores_mark_texts(generated: Source, built: Builder) -> None:
    """10,374 texts are in one small file, which Spark would read as one task."""
    build = built("spark", generated)
    assert sum(rows_of_tasks(build, "combined_v2")) >= 10_000
    assert len(rows_of_tasks(build, "combined_v2")) == 1
    marked = rows_of_tasks(build, "marked_texts")
    assert len(marked) >= spark.CORES
    assert max(marked) < 1.5 * min(marked)


def test_few_texts_are_marked_by_one_task(rules: Source, built: Builder) -> None:
    assert len(rows_of_tasks(built("spark", rules), "marked_texts")) == 1


SHOW = """
{% macro show_partitions() %}
  {% for rows in [100000000, 4000000000, 1000000000] %}
    {% do prepare_session(rows) %}
    {% do print('in tasks: ' ~ run_query('set spark.sql.shuffle.partitions').rows[0][1]) %}
  {% endfor %}
{% endmacro %}
"""


def test_a_large_source_is_joined_in_more_tasks(tmp_path: Path) -> None:
    """Than the 200 of Spark; a number that is set already is never lowered."""
    need("spark")
    make_project(tmp_path / "project")
    (own_part(tmp_path / "project", "macros") / "show.sql").write_text(SHOW, encoding="utf-8")
    arguments = ["--quiet", "run-operation", "show_partitions", "--target", "spark"]
    result = run([str(command("spark", "dbt")), *arguments], tmp_path / "project", spark.environment(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert [line for line in result.stdout.splitlines() if "in tasks" in line] == [
        f"in tasks: {number}" for number in (200, 8000, 8000)
    ]
