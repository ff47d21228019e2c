"""Fixtures that the tests of this folder share: processes to stop, folders to damage, builds to interrupt."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.build import Build, Source, make_project
from tests.conftest import Builder
from tests.exports import contents
from tests.trust.build_case import COLUMNS, Case, copy_tables
from tests.trust.folders import FOREIGN, GONE, GUARD, NEW, OLD, Exports, as_json, export, fill
from tests.trust.processes import Child, Starter


@pytest.fixture
def start() -> Iterator[Starter]:
    """start(build, environment, *arguments): a Child; those that still run at the end of the test are killed."""
    children: list[Child] = []

    def new(build: Build, environment: Mapping[str, str], *arguments: str) -> Child:
        children.append(Child(build, environment, *arguments))
        return children[-1]

    yield new
    for child in children:
        with suppress(OSError):
            child.process.kill()
        child.process.communicate()


@pytest.fixture(scope="session")
def exports(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Exports:
    folders = []
    for environment in (OLD, NEW):
        folder = tmp_path_factory.mktemp("export") / "out"
        result = export(built_sample, environment, folder)
        assert result == (0, result[1])
        folders.append(contents(folder))
    assert all(folders[0][name] != folders[1][name] for name in folders[0] if name.endswith(".xlsx"))
    return Exports(*folders)


@pytest.fixture
def folder(tmp_path: Path, exports: Exports) -> Path:
    """An older export with one workbook too many, among files that are not ours."""
    told = json.loads(exports.old["manifest.json"])
    told["files"].append(GONE)
    fill(tmp_path / "out", {**exports.old, **FOREIGN, str(GONE["path"]): b"old", "manifest.json": as_json(told)})
    return tmp_path / "out"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder beside the output folder, with files that no export may touch."""
    fill(tmp_path / "elsewhere", GUARD)
    return tmp_path / "elsewhere"


@pytest.fixture
def exported(tmp_path: Path, exports: Exports) -> Path:
    fill(tmp_path / "out", exports.old)
    return tmp_path / "out"


@pytest.fixture(scope="session")
def plain_sample(sample: Source) -> Source:
    """The sample without variables, so that plain dbt commands work."""
    return Source("builds", [{name: row[name] for name in COLUMNS} for row in sample.outputs], sample.experiments)


@pytest.fixture(scope="session")
def new_rows(plain_sample: Source) -> list[tuple[Any, ...]]:
    texts = {row["probe"]: row for row in plain_sample.outputs if row["tag"] == "trimmed"}
    new = {"content": "One more, see http://new.example.com"}
    return [tuple({**row, **new, "id": 20_000 + at}[name] for name in COLUMNS) for at, row in enumerate(texts.values())]


@pytest.fixture(scope="session")
def complete(
    built: Builder, plain_sample: Source, new_rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Build]:
    """complete(target): the models built and exported, with what brings them back to this state."""

    @cache
    def get(target: str) -> Build:
        build = built(target, plain_sample)
        result = build.probesheets("export", "--target", target)
        assert result.returncode == 0, result.stderr
        if build.server:
            for schema in (build.schema, build.environment["PROBESHEETS_SOURCE_SCHEMA"]):
                build.server.root.execute(f"create schema kept_{schema}")
                copy_tables(build.server, schema, f"kept_{schema}")
        else:
            with duckdb.connect() as connection:
                rows = ", ".join(["(" + ", ".join("?" * len(COLUMNS)) + ")"] * len(new_rows))
                connection.execute(
                    f"copy (select {', '.join(COLUMNS)} from '{build.folder}/table_output.parquet' union all "
                    f"select * from (values {rows})) to '{build.folder}/later.parquet'",
                    [None if value is None else str(value) for row in new_rows for value in row],
                )
        return build

    return get


def make_case(build: Build, new_rows: list[tuple[Any, ...]], folder: Path) -> Case:
    """A case whose project folder, and whose schemas on a server, are as they were after the build."""
    make_project(folder)
    shutil.copytree(build.folder / "out", folder / "out")
    environment = dict(build.environment)
    if build.server:
        for schema in (build.schema, environment["PROBESHEETS_SOURCE_SCHEMA"]):
            copy_tables(build.server, f"kept_{schema}", schema)
    else:
        for name in ("probesheets.duckdb", "later.parquet", "table_experiment.parquet"):
            shutil.copy(build.folder / name, folder / name)
    return Case(replace(build, folder=folder, environment=environment), new_rows)


@pytest.fixture(params=["duckdb", "mariadb"])
def case(
    request: pytest.FixtureRequest, complete: Callable[[str], Build], new_rows: list[tuple[Any, ...]], tmp_path: Path
) -> Case:
    return make_case(complete(request.param), new_rows, tmp_path / "p")


@pytest.fixture
def on_server(complete: Callable[[str], Build], new_rows: list[tuple[Any, ...]], tmp_path: Path) -> Case:
    """For builds at the same time: only one process can open a DuckDB file."""
    return make_case(complete("mariadb"), new_rows, tmp_path / "p")
