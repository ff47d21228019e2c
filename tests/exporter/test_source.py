"""The loader of the raw copy: every column as written, the whole file or nothing, clear errors."""

import gzip
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source import csv_files
from tests.copies import replace_copy

HEADER = "id,experiment_id,root_id,tag,probe,content"
GOOD = f"{HEADER}\n1,1,0,raw,P,P out\n2,1,1,trimmed,P,out\n"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file with a copy in it, which must survive whatever goes wrong."""
    source = tmp_path / "good.csv"
    source.write_text(GOOD, encoding="utf-8")
    replace_copy(tmp_path / "p.duckdb", str(source), None)
    return tmp_path / "p.duckdb"


def copy(database: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select id, root_id, tag, probe, content from table_output order by id").fetchall()


def load(database: Path, data: bytes, name: str = "x.csv") -> list[tuple[object, ...]]:
    file = database.parent / name
    file.write_bytes(data)
    replace_copy(database, str(file), None)
    return copy(database)


ROWS = [(7, 0, "raw", "a,b", 'x "y"\nz'), (8, None, "date", "", " 007 ")]
QUOTED = ['7,1,0,raw,"a,b","x ""y""\nz"', "8,1,,date,, 007 "]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark(database: Path, end: str, mark: bytes) -> None:
    assert load(database, mark + end.join([HEADER, *QUOTED, ""]).encode()) == ROWS


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters(database: Path, delimiter: str) -> None:
    rows = load(database, "\n".join(line.replace(",", delimiter) for line in [HEADER, "7,1,0,raw,p,x"]).encode())
    assert rows == [(7, 0, "raw", "p", "x")]


def test_columns_in_any_order_and_more_of_them(database: Path) -> None:
    rows = load(database, b"content,probe,more,tag,root_id,experiment_id,id\nx,p,0012,raw,0,1,7\n")
    assert rows == [(7, 0, "raw", "p", "x")]
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select more, depth from table_output").fetchall() == [("0012", None)]


def test_mixed_line_ends_and_empty_lines(database: Path) -> None:
    lines = [HEADER, "", QUOTED[0], "\r", QUOTED[1]]
    assert load(database, "\r\n".join(lines).encode()) == ROWS
    assert load(database, f"\n{HEADER}\r\r{QUOTED[0]}\r\n\n{QUOTED[1]}\r".encode()) == ROWS


PLAIN = [
    ' "no',
    'a "b" c',
    '5" and 6""',
    "NUL \0",
    '"',
    "\ufeff",
    "NULL",
    "\\N",
    "#",
    "'",
    "\\",
    "''",
    "\u2028",
    "\x0b\x1c",
]


@pytest.mark.parametrize("text", PLAIN)
def test_characters_that_mean_nothing(database: Path, text: str) -> None:
    """Quotes within a field that does not begin with one, and characters that other readers treat as special."""
    written = '""""' if text == '"' else text
    rows = "".join(f'{number},1,,raw,"p ""q""",{written}\n' for number in range(3))
    assert load(database, f"{HEADER}\n{rows}".encode()) == [(number, None, "raw", 'p "q"', text) for number in range(3)]


def test_ids_written_by_pandas_and_by_servers(database: Path) -> None:
    assert load(database, f"{HEADER}\n7,1.0,0.0,raw,p,x\n8,NULL,\\N,raw,p,x\n".encode()) == [
        (7, 0, "raw", "p", "x"),
        (8, None, "raw", "p", "x"),
    ]


def test_parquet_of_any_types(database: Path) -> None:
    file = database.parent / "x.parquet"
    duckdb.execute(
        f"copy (select 7 as id, 1.0 as experiment_id, null as root_id, 'raw' as tag, 'p' as probe, 'é' as content, "
        f"date '2020-01-02' as day) to '{file}' (format parquet)"
    )
    replace_copy(database, str(file), None)
    assert copy(database) == [(7, None, "raw", "p", "é")]


