"""`probesheets run`: source, dbt, workbooks; and its message when one of them fails."""

import re
from pathlib import Path

import pytest

from tests.build import Build, Source, command, make_project, own_part, run
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
    assert "Exported 1 of 1 text row to" in result.stderr
    # artifacts are kept apart by target, and nothing is left in the way of the next command
    [state] = (project / "target").glob("duckdb-*")
    assert (state / "manifest.json").is_file() and (state / "dbt.log").is_file()
    assert f"dbt's log: {(state / 'dbt.log').relative_to(project)}" in result.stderr


def test_a_text_tag_that_is_not_there(project: Path) -> None:
    (project / "mine.csv").write_text(HEADER + "1,1,0,raw,p,x\n2,1,1,full,p,x\n3,1,1,full,p,y\n", encoding="utf-8")
    arguments = ["run", "--source", "mine.csv", "--out", "sheets"]
    result = run([str(command("duckdb", "probesheets")), *arguments], project, {})
    assert result.returncode == 1
    assert "full (2), raw (1)" in result.stderr and "'trimmed'" in result.stderr
    assert not (project / "sheets").exists()
    # the copy that was there (here: none) is as it was, so that the next run takes the bundled sample
    assert "will use the sample" in probesheets(project, {}, "check").out
    result = run([str(command("duckdb", "probesheets")), "run", "--vars", "{text_tag: fool}"], project, {})
    assert result.returncode == 1 and "but no row of table_output has this tag" in result.stderr
    assert "'fool'" in result.stderr and "full (20)" in result.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ("{extra_columns: [probe]}", 'the name "probe" is taken'),
        ("{extra_tags: ['a\"b']}", "cannot be the name of a column"),
        ("{extra_tags: [Same As]}", 'the name "Same As" is a header of the spreadsheets'),
    ],
)
def test_a_name_that_cannot_be_taken(project: Path, variables: str, message: str) -> None:
    result = run([str(command("duckdb", "probesheets")), "run", "--vars", variables], project, {})
    assert result.returncode == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--target", "mariadb", "--source", "x.csv"], ["reads its own server"]),
        (["--target", "oracle"], ["duckdb, mariadb, mysql, spark"]),
        (["--experiments", "x.csv"], ["--experiments needs --source"]),
        (["--source", "none.csv"], ["none.csv does not exist"]),
        (["--vars", "[1"], ["--vars"]),
        (
            ["--vars", "{extra_tags: location}"],
            ["extra_tags must be a list of names, as in --vars '{extra_tags: [name]}'"],
        ),
        (["--vars", "{bare_links: 'no'}"], ["bare_links must be true or false"]),
        (["--vars", "{text_tag: true}"], ["text_tag must be a name"]),
        (["--vars", "{text_tga: x}"], ["There is no variable 'text_tga'", "text_tag"]),
        (["--out", "dbt_project.yml"], ["dbt_project.yml is a file. Give a folder with --out, such as out."]),
        (["--source", "models"], ["models is a folder", "Give a file: CSV, JSON, Parquet"]),
        (["--target", "mysql"], ["dbt-mysql", "make .venv-mysql", "-py3-none-any.whl[mysql]'"]),
    ],
)
def test_wrong_arguments(project: Path, arguments: list[str], parts: list[str]) -> None:
    result = probesheets(project, {}, "run", *arguments)
    assert result.code == 1
    assert all(part in result.err for part in parts), result.err


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--out"],
        ["export", "--out"],
        ["run", "--source"],
        ["check", "--source"],
        ["run", "--source", "x.csv", "--experiments"],
        ["export", "--sample", "1", "--seed"],
        ["verify"],
    ],
    ids=" ".join,
)
def test_an_empty_name(project: Path, arguments: list[str], name: str) -> None:
    """An empty --out would mean the current folder, an empty --source the existing copy."""
    before = sorted(project.rglob("*"))
    result = probesheets(project, {}, *arguments, name)
    assert result.code == 2
    assert (
        f"{arguments[-1] if len(arguments) > 1 else 'DIR'}" in result.err
        and "must not be empty. Give a value" in result.err
    )
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("arguments", [["--probe", ""], ["--only", " "], ["--sample", "1", "--per", ""]])
def test_an_empty_choice(built: Builder, sample: Source, arguments: list[str], tmp_path: Path) -> None:
    build: Build = built("duckdb", sample)
    result = probesheets(build.folder, build.environment, "export", "--out", str(tmp_path / "out"), *arguments)
    assert result.code == 1 and ("Valid: " in result.err or "are valid, for example: " in result.err)
    assert not list(tmp_path.rglob("*.xlsx"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SOURCE_DATE_EPOCH", "253402300800"),  # the year 10000
        ("SOURCE_DATE_EPOCH", "9" * 5_000),
        ("SOURCE_DATE_EPOCH", "-1"),
        ("SOURCE_DATE_EPOCH", "soon"),
        ("PROBESHEETS_WORKERS", "0"),
        ("PROBESHEETS_WORKERS", "9" * 5_000),
    ],
)
def test_numbers_of_the_environment(built: Builder, sample: Source, variable: str, value: str, tmp_path: Path) -> None:
    build: Build = built("duckdb", sample)
    environment = {**build.environment, variable: value}
    result = probesheets(build.folder, environment, "export", "--out", str(tmp_path / "out"))
    assert result.code == 1 and f"{variable} must be a whole number from " in result.err and value[:30] in result.err
    assert not list(tmp_path.rglob("*.xlsx"))


