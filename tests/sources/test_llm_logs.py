"""The log of the command line llm, written by the real one: both generations of its tables, and files that are none."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.build import command, make_project, run
from tests.conftest import skip
from tests.exporter.command import Result, probesheets
from tests.exports import sheet
from tests.servers import ROOT

PYTHON = ROOT / ".venv-llm" / "bin" / "python"
CHILD = Path(__file__).parent / "llm_child.py"
COMMANDS = [["-m", "echo", "A dog is"], ["-c", "And then?"], ["-m", "echo", "--system", "Be brief.", "Silence"]]
# earlier than the older rows, so that the order shows what comes first; the last one was asked first
DATES = ["2022-02-01T10:00:00+00:00", "2022-02-02T10:00:00+00:00", "2022-01-01T10:00:00+00:00"]
OLDER = [
    ("o3", "A cat is", "A cat is late", "2023-05-02T10:00:00+00:00"),
    ("o2", "A cat is", None, "2023-05-01T10:00:00+00:00"),
    ("o1", "A cat is", "small", "2023-05-01T10:00:00+00:00"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """logs.db with answers of version 0.36, and rows in the table that versions before 0.32 wrote to."""
    if not PYTHON.exists():
        skip("llm")
    folder = tmp_path_factory.mktemp("llm")
    result = run([str(PYTHON), str(CHILD), json.dumps(COMMANDS)], folder, {"LLM_USER_PATH": str(folder)})
    assert result.returncode == 0, result.stdout + result.stderr
    with closing(sqlite3.connect(folder / "logs.db")) as database, database:
        database.execute("insert into conversations (id, name, model) values ('c1', 'Cats', 'old')")
        database.executemany(
            "insert into responses (id, prompt, response, datetime_utc, conversation_id, model, system) "
            "values (?, ?, ?, ?, 'c1', 'old', 'Be kind.')",
            OLDER,
        )
        for number, date in enumerate(DATES, start=1):
            database.execute("update turns set datetime_utc = ? where rowid = ?", (date, number))
    return folder / "logs.db"


@pytest.fixture(scope="module")
def out(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbooks of the log."""
    project = tmp_path_factory.mktemp("project") / "p"
    make_project(project)
    result = run([str(command("duckdb", "probesheets")), "run", "--source", str(log)], project, {})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Read 6 rows of llm_logs" in result.stderr
    assert probesheets(project, {}, "export", "--only", "all_texts").code == 0
    return project / "out"


def rows(file: Path, *headers: str) -> list[tuple[Any, ...]]:
    header, *cells = sheet(file)
    return sorted(tuple(str(row[header.index(name)]) for name in headers) for row in cells)


def test_rows_of_both_generations(log: Path, out: Path) -> None:
    """The older ones first, each by date and id: rows 1 and 4 have no text."""
    with closing(sqlite3.connect(log)) as database:
        turns = database.execute("select id, thread_id from turns order by rowid").fetchall()
    assert turns[0][1] == turns[1][1]
    found = rows(out / "all_texts.xlsx", "Record ID", "Probe", "Text", "Date", "Model", "Source ID", "conversation")
    assert found == [
        ("T1", "A cat is", "small", "2023-05-01", "old", "o1", "c1"),
        ("T3", "A cat is", "A cat is late", "2023-05-02", "old", "o3", "c1"),
        ("T5", "A dog is", "A dog is and more", "2022-02-01", "echo", *turns[0]),
        ("T6", "And then?", "And then? and more", "2022-02-02", "echo", *turns[1]),
    ]


def test_answers_that_are_missing_or_empty(out: Path) -> None:
    assert rows(out / "left_out.xlsx", "Record ID", "Probe", "Content", "Reason") == [
        ("R2", "A cat is", "", "no answer"),
        ("R4", "Silence", "", "no answer"),
    ]


def refused(folder: Path, file: Path) -> Result:
    """What the command says of a file that it must not read."""
    make_project(folder / "p")
    result = probesheets(folder / "p", {}, "run", "--source", str(file))
    assert result.code == 1 and not (folder / "p" / "out").exists()
    return result


@pytest.mark.parametrize("names", [["photos", "albums"], []])
def test_a_database_of_another_program(tmp_path: Path, names: list[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as database, database:
        database.execute("pragma user_version = 1")
        for name in names:
            database.execute(f"create table {name} (id)")
    said = refused(tmp_path, tmp_path / "x.db").err
    assert "x.db is a SQLite database, but not a log of llm: it has no table responses or turns." in said
    assert f"Its tables: {', '.join(names) or 'none'}. To read one, export it as CSV." in said


@pytest.mark.parametrize("kept", [100, 5000])
def test_a_damaged_database(log: Path, tmp_path: Path, kept: int) -> None:
    (tmp_path / "logs.db").write_bytes(log.read_bytes()[:kept])
    said = refused(tmp_path, tmp_path / "logs.db").err
    assert "logs.db cannot be read as a log of llm: database disk image is malformed." in said


def test_a_database_with_a_damaged_page(log: Path, tmp_path: Path) -> None:
    """It shows only while the rows are read."""
    content = log.read_bytes()
    place = content.index(b"A cat is late") // 4096 * 4096
    (tmp_path / "logs.db").write_bytes(content[:place] + b"\xff" * 4096 + content[place + 4096 :])
    said = refused(tmp_path, tmp_path / "logs.db").err
    assert "logs.db cannot be read as a log of llm: database disk image is malformed." in said
