"""Every workbook except the index suits NVivo, QualCoder and Excel: a list of what importers stumbled over."""

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import export, read_manifest, sheet

SPACES = "{http://www.w3.org/XML/1998/namespace}space"
TEXT = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}t"


@pytest.fixture(scope="module", params=[[], ["--only", "qualcoder"]], ids=["default", "qualcoder"])
def out(
    request: pytest.FixtureRequest, built: Builder, sample: Source, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    build: Build = built("duckdb", sample)
    folder = tmp_path_factory.mktemp("checklist")
    assert export(build, folder, *request.param).code == 0
    return folder


def workbooks(out: Path) -> list[Path]:
    files = [path for path in sorted(out.rglob("*.xlsx")) if path.name != "index.xlsx"]
    assert len(files) > 8
    return files


def sheets(out: Path) -> Iterator[tuple[str, Worksheet, list[list[Any]]]]:
    for path in workbooks(out):
        book = openpyxl.load_workbook(path)
        [name] = book.sheetnames
        assert book.active is book[name] and book[name].sheet_state == "visible", path
        yield path.name, book[name], [[cell.value for cell in row] for row in book[name].iter_rows()]


def test_every_part_is_xml_and_keeps_spaces(out: Path) -> None:
    for path in workbooks(out):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            for name in archive.namelist():
                root = ElementTree.fromstring(archive.read(name))
                edged = [one for one in root.iter(TEXT) if one.text and one.text != one.text.strip()]
                assert all(one.get(SPACES) == "preserve" for one in edged), (path, name)


def test_the_sheet_is_a_plain_table(out: Path) -> None:
    for name, page, rows in sheets(out):
        header, *records = rows
        assert page.dimensions.startswith("A1:") and not page.merged_cells.ranges and not page._charts, name
        assert len(header) <= 256 and len(rows) <= 1_048_576 and page.freeze_panes in ("B2", "C2"), name
        assert all(len(row) == len(header) and any(value is not None for value in row) for row in records), name
        cells = [cell for row in page.iter_rows() for cell in row]
        assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells), name


def test_headers_suit_every_reader(out: Path) -> None:
    for name, _, (header, *_) in sheets(out):
        bare = [re.sub(r"[\W_]", "", title).lower() for title in header]
        assert len(set(bare)) == len(bare) and all(bare) and "id" not in bare, name
        assert all(len(title) <= 63 and "\n" not in title and title[0] not in "!^&<.:#" for title in header), name


def test_column_a_names_the_records(out: Path) -> None:
    for name, _, (_, *records) in sheets(out):
        names = [row[0] for row in records]
        assert len(set(names)) == len(names), name
        assert all(re.fullmatch(r'[A-Za-z][^\\/:*?"<>|]*', one) for one in names), name


def test_cells_hold_what_a_cell_may_hold(out: Path) -> None:
    forbidden = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
    for name, _, rows in sheets(out):
        for row in rows:
            for value in row:
                if isinstance(value, str):
                    assert len(value.encode("utf-16-le")) <= 2 * 32_767 and not forbidden.search(value), name
                else:
                    assert value is None or isinstance(value, datetime) or abs(value) < 10**15, name


def test_a_column_has_one_type(out: Path) -> None:
    for name, _, (header, *records) in sheets(out):
        for title, *values in zip(header, *records, strict=True):
            types = {type(value) for value in values if value is not None}
            assert len(types) <= 1, (name, title, types)


def test_no_link_where_there_should_be_none(out: Path) -> None:
    for path in out.glob("without_links/*.xlsx"):
        assert not any("://" in row[1] or "www." in row[1] for row in sheet(path)[1:] if row[1])


def test_rows_are_as_many_as_the_manifest_says(out: Path) -> None:
    told = {file["path"]: file["rows"] for file in read_manifest(out)["files"]}
    for path in workbooks(out):
        assert len(sheet(path)) - 1 == told[path.relative_to(out).as_posix()]
