"""table_text and table_run: a server builds them, and a copy in DuckDB gives the same workbooks."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.build import command, make_project, run
from tests.exports import records, sheet
from tests.servers import USER, Server

SOURCE, TARGET = "later_tables", "later_models"
TABLES = Path(__file__).with_name("later_tables.sql").read_text(encoding="utf-8").partition("\n")[2].strip().rstrip(";")
TEXTS = {
    "T1": ["open, see https://example.org/a", "April, 2020", "gpt2", "Zürich", "The café is", "exact"],
    "T2": ["shut", "March, 2020", "gpt2", "", "The café is", "exact"],
    "T3": ["No prompt", "", "", "", "(no probe)", "none"],
}
RUNS = {
    "T1": ["a time", "May, 2022", "text-davinci-003", "11", "Once upon", "exact"],
    "T2": ["a naïve\ntime", "", "text-davinci-003", "12", "Once upon", "none"],
}
CASES = {
    "table_text": ("location", ["--vars", "{extra_tags: [location]}"], TEXTS, ["R4", "R5"]),
    "table_run": ("run_id", ["--vars", "{extra_columns: [run_id]}"], RUNS, ["R3"]),
}
COPIED: dict[str, Server] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("later") / "project"
    make_project(folder)
    return folder


@pytest.fixture
def server(server_engine: str, request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(f"{server_engine}_server")
    if not server.root.execute(f"show databases like '{SOURCE}'"):
        server.create_schemas(SOURCE, TARGET)
        for statement in TABLES.split(";"):
            server.root.execute(statement.replace("create table ", f"create table {SOURCE}.", 1)
                                .replace("insert into ", f"insert into {SOURCE}.", 1))  # fmt: skip
    return server


@cache
def written(server: Server, folder: Path, shape: str, target: str) -> Path:
    """What a run writes: by the server's own target, or from a copy in DuckDB."""
    out = folder / f"{server.kind}-{shape}-{target}"
    options = ["--target", target, "--shape", shape]
    environment = server.environment(SOURCE, TARGET) | {"SOURCE_DATE_EPOCH": "1700000000"}
    if target == "duckdb":
        options = ["--source", url(server), "--shape", shape]
        environment |= {"PROBESHEETS_DUCKDB": str(folder / f"{server.kind}-{shape}.duckdb")}
    arguments = [str(command(target, "probesheets")), "run", "--out", str(out), *options, *CASES[shape][1]]
    result = run(arguments, folder, environment)
    assert result.returncode == 0, result.stderr
    return out


def url(server: Server) -> str:
    return f"mysql://{USER}@127.0.0.1:{server.port}/{SOURCE}"


@pytest.mark.parametrize("shape", CASES)
def test_a_server_and_a_copy_of_it_give_the_same_workbooks(server: Server, folder: Path, shape: str) -> None:
    # both servers have the same rows, so one copy is enough
    theirs = written(COPIED.setdefault(shape, server), folder, shape, "duckdb")
    ours = written(server, folder, shape, server.kind)
    names = sorted(path.relative_to(ours).as_posix() for path in ours.rglob("*.xlsx"))
    assert names == sorted(path.relative_to(theirs).as_posix() for path in theirs.rglob("*.xlsx"))
    for name in names:
        assert sheet(ours / name) == sheet(theirs / name), name


@pytest.mark.parametrize("shape", CASES)
def test_the_texts_have_their_date_model_and_further_columns(server: Server, folder: Path, shape: str) -> None:
    extra, _, expected, left_out = CASES[shape]
    out = written(server, folder, shape, server.kind)
    found: dict[str, list[Any]] = {}
    for file in (out / "with_links").iterdir():
        header, *rows = sheet(file)
        for row in rows:
            cells = dict(zip(header, row, strict=True))
            found[cells["Record ID"]] = [
                cells[name] for name in ("Text", "Month", "Model", extra, "Probe", "Date match")
            ]
    assert found == expected
    assert records(out, "left_out.xlsx") == left_out
    totals = json.loads((out / "manifest.json").read_text("utf-8"))["totals"]
    assert totals["text_rows"] == len(expected) + len(left_out)


@pytest.mark.parametrize("shape", CASES)
def test_staging_is_a_table_with_an_index(server: Server, folder: Path, shape: str) -> None:
    written(server, folder, shape, server.kind)
    found = server.root.execute(f"show index from {TARGET}.stg_table_output")
    assert "output_id" in str(found), found


def test_rows_that_are_not_used_are_counted_by_their_kind(server: Server, folder: Path) -> None:
    out = written(server, folder, "table_text", server.kind)
    totals = json.loads((out / "manifest.json").read_text("utf-8"))["totals"]
    assert totals["rows_of_unused_tags"] == {"Created": 1, "probability": 1}


def test_an_embedding_is_never_read(server: Server, folder: Path) -> None:
    said = checked(server, folder, "--source", url(server), "--shape", "table_run")
    assert "run_id" in said and "embedding" not in said


def test_two_shapes_in_one_schema_need_a_choice(server: Server, folder: Path) -> None:
    said = checked(server, folder, "--source", url(server))
    assert "has the tables of more than one shape. Add --shape table_text or --shape table_run." in said


def test_the_other_shapes_of_a_schema_are_named(server: Server, folder: Path) -> None:
    said = checked(server, folder, "--source", url(server), "--shape", "table_run")
    assert "The schema also has table_text, with 5 rows. To read it instead, add --shape table_text" in said


def test_a_server_without_table_output_says_what_it_has(server: Server, folder: Path) -> None:
    said = checked(server, folder, "--target", server.kind)
    assert "There is no table" in said and "table_text (rows: 5)" in said and "--vars '{shape: table_text}'" in said


def checked(server: Server, folder: Path, *options: str) -> str:
    target = options[1] if options[0] == "--target" else "duckdb"
    environment = server.environment(SOURCE, TARGET) | {"PROBESHEETS_DUCKDB": str(folder / "checked.duckdb")}
    return run([str(command(target, "probesheets")), "check", *options], folder, environment).stdout
