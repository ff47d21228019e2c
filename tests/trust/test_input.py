"""Mutated CSV files given to the loader: the right rows, or one clear error and the copy that was there.

The right rows are those of a reading of RFC 4180 that is written here, character by character. PROBESHEETS_FUZZ=10
(`make fuzz`) makes ten times as many files.
"""

import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporter.errors import ProbesheetsError
from exporter.source import OUTPUT_COLUMNS, replace_copy
from tests.build import command, make_project, run

TIMES = int(os.environ.get("PROBESHEETS_FUZZ", "1"))
FILES, RUNS = 200 * TIMES, 10 * TIMES
Row = Any  # a list of texts, or a tuple of the database

TEXTS = [
    "Masks are",
    "a, b; c | d",
    'say "no"',
    "two\nlines",
    "two\r\nlines",
    "",
    " ",
    "é😀",
    "=1+1",
    "NULL",
    "\\N",
    "x" * 300,
]


def good(chance: random.Random) -> list[Row]:
    rows = [[*OUTPUT_COLUMNS, "depth"]]
    for number in range(1, chance.randint(2, 30)):
        tag = chance.choice(["raw", "trimmed", "date", "full"])
        texts = [chance.choice(TEXTS), chance.choice(TEXTS) + chance.choice(TEXTS)]
        rows.append([str(number), "1", str(chance.randint(0, number)), tag, *texts, str(chance.randint(0, 3))])
    return rows


def written(rows: list[Row], delimiter: str = ",", end: str = "\n") -> bytes:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(one in cell for one in '"\r\n,;\t|') else cell

    return "".join(delimiter.join(map(quoted, row)) + end for row in rows).encode()


# --- what is done to a file; the first are harmless: the loader must take them


def as_it_is(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows)


def other_delimiter(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows, delimiter=chance.choice(";\t|"))


def other_line_ends(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows, end=chance.choice(["\r\n", "\r"]))


def byte_order_mark(chance: random.Random, rows: list[Row]) -> bytes:
    return b"\xef\xbb\xbf" + written(rows)


def columns_shuffled(chance: random.Random, rows: list[Row]) -> bytes:
    order = chance.sample(range(7), 7)
    return written([[row[at] for at in order] for row in rows])


def column_less(chance: random.Random, rows: list[Row]) -> bytes:
    gone = chance.randrange(7)
    return written([row[:gone] + row[gone + 1 :] for row in rows])


def column_twice_in_capitals(chance: random.Random, rows: list[Row]) -> bytes:
    at = chance.randrange(7)
    return written([[*row, row[at].upper() if number == 0 else ""] for number, row in enumerate(rows)])


def columns_of_odd_names(chance: random.Random, rows: list[Row]) -> bytes:
    names = chance.sample(["", "rowid", "select", 'a"b', "a.b", "é", "x" * 300, "batch", "depth_1", "a\nb"], 3)
    return written([[*row, *(names if number == 0 else "xyz")] for number, row in enumerate(rows)])


def column_twice(chance: random.Random, rows: list[Row]) -> bytes:
    at = chance.randrange(7)
    return written([[*row, row[at]] for row in rows])


def id_twice(chance: random.Random, rows: list[Row]) -> bytes:
    rows.append([rows[1][0], *rows[-1][1:]])
    return written(rows)


def cut(chance: random.Random, rows: list[Row]) -> bytes:
    data = written(rows)
    return data[: chance.randrange(len(data))]


def bytes_changed(chance: random.Random, rows: list[Row]) -> bytes:
    data = bytearray(written(rows))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.choice([chance.randrange(256), *b'",\n\r\0'])
    return bytes(data)


def bytes_put_in(chance: random.Random, rows: list[Row]) -> bytes:
    data = bytearray(written(rows))
    at = chance.randrange(len(data))
    data[at:at] = chance.choice(
        [b'"', b'""', b",", b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf", b"\x1a"]
    )
    return bytes(data)


def lines_mixed(chance: random.Random, rows: list[Row]) -> bytes:
    lines = written(rows).splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines[: chance.randint(1, len(lines))])


def other_encoding(chance: random.Random, rows: list[Row]) -> bytes:
    return written(rows).decode().encode(chance.choice(["utf-16", "utf-32", "latin-1", "cp1252"]), "replace")


HARMLESS = (as_it_is, other_delimiter, other_line_ends, byte_order_mark, columns_shuffled, columns_of_odd_names)
MUTATIONS: tuple[Callable[[random.Random, list[Row]], bytes], ...] = (
    *HARMLESS, column_less, column_twice, column_twice_in_capitals, id_twice, cut, cut, bytes_changed, bytes_changed,
    bytes_put_in, bytes_put_in, bytes_put_in, lines_mixed, other_encoding,
)  # fmt: skip


