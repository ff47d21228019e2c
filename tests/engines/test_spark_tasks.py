"""All cores of Spark mark texts, whatever the size of the files that it reads."""

from pathlib import Path

import pyarrow.parquet as pq

from tests import spark
from tests.build import Build, Source
from tests.conftest import Builder


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
