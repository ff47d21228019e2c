"""A copy of a source is accepted by the build of its own `run`, after its checks, and by nothing else."""

import shutil
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
from tests.build import command, make_project, run
from tests.exporter.command import Result, probesheets

HEADER = "id,experiment_id,root_id,tag,probe,content"
FIRST = f"{HEADER}\n1,1,0,raw,P,P one\n2,1,1,trimmed,P,one\n"
LATER = f"{HEADER}\n1,1,0,raw,P,P one\n2,1,1,trimmed,P,one\n3,1,1,trimmed,P,two\n"


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies") / "p"
    make_project(folder)
    (folder / "first.csv").write_text(FIRST, encoding="utf-8")
    (folder / "later.csv").write_text(LATER, encoding="utf-8")
    assert probesheets(folder, {}, "run", "--source", "first.csv").code == 0
    return folder


@pytest.fixture
def project(built_once: Path, tmp_path: Path) -> Path:
    """A project with a copy of FIRST, built and exported into out/, and a file later.csv."""
    return Path(shutil.copytree(built_once, tmp_path / "p", symlinks=True))


def rows(project: Path) -> int:
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        [(count,)] = connection.execute("select count(*) from table_output").fetchall()
    return int(count)


@pytest.mark.parametrize("fault", ["{text_tag: none}", "{extra_tags: 5}"])
def test_a_source_with_a_fault_changes_nothing(project: Path, fault: str) -> None:
    result = probesheets(project, {}, "run", "--source", "later.csv", "--vars", fault)
    assert result.code == 1 and "dbt build failed" not in result.err and result.err.count("Error") == 1, result.err
    assert rows(project) == 2
    assert probesheets(project, {}, "verify", "out", "--target", "duckdb").code == 0
    with duckdb.connect(str(project / "probesheets.duckdb"), read_only=True) as connection:
        assert not [name for (name,) in connection.execute("show tables").fetchall() if name.startswith("incoming")]


def test_an_id_twice_is_refused_and_the_copy_stays(project: Path) -> None:
    (project / "twice.csv").write_text(FIRST + "2,1,1,trimmed,P,two\n", encoding="utf-8")
    result = probesheets(project, {}, "run", "--source", "twice.csv")
    assert result.code == 1 and "table_output has 2 rows with the id 2" in result.err
    assert "The previous copy is unchanged." in result.err
    assert rows(project) == 2


def killed_before_its_build(project: Path) -> None:
    copy_source(project / "probesheets.duckdb", Source(str(project / "later.csv")))


def test_no_other_command_accepts_what_a_killed_run_left(project: Path) -> None:
    killed_before_its_build(project)
    said: Result = probesheets(project, {}, "check")
    assert "1 text row of 1 probe" in said.out
    dbt = [str(command("duckdb", "dbt")), "run", "--select", "stg_table_output", "--profiles-dir", "."]
    assert run(dbt, project, {}).returncode == 0
    assert probesheets(project, {}, "run").code == 0
    assert rows(project) == 2
    assert probesheets(project, {}, "run", "--source", "later.csv").code == 0
    assert rows(project) == 3


def test_one_run_at_a_time(project: Path) -> None:
    with FileLock(project / "probesheets.duckdb.lock"):
        result = probesheets(project, {}, "run", "--source", "later.csv")
    assert result.code == 1 and "Another `probesheets run` is using" in result.err
    assert rows(project) == 2
