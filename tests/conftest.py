"""Servers and builds that many tests share: each is made once, when the first test asks for it.

The tests read these environment variables, all optional:

PROBESHEETS_TEST_MYSQL_ENV         folder of the virtual environment with dbt-mysql (default: .venv-mysql)
PROBESHEETS_TEST_MYSQL_ROOT        folder with the files of a MySQL server (default: ~/.cache/probesheets/mysql)
PROBESHEETS_TEST_SPARK_ENV         folder of the virtual environment with dbt-spark (default: .venv-spark)
PROBESHEETS_TEST_CORPUS            a CSV file of your own to compare the engines with; unset, those tests are skipped
PROBESHEETS_TEST_QUALCODER         a checkout of QualCoder, which imports workbooks; unset, those tests are skipped
PROBESHEETS_TEST_QUALCODER_PYTHON  a Python with PyQt6 and openpyxl for it (default: the one that runs the tests)
PROBESHEETS_TEST_REFI              a folder with the XSDs of REFI-QDA; unset, that test is skipped
PROBESHEETS_FUZZ                   how many times as many damaged files the loader gets (default 1; `make fuzz`: 10)
PROBESHEETS_SOAK                   the part of the 360 random kills that is done (default 0.02; `make soak`: 1)
PROBESHEETS_SOAK_SEED              the number that the random kills begin with, to repeat them
CI                                 "true" makes a missing MariaDB, Spark, Chromium or llm a failure instead of a skip
"""

import csv
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock

from tests import spark
from tests.browser import HINT, Browser, browser
from tests.build import WHOLE_NUMBERS, Build, Source, build
from tests.coding.rows import seeds
from tests.engines.generate import generated_source
from tests.engines.rules import rules_source
from tests.exports import export
from tests.growth import earlier_source
from tests.servers import ROOT, Server, find_mariadb, find_mysql, mariadb, mysql, mysql_environment

SERVERS = ("mariadb", "mysql")
OTHERS = (*SERVERS, "spark")  # to be compared with DuckDB
ENGINES = ("duckdb", *OTHERS)
_HINTS = {
    "mariadb": "MariaDB is not installed (apt-get install mariadb-server)",
    "mysql": "MySQL is not installed (.ci/run gets it; or name a root folder in PROBESHEETS_TEST_MYSQL_ROOT)",
    "spark": spark.HINT,
    "Chromium": HINT,
    "llm": "llm is not installed (make .venv-llm)",
}
Builder = Callable[[str, Source], Build]


def pytest_configure() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # both stop the servers; tests send the first
        signal.signal(number, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    said = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for kind, hint in _HINTS.items():
        if any(hint in reason for reason in said):
            terminalreporter.write_line(f"NOT TESTED on {kind}: {hint}.", yellow=True)


def need(kind: str) -> None:
    """Skip the test if a server is missing."""
    if kind == "spark":
        return None if spark.is_installed() else skip(kind)
    if find_mariadb() if kind == "mariadb" else find_mysql():
        if not (mysql_environment() / "bin" / "dbt").exists():
            pytest.fail(f"{mysql_environment()} has no dbt. Run: make .venv-mysql")
        return
    skip(kind)


def skip(kind: str) -> NoReturn:
    """Skip, and say so in the last lines; but on CI only MySQL may be missing."""
    if kind != "mysql" and os.environ.get("CI") == "true":
        pytest.fail(_HINTS[kind])
    pytest.skip(_HINTS[kind])


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    need("mariadb")
    with mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Server]:
    need("mysql")
    with mysql() as server:
        yield server


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """built(target, source): the project built on one engine from one source, once per session."""
    builds: dict[tuple[str, str], Build] = {}

    def get(target: str, source: Source) -> Build:
        server = request.getfixturevalue(f"{target}_server") if target in SERVERS else None
        if (target, source.name) not in builds:
            folder = tmp_path_factory.getbasetemp() / f"{source.name}-{target}"
            make = _built_on_spark if target == "spark" else build
            builds[target, source.name] = make(folder, target, source, server)
        result = builds[target, source.name]
        if result.returncode:
            pytest.fail(
                f"dbt build failed on {target} with the source {source.name}:\n{result.problems}", pytrace=False
            )
        return result

    return get


def _built_on_spark(folder: Path, target: str, source: Source, _: None) -> Build:
    """One build for all processes of the tests, since it takes minutes."""
    need(target)
    folder = spark.shared(folder) / folder.name
    made = folder.with_suffix(".json")
    with FileLock(folder.with_suffix(".lock")):
        if not made.exists():
            result = build(folder, target, source, None)
            made.write_text(json.dumps(asdict(result), default=str), encoding="utf-8")
    return Build(**json.loads(made.read_text(encoding="utf-8")) | {"folder": folder})


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=OTHERS)
def other_engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SERVERS)
def server_engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A tab of a real Chromium."""
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="session")
def rules() -> Source:
    return rules_source()


@pytest.fixture(scope="session")
def generated() -> Source:
    return generated_source()


@pytest.fixture(scope="session")
def sample() -> Source:
    """The bundled sample and two rows more; on the servers in the character sets of an old database."""
    folder = ROOT / "sample"
    types = {"tag": "varchar(255) character set utf8mb3", "probe": "text character set latin1", "sent_val": "float"}
    latin = {"root_id": None, "experiment_id": 3, "depth": 1, "probe": "Café’s €5 naïve"}
    rows = [
        {"id": 9_001, "tag": "trimmed", "content": "Café’s €5 naïve façade"} | latin,
        {"id": 9_002, "tag": "date", "content": "2021-05-06"} | latin,
    ]
    return Source(
        "sample",
        read_csv(folder / "table_output.csv") + rows,
        read_csv(folder / "table_experiment.csv"),
        {"extra_tags": ["location", "author"], "extra_columns": ["sent_label", "depth", "tag"]},
        types,
        seeds(),
    )


@pytest.fixture(scope="session")
def built_sample(built: Builder, sample: Source) -> Build:
    return built("duckdb", sample)


@pytest.fixture(scope="session")
def earlier(built: Builder, sample: Source) -> Build:
    """The models of the sample before it grew."""
    return built("duckdb", earlier_source(sample))


@pytest.fixture(scope="session")
def exported_earlier(earlier: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of `earlier`; a test works with a copy."""
    folder = tmp_path_factory.mktemp("earlier") / "out"
    assert export(earlier, folder).code == 0
    return folder


@pytest.fixture(scope="session")
def later(built_sample: Build) -> Build:
    """The models after the source of `earlier` has grown."""
    return built_sample


@pytest.fixture(scope="session")
def corpus() -> Source:
    """Your own corpus, if PROBESHEETS_TEST_CORPUS names a CSV file."""
    file = os.environ.get("PROBESHEETS_TEST_CORPUS")
    if not file:
        pytest.skip("PROBESHEETS_TEST_CORPUS names no CSV file")
    return Source("corpus", read_csv(Path(file)))


def read_csv(file: Path) -> list[dict[str, Any]]:
    """The rows of one of our CSV files. csv cannot tell null (an unquoted empty field) from empty: both are empty."""
    csv.field_size_limit(2**31 - 1)
    with file.open(encoding="utf-8", newline="") as stream:
        return [{name: _typed(name, value) for name, value in row.items()} for row in csv.DictReader(stream)]


def _typed(name: str, value: str) -> Any:
    if name in WHOLE_NUMBERS:
        return int(value) if value else None
    return None if name == "sent_val" and not value else value