WRONG: dict[str, tuple[bytes, str]] = {
    "no rows": (HEADER.encode(), "has no rows"),
    "nothing": (b"", "is empty"),
    "a workbook": (b"PK\3\4\xa0\xa1", "is an Excel workbook, not a CSV file"),
    "no header": (
        GOOD.split("\n", 1)[1].encode(),
        f"no header line. Add a first line with the names of its columns: {HEADER}",
    ),
    "a column is missing": (
        b"id,tag,probe,content\n1,raw,p,x\n",
        "no column experiment_id, root_id, which table_output needs. Its columns are: id, tag, probe, content.",
    ),
    "a column twice": (f"{HEADER},tag\n1,1,0,raw,p,x,y\n".encode(), "column tag more than once"),
    "not UTF-8": (f"{HEADER}\n1,1,0,raw,p,x\n2,1,0,raw,p,".encode() + b"\xff\n", "is not UTF-8 (byte 0xFF in line 3)"),
    "UTF-8 cut": (f"{HEADER}\n1,1,0,raw,p,é".encode()[:-1], "is not UTF-8 (byte 0xC3 in line 2)"),
    "cut in quotes": (
        f'{HEADER}\n1,1,0,raw,p,"x\ny"\n2,1,0,raw,p,"x\n'.encode(),
        "line 4: a quote in the row that begins here is not closed",
    ),
    "text behind quotes": (
        f'{HEADER}\r\n\r\n1,1,0,raw,"p" q,x\r\n2,1,0,raw,p,x\r\n'.encode(),
        "line 3: in the row that begins in line 3, a quote is missing or not doubled",
    ),
    "closed by a later row's quote": (
        f'{HEADER}\n1,1,0,raw,p,x\n2,1,0,raw,p,"x\n3,1,0,raw,p,y\n4,1,0,raw,p,"z"\n'.encode(),
        "line 5: in the row that begins in line 3, a quote is missing or not doubled",
    ),
    "a quote in quotes": (
        f'{HEADER}\n1,1,0,raw,p,"x "y" z"\n'.encode(),
        "line 2: in the row that begins in line 2, a quote is missing",
    ),
    "too few fields": (
        f'{HEADER}\n1,1,0,raw,p,"x\r\ny"\n\n2,1,0,raw,p\n'.encode(),
        "line 5: the row has 5 fields, but the header has 6. It begins: '2,1,0,raw,p'",
    ),
    "too many fields": (f"{HEADER}\n1,1,0,raw,p,x,y\n".encode(), "line 2: the row has 7 fields, but the header has 6"),
    "a line of quotes": (f'{HEADER}\n""\n'.encode(), "line 2: the row has 1 fields"),
    "an id that is none": (f"{HEADER}\nab,1,0,raw,p,x\n".encode(), "id 'ab' is not a whole number"),
    "an id with a control": (f"{HEADER}\na\x1bb,1,0,raw,p,x\n".encode(), "id 'a?b' is not a whole number"),
    "a number that is no id": (f"{HEADER}\n1,1e3,0,raw,p,x\n".encode(), "experiment_id '1e3' is not a whole number"),
    "a number too large": (f"{HEADER}\n{2**63},1,0,raw,p,x\n".encode(), f"id '{2**63}' is not a whole number"),
    "UTF-16 cut": (f"{HEADER}\n1,1,0,raw,p,x\n".encode("utf-16")[:-1], "is not complete UTF-16. Save it as UTF-8"),
    "UTF-16 with an open quote": (f'{HEADER}\n1,1,0,raw,p,"x\n'.encode("utf-16"), "line 2: a quote in the row that"),
    "UTF-32": (f"{HEADER}\n1,1,0,raw,p,x\n".encode("utf-32"), "is not UTF-8"),
    "a .gz that was cut": (gzip.compress(GOOD.encode())[:-9], "cannot be read: Compressed file ended"),
    "a .gz of noise": (b"\x1f\x8b\x08\0" + b"\xff" * 99, "cannot be read: "),
    "a packed workbook": (gzip.compress(b"PK\3\4\xa0\xa1"), "is an Excel workbook, not a CSV file"),
    "a packed file that is not UTF-8": (
        gzip.compress(f"{HEADER}\n1,1,0,raw,p,".encode() + b"\xff\n"),
        "(byte 0xFF in line 2)",
    ),
}


@pytest.mark.parametrize(("data", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_and_the_copy_stays(database: Path, data: bytes, message: str) -> None:
    before = copy(database)
    with pytest.raises(ProbesheetsError) as error:
        load(database, data)
    assert message in str(error.value)
    assert copy(database) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "does not exist"),
        ("postgres://u@h/s", "mysql://user@host:port/schema"),
        ("mysql://u@h", "mysql://user@host:port/schema"),
        ("mysql://u:secret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u:sec#ret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u:secret/@h/s", "PROBESHEETS_PASSWORD"),
        ("postgres://u:secret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h:abc/s", "mysql://user@host:port/schema"),
        ("mysql://u@[::1/s", "mysql://user@host:port/schema"),
        ("mysql://u@127.0.0.1:1/s", "cannot be read"),
        ("mysql://u@h/s?password=secret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s?tls=off&PassWord=secret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s?p%61ss%77d=secret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s%3FPWD%3Dsecret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s#pw=secret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s;pass=secret", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h/s?tls=on;pin=secret", "has no option 'tls'. Valid: ?tls=off"),
        ("mysql://u@h/s?compress=secret", "has no option 'compress'. Valid: ?tls=off"),
        ("mysql://u@h/s#secret", "mysql://user@host:port/schema"),
    ],
)
def test_sources_that_are_none(database: Path, name: str, message: str) -> None:
    with pytest.raises(ProbesheetsError) as error:
        replace_copy(database, name, None)
    assert message in str(error.value)
    assert "secret" not in str(error.value) and "ret@" not in str(error.value)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 40])
