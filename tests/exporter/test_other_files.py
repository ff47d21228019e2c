"""Files that other programs write: the loader reads them, or names what they are and what to do."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source.csv_files import read_chunks
from tests.build import make_project
from tests.copies import replace_copy
from tests.exporter.command import probesheets
from tests.exporter.promises import at, both, write_source
from tests.servers import PASSWORD, USER, Server

NAMES = ("id", "experiment_id", "root_id", "tag", "probe", "content")
IN_CAPITALS = ["ID", "Experiment_ID", "ROOT_ID", "Tag", "PROBE", "Content", "DEPTH", "Mood"]
TEXT = 'id\troot_id\ttag\n1\t0\t"é 😀\tx"\n'
ROWS = [{"id": "1", "root_id": "0", "tag": "é 😀\tx"}]


def read(file: Path, names: tuple[str, ...] = ("id", "root_id", "tag")) -> list[dict[str, str]]:
    return [row for batch in read_chunks(file, names) for row in batch.to_pylist()]


def refused(file: Path, data: bytes, names: tuple[str, ...] = NAMES) -> str:
    file.write_bytes(data)
    with pytest.raises(ProbesheetsError) as error:
        read(file, names)
    assert str(error.value).startswith(str(file))
    return str(error.value).removeprefix(str(file))


def not_copied(file: Path, data: bytes) -> str:
    file.write_bytes(data)
    with pytest.raises(ProbesheetsError) as error:
        replace_copy(file.with_suffix(".duckdb"), str(file))
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])])
def test_unicode_text_and_gzip(encoding: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """What Excel calls Unicode text, and files that are packed, in one part or in several."""
    (tmp_path / "x").write_bytes(pack(f"\ufeff{TEXT}".encode(encoding)))
    assert read(tmp_path / "x") == ROWS


def test_a_large_packed_file_takes_little_memory(tmp_path: Path) -> None:
    """50 MB of rows in 0.2 MB: each record batch is small, and no earlier one is kept."""
    with gzip.open(tmp_path / "x.csv.gz", "wt", compresslevel=1) as file:
        file.write("id,root_id,tag\n")
        for _ in range(50):
            file.write(f"1,0,{'x' * 1_000}\n" * 1_000)
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for batch in read_chunks(tmp_path / "x.csv.gz", ("id", "root_id", "tag")):
        most, rows = max(most, pa.total_allocated_bytes() - before), rows + batch.num_rows
    assert rows == 50_000 and most < 20_000_000


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_names_in_capitals(name: str, tmp_path: Path) -> None:
    """The names that the models use become lower-case; others stay as they are."""
    values = ["1", "1", "0", "raw", "p", "x", "2", "m"]
    if name == "x.csv":
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([IN_CAPITALS, values])
    else:
        pq.write_table(pa.table([[value] for value in values], names=IN_CAPITALS), tmp_path / name)
    replace_copy(tmp_path / "p.duckdb", str(tmp_path / name))
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        row = connection.execute("from table_output").df().astype(str).to_dict("records")
    assert row == [dict(zip([*NAMES, "depth", "Mood"], values, strict=True))]


def test_names_in_capitals_in_a_table_made_by_hand(tmp_path: Path) -> None:
    """DuckDB would give the capitals to the models, which have contracts."""
    make_project(tmp_path / "p")
    write_source(tmp_path / "source.csv")
    names = ", ".join(
        f"{name} as {name.upper()}" for name in ("experiment_id", "root_id", "depth", "tag", "probe", "content")
    )
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        connection.execute(
            f"create table table_output as select id as ID, {names}, mood from '{tmp_path / 'source.csv'}'"
        )
        connection.execute("create table table_experiment as select 1::bigint as Id, 'gpt-2' as MODEL_NAME")
    environment = at(str(tmp_path / "p.duckdb"))
    both(lambda *more: probesheets(tmp_path / "p", environment, *more), [], {"extra_columns": ["mood", "depth"]})


def test_names_in_capitals_on_a_server(mariadb_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, (*known, mood) = mariadb_server.root, IN_CAPITALS
    root.execute("create schema capitals")
    root.execute("grant select on capitals.* to analyst@'%'")
    root.execute(f"create table capitals.table_output ({', '.join(f'{name} text' for name in IN_CAPITALS)})")
    root.execute(f"insert into capitals.table_output values ({', '.join(['1'] * len(IN_CAPITALS))})")
    root.execute("create table capitals.table_experiment (ID int, Model_Name text)")
    root.execute("insert into capitals.table_experiment values (1, 'gpt-2')")
    monkeypatch.setenv("PROBESHEETS_PASSWORD", PASSWORD)
    replace_copy(tmp_path / "p.duckdb", f"mysql://{USER}@127.0.0.1:{mariadb_server.port}/capitals", None)
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        names = [row[0] for row in connection.execute("describe table_output").fetchall()]
        assert sorted(names) == sorted([*(name.lower() for name in known), mood])
        assert connection.execute("select id, model_name from table_experiment").fetchall() == [(1, "gpt-2")]


SQL = (
    "is an SQL dump, not a CSV file. Import it into a MariaDB or MySQL server, and run the command with --source mysql:"
)
JSON = "is JSON, not a CSV file. Give it a name that ends in .jsonl."
DUMPS = {
    "-- MySQL dump 10.13\n": SQL,
    "--\n-- PostgreSQL database dump\n": SQL,
    "-- --------------\n-- Host: 127.0.0.1\n": SQL,
    "\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `table_output` (\n": SQL,
    "/*M!999999\\- enable the sandbox mode */\n": SQL,
    "CREATE TABLE `table_output` (\n": SQL,
    "drop table if exists table_output;\n": SQL,
    "INSERT INTO table_output VALUES (1,1,0,'raw','p','x');\n": SQL,
    '[{"id": 1, "tag": "raw"}]': JSON,
    '[\n  {\n    "id": 1': JSON,
    '{"id": 1, "tag": "raw"}\n{"id": 2}\n': JSON,
    "PAR1\x15\x04": "is a Parquet file, not a CSV file. Unpack it, and give it a name that ends in .parquet.",
}


@pytest.mark.parametrize("text", DUMPS)
@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: text.encode("utf-16")]
)
def test_what_is_no_table(text: str, encode: Callable[[str], bytes], tmp_path: Path) -> None:
    assert DUMPS[text] in refused(tmp_path / "x.csv", encode(text))


def test_a_csv_file_that_is_called_parquet(tmp_path: Path) -> None:
    said = not_copied(tmp_path / "x.parquet", b"id,tag\n1,raw\n")
    assert "If it is a CSV file, give it a name that ends in .csv." in said


@pytest.mark.parametrize("first", ["PK", "PAR1", "-", "--", "[x]", "{x}", "create", "insert_into", "/", "7"])
def test_a_column_of_any_name_may_come_first(first: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"{first},id,root_id,tag\na,1,0,b\n", encoding="utf-8")
    assert read(tmp_path / "x.csv") == [{first: "a", "id": "1", "root_id": "0", "tag": "b"}]


@pytest.mark.parametrize(("delimiter", "names"), [(",", NAMES), ("\t", NAMES), (";", ("id", "model_name"))])
def test_no_header(delimiter: str, names: tuple[str, ...], tmp_path: Path) -> None:
    row = delimiter.join(["7", *("text" for _ in names[1:])])
    said = refused(tmp_path / "x.csv", f"{row}\n{row}\n".encode(), names)
    assert said == f" has no header line. Add a first line with the names of its columns: {delimiter.join(names)}"


def test_a_header_of_other_names_is_a_header(tmp_path: Path) -> None:
    said = not_copied(tmp_path / "x.csv", b"number,words\n1,a\n")
    assert "has no column that could be a text. Its columns are: number, words.\nSay which column it is" in said
    assert "has no column that could be a text. Its columns are: ID, 2020." in not_copied(
        tmp_path / "x.csv", b"ID,2020\n1,b\n"
    )


BACKSLASHES = {
    '1,1,0,raw,p,"x \\"y\\" z"': ", line 2: in the row that begins in line 2, a quote is escaped with a backslash",
    '1,1,0,raw,p,"x \\""\n2,1,0,raw,"p","x"': ", line 3: in the row that begins in line 2, a quote is escaped",
    '1,1,0,raw,p,x\n2,1,0,raw,p,"x \\""': ", line 3: in the row that begins in line 3, a quote is escaped",
    '1,1,0,raw,p,"x \\", y"': "the row has 7 fields, but the header has 6. It begins: '1,1,0,raw,p,x \\\\, y\"'\nPerh",
}


@pytest.mark.parametrize("rows", BACKSLASHES)
def test_quotes_after_backslashes(rows: str, tmp_path: Path) -> None:
    said = refused(tmp_path / "x.csv", f"{','.join(NAMES)}\n{rows}".encode())
    assert BACKSLASHES[rows] in said and 'If phpMyAdmin wrote the file, set "Columns escaped with" to ", and' in said
    assert "--source mysql://user@host:port/schema" in said


def test_a_backslash_at_the_end_of_a_field_is_a_backslash(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,root_id,tag\n1,0,"C:\\"\n', encoding="utf-8")
    assert read(tmp_path / "x.csv")[0]["tag"] == "C:\\"
    said = refused(tmp_path / "x.csv", b'id,root_id,tag\n1,0,"C:\\"\n2,0,"a "b" c"\n', ("id", "root_id", "tag"))
    assert "backslash" not in said and "line 3" in said


def test_what_the_server_exports_by_default(mariadb_server: Server, tmp_path: Path) -> None:
    """SELECT ... INTO OUTFILE as its manual shows it, and its only other way: neither is CSV."""
    root = mariadb_server.root
    [(folder,)] = root.execute("select @@secure_file_priv")
    select = "select 1 as id, 0 as root_id, 'say \"a\"\\nand b' as tag"
    for name, option in (("a", "'\\\\'"), ("b", "'\"'")):
        root.execute(
            f"{select} into outfile '{folder}/{name}' fields terminated by ',' enclosed by '\"' escaped by {option}"
        )
        data = b"id,root_id,tag\n" + (Path(folder) / name).read_bytes()
        said = refused(tmp_path / "x.csv", data, ("id", "root_id", "tag"))
        assert ("INTO OUTFILE cannot double" in said) == (name == "a")
