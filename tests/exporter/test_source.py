"""The loader of the raw copy: every column as it is written, whole or not at all, clear errors."""

from pathlib import Path

import duckdb
import pytest

from exporter.errors import ProbesheetsError
from exporter.source import replace_copy

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
    "a column is missing": (
        b"id,tag,content\n1,raw,x\n",
        "no column experiment_id, root_id, probe. Found: id, tag, content",
    ),
    "a column twice": (f"{HEADER},tag\n1,1,0,raw,p,x,y\n".encode(), "column tag more than once"),
    "not UTF-8": (f"{HEADER}\n1,1,0,raw,p,x\n2,1,0,raw,p,".encode() + b"\xff\n", "is not UTF-8"),
    "cut in quotes": (f'{HEADER}\n1,1,0,raw,p,"x'.encode(), "not a proper CSV"),
    "too few fields": (f"{HEADER}\n1,1,0,raw,p\n".encode(), "has 5 fields, the header has 6"),
    "too many fields": (f"{HEADER}\n1,1,0,raw,p,x,y\n".encode(), "has 7 fields, the header has 6"),
    "an id twice": (
        f"{HEADER}\n5,1,0,raw,p,x\n5,1,0,raw,p,y\n".encode(),
        "ids must not repeat or be empty: 5 (2 times)",
    ),
    "an empty id": (f"{HEADER}\n,1,0,raw,p,x\n".encode(), "an empty id"),
    "an id that is none": (f"{HEADER}\nab,1,0,raw,p,x\n".encode(), "id 'ab' is not a whole number"),
    "UTF-16": (f"{HEADER}\n1,1,0,raw,p,x\n".encode("utf-16"), "is not UTF-8"),
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
        ("none.csv", "is not a file"),
        ("postgres://u@h/s", "mysql://user@host:port/schema"),
        ("mysql://u@h", "mysql://user@host:port/schema"),
        ("mysql://u:secret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u:sec#ret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u:secret/@h/s", "PROBESHEETS_PASSWORD"),
        ("postgres://u:secret@h/s", "PROBESHEETS_PASSWORD"),
        ("mysql://u@h:abc/s", "mysql://user@host:port/schema"),
        ("mysql://u@[::1/s", "mysql://user@host:port/schema"),
        ("mysql://u@127.0.0.1:1/s", "cannot be read"),
    ],
)
def test_sources_that_are_none(database: Path, name: str, message: str) -> None:
    with pytest.raises(ProbesheetsError) as error:
        replace_copy(database, name, None)
    assert message in str(error.value)
    assert "secret" not in str(error.value) and "ret@" not in str(error.value)


def test_not_parquet(database: Path) -> None:
    with pytest.raises(ProbesheetsError, match="cannot be read as Parquet"):
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
