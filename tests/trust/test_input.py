"""Mutated CSV and Parquet files given to the loader: the right rows, or one clear error and the copy that was there.

The right rows of CSV are those of a reading of RFC 4180 that is written here, character by character; the blocks that
the loader reads are of all sizes. PROBESHEETS_FUZZ=10 (`make fuzz`) makes ten times as many files.
"""

import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source import files
from probesheets.source.copy import OUTPUT_COLUMNS, replace_copy
from tests.build import command, make_project, run

TIMES = int(os.environ.get("PROBESHEETS_FUZZ", "1"))
FILES, RUNS, PARQUET = 200 * TIMES, 10 * TIMES, 150 * TIMES
BLOCKS = (1, 2, 7, 60, files.BLOCK_BYTES)
Row = Any  # a list of texts, or a tuple of the database

TEXTS = [
    "Masks are",
    "a, b; c | d",
    'say "no"',
    '" and ""',
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


def written(rows: list[Row], delimiter: str = ",", end: str = "\n", special: str = '"\r\n,;\t|') -> bytes:
    def quoted(cell: str) -> str:
        plain = cell[:1] != '"' and not any(one in cell for one in special)
        return cell if plain else '"' + cell.replace('"', '""') + '"'

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


def quotes_in_plain_fields(chance: random.Random, rows: list[Row]) -> bytes:
    """As they are, for the field does not begin with one."""
    return written(rows, special="\r\n,;\t|")


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


def empty_lines(chance: random.Random, rows: list[Row]) -> bytes:
    """First, last, and where a file of another system was put together."""
    at, ends = chance.randrange(len(rows)), ["\r", "\n", "\r\n", "\r\r\n"]
    parts = [written(some, end=chance.choice(ends)) for some in (rows[:at], rows[at:])]
    return chance.choice(ends).encode().join([b"", *parts, b""])


HARMLESS = (
    as_it_is, other_delimiter, other_line_ends, byte_order_mark, columns_shuffled, columns_of_odd_names, empty_lines,
    quotes_in_plain_fields,
)  # fmt: skip
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
    head = re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
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
def test_twenty_mutated_files(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, file, chance = folder / f"{seed}.duckdb", folder / f"{seed}.csv", random.Random(seed)
    monkeypatch.setattr(files, "BLOCK_BYTES", BLOCKS[seed % len(BLOCKS)])
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


@pytest.mark.parametrize("seed", range(FILES // 20))
def test_five_hundred_files_of_quotes(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly nothing but what has a meaning in CSV: the reader of a file alone, without a database."""
    file, chance, taken = folder / f"quotes{seed}.csv", random.Random(2000 + seed), 0
    for _ in range(500):
        if chance.random() < 0.5:
            rows = [["".join(chance.choices('",\r\nxé', k=chance.randrange(5))) for _ in "ab"] for _ in range(5)]
            data = written([["a", "b"], *rows], end=chance.choice(["\r", "\n", "\r\n"]), special="\r\n,")
        else:
            data = b"a,b\n" + "".join(chance.choices('""",\r\nxé', k=chance.randrange(30))).encode()
        file.write_bytes(data)
        monkeypatch.setattr(files, "BLOCK_BYTES", chance.choice(BLOCKS))
        try:
            expected = reading(data)
            if any(len(row) != 2 for row in expected):
                raise WrongFileError("rows")
        except WrongFileError:
            with pytest.raises(ProbesheetsError, match=re.escape(str(file))):
                list(files.read_batches(file, ("a", "b")))
        else:
            taken += 1
            assert read(file) == expected[1:], data
    assert 200 < taken < 400


def read(file: Path) -> list[list[str]]:
    batches = files.read_batches(file, ("a", "b"))
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("seed", range(PARQUET // 50))
def test_fifty_mutated_parquet_files(seed: int, folder: Path) -> None:
    """It has no sums of its own, so some changes are not found; but none is a traceback, and none half a copy."""
    database, file, chance = folder / f"p{seed}.duckdb", folder / f"{seed}.parquet", random.Random(3000 + seed)
    file.with_suffix(".csv").write_bytes(written(good(chance)))
    replace_copy(database, str(file.with_suffix(".csv")), None)
    for _ in range(50):
        header, *rows = good(chance)
        table, plain = pa.table(list(zip(*rows, strict=True)), names=header), chance.random() < 0.5
        compression = "none" if plain else chance.choice(["snappy", "zstd", "gzip"])
        pq.write_table(table, file, compression=compression, store_schema=not plain, use_dictionary=not plain)
        data, before = bytearray(file.read_bytes()), copy(database)
        for _ in range(chance.choice([0, 1, 1, 3])):
            at = chance.randrange(chance.choice([0, max(0, len(data) - 600)]), len(data))  # the end says what is where
            length = chance.choice([1, 1, 0, 2])
            data[at : at + length] = chance.randbytes(chance.choice([length, 1]))
        file.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        try:
            replace_copy(database, str(file), None)
        except ProbesheetsError as error:
            assert str(error).startswith(f"{file}")
            assert copy(database) == before


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
