"""What one would use instead: scripts that write both kinds of workbooks from the models in a DuckDB file.

Usage: python -m benchmarks.peers NAME DATABASE FOLDER. Each is written as its library's manual would have it.
"""

import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import duckdb

RELATIONS = {"with_links": "texts", "without_links": "texts_without_links"}
COLUMNS = ["record_id", "experiment_id", "model_name", "date", "date_text", "date_match", "month"]
COLUMNS += ["probe", "link_count", "duplicate_of", "text"]
LETTERS = "ABCDEFGHIJK"
ROWS_AT_ONCE = 10_000


def ordered(relation: str) -> str:
    return f"select file_stem, {', '.join(COLUMNS)} from {relation} order by file_stem, date nulls last, text_id"


def pandas(database: Path, relation: str, folder: Path) -> None:
    """The script that a user would write."""
    import pandas as pd

    with duckdb.connect(str(database), read_only=True) as connection:
        frame = pd.read_sql(ordered(relation), connection)
    for stem, group in frame.groupby("file_stem"):
        group.drop(columns="file_stem").to_excel(folder / f"{stem}.xlsx", sheet_name="Texts", index=False)


def xlsxwriter(database: Path, relation: str, folder: Path) -> None:
    """One ordered query, row by row, constant_memory."""
    for stem, rows in _groups(database, relation):
        book = import_module("xlsxwriter").Workbook(
            folder / f"{stem}.xlsx", {"constant_memory": True, "strings_to_urls": False}
        )
        sheet, day = book.add_worksheet("Texts"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, COLUMNS)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row[1:]):
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                elif isinstance(value, int):
                    sheet.write_number(number, place, value)
                elif value is not None:
                    sheet.write_datetime(number, place, value, day)
        book.close()


def rustpy(database: Path, relation: str, folder: Path) -> None:
    """One ordered query into Arrow, a slice for each workbook."""
    with duckdb.connect(str(database), read_only=True) as connection:
        table = connection.execute(ordered(relation)).to_arrow_table()
    start = 0
    for stem, rows in groupby(table["file_stem"].to_pylist()):
        count = sum(1 for _ in rows)
        part = table.slice(start, count).drop_columns("file_stem")
        import_module("rustpy_xlsxwriter").write_worksheet(part, str(folder / f"{stem}.xlsx"), sheet_name="Texts")
        start += count


def copy(database: Path, relation: str, folder: Path) -> None:
    """DuckDB's COPY, once for each probe."""
    package = Path(str(import_module("duckdb_extension_excel").__file__)).parent
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.load_extension(str(next(package.rglob("excel.duckdb_extension"))))
        for (stem,) in connection.execute(f"select distinct file_stem from {relation}").fetchall():
            connection.execute(
                f"copy (select {', '.join(COLUMNS)} from {relation} where file_stem = '{stem}' "
                f"order by date nulls last, text_id) to '{folder / stem}.xlsx' (format xlsx, header true)"
            )


def floor(database: Path, relation: str, folder: Path) -> None:
    """No library: XML by f-strings, deflated by igzip; the sheet alone, which no reader would open."""
    from isal import isal_zlib

    for stem, rows in _groups(database, relation):
        xml = ["<worksheet><sheetData>"]
        for number, row in enumerate(rows, 2):
            cells = [_cell(f"{LETTERS[place]}{number}", value) for place, value in enumerate(row[1:])]
            xml.append(f'<row r="{number}">{"".join(cells)}</row>')
        data = "".join(xml).encode()
        deflater = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)
        with (folder / f"{stem}.xlsx").open("wb") as file:
            file.write(deflater.compress(data) + deflater.flush())
            file.write(isal_zlib.crc32(data).to_bytes(4, "little") + b"PK\5\6" + bytes(18))


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if value is None:
        return ""
    return f'<c r="{name}"><v>{value if isinstance(value, int) else value.toordinal() - 693_594}</v></c>'


def _groups(database: Path, relation: str) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        yield from groupby(_rows(connection.execute(ordered(relation))), key=lambda row: str(row[0]))


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(ROWS_AT_ONCE):
        yield from rows


PEERS: dict[str, Callable[[Path, str, Path], None]] = {
    "pandas script": pandas,
    "XlsxWriter constant_memory": xlsxwriter,
    "DuckDB COPY loop": copy,
    "rustpy-xlsxwriter": rustpy,
    "floor": floor,
}


def main(name: str, database: Path, out: Path) -> None:
    for kind, relation in RELATIONS.items():
        (out / kind).mkdir(parents=True)
        PEERS[name](database, relation, out / kind)
    for file in out.glob("*/*.xlsx"):
        assert name == "floor" or zipfile.is_zipfile(file), file
        break


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve())
