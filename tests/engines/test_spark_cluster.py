"""A cluster of Spark, of processes on this machine: a killed driver and a killed worker change no row."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import spark
from tests.build import WHOLE_NUMBERS, Build, Source, command, make_project, own_environment
from tests.conftest import Builder, need
from tests.engines.differences import compare_rows
from tests.engines.generate import lopsided_source
from tests.engines.test_same_characters import MODELS
from tests.engines.test_spark_tasks import rows_of_tasks
from tests.spark_cluster import Cluster, cluster, events, kill_group, until

TASKS = 8
SETTINGS = {
    "spark.default.parallelism": TASKS,
    "spark.sql.shuffle.partitions": 3,
    "spark.sql.autoBroadcastJoinThreshold": -1,  # joins shuffle the rows of each probe to one task, as with many probes
}


@pytest.fixture(scope="module")
def lopsided() -> Source:
    return lopsided_source()


@dataclass(frozen=True)
class Rebuilt:
    """A build whose driver was killed, then the same build again, of which a worker was killed."""

    build: Build
    left: set[Path]  # by the first: what tasks of marked_texts have written
    refused: str  # what an export said after the first
    lost: list[dict[str, Any]]  # tasks of the second that ended because their worker was lost


@pytest.fixture(scope="module")
def rebuilt(lopsided: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rebuilt]:
    need("spark")
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder / "processes", 2, SETTINGS) as processes:
        yield _rebuild(folder / "project", lopsided, processes)


def _rebuild(folder: Path, source: Source, processes: Cluster) -> Rebuilt:
    make_project(folder)
    environment = spark.environment(folder) | processes.environment
    environment["PROBESHEETS_INCOMING"] = spark.incoming(folder, {"table_output": source.outputs}, WHOLE_NUMBERS)
    marked = Path(environment["PROBESHEETS_SPARK_FILES"]) / f"{spark.SCHEMA}.db" / "marked_texts"

    driver = _start(folder, environment)
    until(lambda: any(_written(marked)), driver, 240)
    kill_group(driver)
    left = _written(marked)
    refused = Build("spark", folder, environment, "", 0).probesheets("export", "--target", "spark").stderr

    driver, victim = _start(folder, environment), processes.workers[0]
    until(lambda: bool(_written(marked) - left and victim.running()), driver, 240)
    victim.kill()
    said, _ = driver.communicate()
    ended = events(folder.parent / "processes", "SparkListenerTaskEnd")
    lost = [event for event in ended if event["Task End Reason"]["Reason"] == "ExecutorLostFailure"]
    return Rebuilt(Build("spark", folder, environment, said, driver.returncode), left, refused, lost)


def _written(table: Path) -> set[Path]:
    """What tasks have written while others of the table are running."""
    return set(table.glob("_temporary/*/task_*"))


def _start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    arguments = ["--no-use-colors", "run", "--target", "spark", "--profiles-dir", str(folder)]
    return subprocess.Popen(
        [str(command("spark", "dbt")), *arguments],
        cwd=folder, env=own_environment(environment, folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def test_a_build_completes_after_its_driver_was_killed(rebuilt: Rebuilt) -> None:
    assert rebuilt.left, "the driver was not writing"
    assert "The models are not ready: " in rebuilt.refused, rebuilt.refused
    assert "Run: dbt build --target spark" in rebuilt.refused
    assert rebuilt.build.returncode == 0, rebuilt.build.problems


def test_a_build_completes_although_a_worker_is_killed(rebuilt: Rebuilt) -> None:
    assert rebuilt.lost, "the worker had no task"
    assert rebuilt.build.returncode == 0, rebuilt.build.problems


@pytest.mark.parametrize("model", MODELS)
def test_same_rows(model: str, rebuilt: Rebuilt, lopsided: Source, built: Builder) -> None:
    ours, key = built("duckdb", lopsided), MODELS[model]
    columns = key + sorted(set(ours.columns(model)) - set(key))
    rows = {build.target: build.rows(model, columns) for build in (ours, rebuilt.build)}
    differences = compare_rows(model, columns, len(key), rows)
    assert not differences, "\n" + "\n".join(differences)


def test_a_probe_with_half_of_the_texts_is_in_all_tasks(rebuilt: Rebuilt) -> None:
    texts = rebuilt.build.query(f"select count(*) from {spark.SCHEMA}.marked_texts group by probe order by 1 desc")
    assert texts[0][0] > 5_000
    rows = rows_of_tasks(rebuilt.build, "marked_texts")
    assert len(rows) == TASKS and max(rows) < 1.5 * min(rows)