def test_the_last_second_that_is_a_date(built: Builder, sample: Source, tmp_path: Path) -> None:
    build: Build = built("duckdb", sample)
    environment = {**build.environment, "SOURCE_DATE_EPOCH": "253402300799"}
    result = probesheets(build.folder, environment, "export", "--out", str(tmp_path / "out"))
    assert result.code == 0, result.err
    assert '"created": "9999-12-31T23:59:59+00:00"' in (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")


def test_nothing_is_built_yet(project: Path, built: Builder, sample: Source) -> None:
    result = probesheets(project, {}, "export")
    assert result.code == 1 and "does not exist yet" in result.err and "probesheets run" in result.err
    build: Build = built("duckdb", sample)
    elsewhere = build.environment | {"PROBESHEETS_DUCKDB": str(project / "none.duckdb")}
    result = probesheets(build.folder, elsewhere, "export")
    assert result.code == 1 and "does not exist yet" in result.err and "probesheets run" in result.err


def test_a_model_that_breaks_its_promise_stops_the_export(project: Path) -> None:
    """The message has the test's name and a sentence of advice, for our own tests and dbt's."""
    model = own_part(project, "models") / "texts" / "texts.sql"
    model.write_text(
        model.read_text(encoding="utf-8").replace(
            "from marked\n", "from (select * from marked union all select * from marked) as marked\n"
        ),
        encoding="utf-8",
    )
    result = run([str(command("duckdb", "probesheets")), "run", "--out", "out"], project, {})
    assert result.returncode == 1 and "dbt build failed" in result.stderr
    said = re.sub(r"\s+", " ", result.stderr)
    assert re.search(
        "FAIL unique_texts_text_id: [0-9]+ rows?\\. The models are inconsistent. Build all of them again", said
    )
    assert not (project / "out").exists()


def test_a_warning_says_how_many_rows_and_what_to_do(project: Path) -> None:
    result = run([str(command("duckdb", "probesheets")), "run", "--vars", "{extra_tags: [auhtor]}"], project, {})
    assert result.returncode == 0
    assert "WARN texts_without_date: 4 rows (text_id 174, 356, 835, ...). Source data: texts" in result.stderr
    assert "WARN tags_that_no_row_has: 1 row (wanted_tag 'auhtor')." in result.stderr
    assert "so its column is empty" in result.stderr