# --- the right rows


class WrongFileError(Exception):
    """The file means nothing, or more than one thing."""


def right_rows(data: bytes) -> list[Row]:
    """The rows that must be in the copy, as text, the ids typed; by id. Raises WrongFileError."""
    header, *rows = reading(data) or [[]]
    header = ["depth" if name.strip().lower() == "depth" else name.strip() for name in header]
    if any("\0" in name for name in header):
        raise WrongFileError("a name that no database holds")
    if set(OUTPUT_COLUMNS) - set(header) or len({name.lower() for name in header}) < len(header):
        raise WrongFileError("columns")
    if not rows or any(len(row) != len(header) for row in rows):
        raise WrongFileError("rows")
    found = []
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        numbers = [number(cells.get(name, "")) for name in ("id", "experiment_id", "root_id", "depth")]
        found.append((*numbers, cells["tag"], cells["probe"], cells["content"]))
    ids = [row[0] for row in found]
    if None in ids or len(set(ids)) < len(ids):
        raise WrongFileError("ids")
    return sorted(found)


def number(cell: str) -> int | None:
    cell = cell.strip(" ")
    if cell in ("", "NULL", "\\N"):
        return None
    if not re.fullmatch(r"-?[0-9]+([.]0+)?", cell) or abs(int(cell.split(".")[0])) >= 2**63:
        raise WrongFileError("a number")
    return int(cell.split(".")[0])


def reading(data: bytes) -> list[list[str]]:
    """The records of a CSV file by RFC 4180, with its header's delimiter and any line ends; empty lines are none."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise WrongFileError("not UTF-8") from None
    head = re.split("[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t|", key=head.count)
    # a field is quoted, or has no delimiter and no line end; after it comes a delimiter, a line end or the end
    plain = rf"([^\"\r\n{delimiter}][^\r\n{delimiter}]*|)"
    field = re.compile(rf'(?:"((?:[^"]|"")*)"|{plain})([{delimiter}]|\r\n|\r|\n|\Z)')
    records, record, at = [], [], 0
    while at < len(text) or record:
        match = field.match(text, at)
        if not match:
            raise WrongFileError("quotes")
        quoted, plain, after = match.groups()
        record.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
        if after != delimiter:
            if record != [""] or quoted is not None:
                records.append(record)
            record = []
    return records


# --- the tests


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("input")


def copy(database: Path) -> list[Row]:
    columns = "id, experiment_id, root_id, depth, tag, probe, content"
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select {columns} from table_output order by id").fetchall()


@pytest.mark.parametrize("seed", range(FILES // 20))
def test_twenty_mutated_files(seed: int, folder: Path) -> None:
    database, file, chance = folder / f"{seed}.duckdb", folder / f"{seed}.csv", random.Random(seed)
    file.write_bytes(written(good(chance)))
    replace_copy(database, str(file), None)
    for at in range(20):
        mutation = MUTATIONS[(at + 20 * seed) % len(MUTATIONS)]
        data, before = mutation(chance, good(chance)), copy(database)
        file.write_bytes(data)
        try:
            expected = right_rows(data)
        except WrongFileError as wrong:
            assert mutation not in HARMLESS
            with pytest.raises(ProbesheetsError) as error:
                replace_copy(database, str(file), None)
            assert str(file) in str(error.value), (mutation.__name__, wrong)
            assert copy(database) == before
        else:
            replace_copy(database, str(file), None)
            assert copy(database) == expected, mutation.__name__


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_whole_run(seed: int, tmp_path: Path) -> None:
    """A wrong file: one error, before dbt is started, and no traceback. A right one: workbooks."""
    make_project(tmp_path / "p")
    chance = random.Random(1000 + seed)
    mutation = (byte_order_mark, column_less, other_delimiter, bytes_changed, other_line_ends, cut)[seed % 6]
    rows = good(chance)
    rows += [["9999", "1", "1", "trimmed", "Masks are", "one text that is there", "1"]]
    data = mutation(chance, rows)
    (tmp_path / "p" / "mine.csv").write_bytes(data)
    arguments = [str(command("duckdb", "probesheets")), "run", "--source", "mine.csv", "--out", "out"]
    result = run(arguments, tmp_path / "p", {})
    said = result.stdout + result.stderr
    assert "Traceback" not in said
    try:
        rows = [row for row in right_rows(data) if row[4] == "trimmed"]
    except WrongFileError:
        assert result.returncode == 1 and said.count("Error: mine.csv") == 1
        assert not (tmp_path / "p" / "out").exists() and not (tmp_path / "p" / "target").exists()
    else:
        assert result.returncode == 0, said
        assert f"of {len(rows)} text rows" in said
