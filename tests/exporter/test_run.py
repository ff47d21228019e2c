"""`probesheets run`: source, dbt, workbooks; and what it says when one of them is wrong."""

from pathlib import Path

import pytest

from tests.build import Build, Source, command, make_project, run
from tests.conftest import Builder
from tests.exporter.command import probesheets

HEADER = "id,experiment_id,root_id,tag,probe,content\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "p")
    return tmp_path / "p"


def test_a_file_becomes_workbooks(project: Path) -> None:
    (project / "mine.csv").write_text(
        HEADER + '1,1,0,raw,Say,"Say a, http://x.example.com/1"\n2,1,1,trimmed,Say,"Say a, http://x.example.com/1"\n',
        encoding="utf-8",
    )
    arguments = ["run", "--source", "mine.csv", "--out", "sheets"]
    result = run([str(command("duckdb", "probesheets")), *arguments], project, {})
    assert result.returncode == 0, result.stdout + result.stderr
    names = sorted(path.relative_to(project / "sheets").as_posix() for path in (project / "sheets").rglob("*.xlsx"))
    assert [name.split("-")[0] for name in names] == ["index.xlsx", "links.xlsx", "with_links/say", "without_links/say"]
    assert "1 of 1 text rows are texts, with 1 links" in result.stderr
    # artifacts are kept apart by target, and nothing is left in the way of the next command
    assert (project / "target" / "duckdb" / "manifest.json").is_file()


def test_a_text_tag_that_is_not_there(project: Path) -> None:
    (project / "mine.csv").write_text(HEADER + "1,1,0,raw,p,x\n2,1,1,full,p,x\n3,1,1,full,p,y\n", encoding="utf-8")
    arguments = ["run", "--source", "mine.csv", "--out", "sheets"]
    result = run([str(command("duckdb", "probesheets")), *arguments], project, {})
    assert result.returncode == 1
    assert "full (2), raw (1)" in result.stdout and "'trimmed'" in result.stdout
    assert "dbt build failed" in result.stderr
    assert not (project / "sheets").exists()


def test_a_name_that_is_taken(project: Path) -> None:
    arguments = ["run", "--vars", "{extra_columns: [probe]}"]
    result = run([str(command("duckdb", "probesheets")), *arguments], project, {})
    assert result.returncode == 1
    assert "the name probe is taken" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--target", "mariadb", "--source", "x.csv"], ["reads its own server"]),
        (["--target", "spark"], ["duckdb, mariadb, mysql"]),
        (["--experiments", "x.csv"], ["--experiments goes with --source"]),
        (["--source", "none.csv"], ["none.csv is not a file"]),
        (["--vars", "[1"], ["--vars"]),
        (["--target", "mysql"], ["dbt-mysql", "make .venv-mysql", "pip install '.[mysql]'"]),
    ],
)
def test_wrong_arguments(project: Path, arguments: list[str], parts: list[str]) -> None:
    result = probesheets(project, {}, "run", *arguments)
    assert result.code == 1
    assert all(part in result.err for part in parts), result.err


def test_nothing_is_built_yet(project: Path, built: Builder, sample: Source) -> None:
    result = probesheets(project, {}, "export")
    assert result.code == 1 and "probesheets run --target duckdb" in result.err
    build: Build = built("duckdb", sample)
    elsewhere = build.environment | {"PROBESHEETS_DUCKDB": str(project / "none.duckdb")}
    result = probesheets(build.folder, elsewhere, "export")
    assert result.code == 1 and "no database" in result.err and "probesheets run" in result.err