def test_blocks_of_any_size(database: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows and the same messages, wherever one block ends and the next begins."""
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", size)
    for end in ("\n", "\r\n", "\r"):
        assert load(database, b"\xef\xbb\xbf" + end.join([HEADER, *QUOTED, ""]).encode()) == ROWS
    for data, message in WRONG.values():
        with pytest.raises(ProbesheetsError) as error:
            load(database, data)
        assert message in str(error.value)


def test_a_row_may_be_long_but_not_too_long(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBESHEETS_MEMORY", "500MB")  # 7.8 MB for a row
    for size, fits in ((7_000_000, True), (9_000_000, False)):
        data = f'{HEADER}\n1,1,0,raw,p,x\n2,1,0,trimmed,p,"{"x" * size}"\n'.encode()
        if fits:
            assert len(str(load(database, data)[1][-1])) == size
            continue
        with pytest.raises(
            ProbesheetsError, match=r"x\.csv, line 3: the row that begins here is over 8 MB, or a quote in it is not"
        ):
            load(database, data)
        values = [[1, 2], [1, 1], [0, 0], ["raw", "trimmed"], ["p", "p"], ["x", "x" * size]]
        pq.write_table(pa.table(values, names=HEADER.split(",")), database.parent / "x.parquet")
        with pytest.raises(
            ProbesheetsError, match=r"x\.parquet: the row with id 2 has 9 MB in content; the maximum is 7 MB"
        ):
            replace_copy(database, str(database.parent / "x.parquet"), None)


def test_rows_that_are_too_long_together(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as DuckDB works on at a time. Parquet says so before it is read, unless one text is there many times."""
    monkeypatch.setenv("PROBESHEETS_MEMORY", "500MB")
    texts = ["x" * 40_000] * 2_000
    count = len(texts)
    columns = [list(range(count)), [1] * count, [0] * count, ["raw"] * count, ["p"] * count, texts]
    table = pa.table(columns, names=HEADER.split(","))
    pq.write_table(table, database.parent / "x.parquet", use_dictionary=False)
    pq.write_table(table, database.parent / "y.parquet")  # every text once, and 2,000 times its number
    data = "\n".join([HEADER, *(f"{number},1,0,raw,p,{text}" for number, text in enumerate(texts))])
    (database.parent / "x.csv").write_text(data, encoding="utf-8")
    for name in ("x.parquet", "y.parquet", "x.csv"):
        with pytest.raises(ProbesheetsError, match=r"2,048 of them contain (7\d|80) MB.* with PROBESHEETS_MEMORY=2GB"):
            replace_copy(database, str(database.parent / name), None)
    monkeypatch.setenv("PROBESHEETS_MEMORY", "2GB")
    for name in ("x.parquet", "y.parquet", "x.csv"):
        replace_copy(database, str(database.parent / name), None)
        assert len(copy(database)) == count


@pytest.mark.parametrize("size", ["2", "GB", "-1GB", "2 gigabytes", "80%", "100MB", "1e3GB"])
def test_a_memory_that_is_none(database: Path, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBESHEETS_MEMORY", size)
    with pytest.raises(ProbesheetsError, match=r"PROBESHEETS_MEMORY must be a size such as 2GB or 600MB") as error:
        load(database, GOOD.encode())
    assert repr(size) in str(error.value)


def test_interrupted_while_a_file_is_read(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ends, however much is left."""
    before, read, file = copy(database), [], database.parent / "endless.csv"
    file.write_text(GOOD, encoding="utf-8")

    def batches(path: Path, known: list[str]) -> Iterator[pa.RecordBatch]:
        for number in range(100_000):
            read.append(number)
            if number % 5_000 == 3:  # more than once, as a user would: pyarrow may swallow one
                os.kill(os.getpid(), signal.SIGINT)
            values = [str(number), "1", "0", "raw", "p", "x"]
            yield pa.record_batch([[value] for value in values], names=HEADER.split(","))

    monkeypatch.setattr(csv_files, "read_chunks", batches)
    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        replace_copy(database, str(file), None)
    assert len(read) < 100_000
    assert copy(database) == before


def test_parquet_with_a_name_that_is_not_utf_8(database: Path) -> None:
    file = database.parent / "x.parquet"
    pq.write_table(pa.table({name: ["1"] for name in HEADER.split(",")}), file, store_schema=False)
    with pytest.raises(ProbesheetsError, match="cannot be read as Parquet"):
        load(database, file.read_bytes().replace(b"content", b"c\xa1ntent"), "x.parquet")


def test_not_parquet(database: Path) -> None:
    with pytest.raises(ProbesheetsError, match="is not a complete Parquet file"):
        load(database, GOOD.encode(), "x.parquet")


def test_experiments_are_replaced_with_the_copy(database: Path) -> None:
    experiments = database.parent / "e.csv"
    experiments.write_text("id,model_name\n1,gpt-2\n", encoding="utf-8")
    replace_copy(database, str(database.parent / "good.csv"), experiments)
    assert ("table_experiment",) in tables(database)
    experiments.write_text("id,model_name\n", encoding="utf-8")  # it is optional, so it may be empty, too
    replace_copy(database, str(database.parent / "good.csv"), experiments)
    assert ("table_experiment",) in tables(database)
    replace_copy(database, str(database.parent / "good.csv"), None)
    assert ("table_experiment",) not in tables(database)


def tables(database: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select table_name from duckdb_tables()").fetchall()
