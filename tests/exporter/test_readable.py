"""What a reader sees: the order of columns, what fits on a screen, cells that are not cut, and the page on paper."""

import math
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tests.build import Build, make_project
from tests.exporter.command import probesheets
from tests.exports import HEADERS, LINK_HEADERS, export, read_manifest, sheet, write_manifest

SCREEN = 1366 - 60  # pixels of a small laptop, without the numbers of the rows and the scroll bar
LINE = 15  # points of a line in Excel
DIGIT = 7  # pixels, and 5 for the edges of a cell
PROBE = 30  # the width of its column
LETTER = 6.4  # pixels of an average character, with spaces


@pytest.fixture(scope="module")
def out(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readable") / "out"
    assert export(built_sample, folder).code == 0
    assert export(built_sample, folder, "--only", "all_texts").code == 0
    return folder


def opened(file: Path) -> Worksheet:
    [found] = openpyxl.load_workbook(file).worksheets
    return found


def workbooks(out: Path) -> list[Path]:
    return [file for file in sorted(out.rglob("*.xlsx")) if file.name != "index.xlsx"]


def widths(found: Worksheet) -> dict[str, float]:
    columns = found.column_dimensions
    return {str(cell.value): columns[get_column_letter(place)].width for place, cell in enumerate(found[1], 1)}


def shown(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else str(value)


def test_the_text_is_beside_its_record_and_what_differs_comes_next(out: Path) -> None:
    for file in workbooks(out):
        expected = {
            "links.xlsx": LINK_HEADERS,
            "left_out.xlsx": ["Record ID", "Content", "Reason", "Tag", "Probe", "Output", "Root", "Experiment"],
            "all_texts.xlsx": [*HEADERS[:2], "Probe", *(header for header in HEADERS[2:] if header != "Probe")],
        }.get(file.name, HEADERS)
        assert sheet(file)[0] == expected, file.name
        assert opened(file).freeze_panes == ("B2" if file.name == "links.xlsx" else "C2")


def test_the_columns_that_one_reads_fit_on_a_small_screen(out: Path) -> None:
    for file in out.glob("with_links/*.xlsx"):
        every = widths(opened(file))
        visible = [every[header] for header in HEADERS[: HEADERS.index("Same as") + 1]]
        assert sum(DIGIT * width + 5 for width in visible) <= SCREEN


def test_no_cell_is_cut_in_the_middle_of_a_line(out: Path) -> None:
    for file in workbooks(out):
        found = opened(file)
        wide = list(widths(found).values())
        for row in found.iter_rows(min_row=2):
            height = found.row_dimensions[row[0].row].height or LINE
            assert height % LINE == 0 and height <= 12 * LINE
            for cell, width in zip(row, wide, strict=True):
                text = shown(cell.value or "")
                if not cell.alignment.wrap_text:  # one whole line; only of a long probe, its begin
                    assert len(text) <= width or width == PROBE, (file.name, cell.coordinate)
                else:
                    room = math.floor(width * DIGIT / LETTER)
                    lines = sum(max(1, len(textwrap.wrap(line, room))) for line in text.split("\n"))
                    assert height >= min(lines, 11) * LINE, (file.name, cell.coordinate)


def test_a_page_is_as_wide_as_the_sheet_and_repeats_the_header(out: Path) -> None:
    for file in workbooks(out):
        found = opened(file)
        setup = found.page_setup
        assert (setup.orientation, setup.paperSize, setup.fitToHeight) == ("landscape", 9, 0)
        assert found.sheet_properties.pageSetUpPr.fitToPage and found.print_title_rows == "$1:$1"
        last = f"{get_column_letter(found.max_column)}{found.max_row}"
        assert found.auto_filter.ref == f"A1:{last}"


def test_left_out_has_the_content_and_a_sentence(out: Path, built_sample: Build) -> None:
    rows = {row[0]: row for row in sheet(out / "left_out.xlsx")[1:]}
    assert rows["R266"][1].startswith("Masks are || created: 2020-05-11")
    assert rows["R266"][2] == "No text was cut from this output: no text row names it as its root."
    assert rows["R860"][1:3] == ["", "The text is empty, or nothing is left of it after cleaning."]


def test_all_texts_has_every_text_of_every_probe(out: Path, built_sample: Build) -> None:
    rows = sheet(out / "all_texts.xlsx")[1:]
    by_probe = [row for file in sorted(out.glob("with_links/*.xlsx")) for row in sheet(file)[1:]]
    place = HEADERS.index("Probe")
    assert [[*row[:2], row[2], *row[3:]] for row in rows] == [
        [*row[:2], row[place], *row[2:place], *row[place + 1 :]] for row in by_probe
    ]


def test_a_batch_keeps_the_order_of_the_folder(out: Path, built_sample: Build, tmp_path: Path) -> None:
    """Version 1.2.0 had another order of columns: its folders go on, and `verify` still compares them."""
    old = ["Record ID", *reversed(HEADERS[1:])]
    export(built_sample, tmp_path / "out", "--only", "with_links", "--sample", "1")
    manifest = read_manifest(tmp_path / "out")
    for file in manifest["files"]:
        if file["kind"] == "with_links":
            book = openpyxl.load_workbook(tmp_path / "out" / file["path"])
            rows = list(book.worksheets[0].values)
            for number, row in enumerate(rows, 1):
                for place, value in enumerate((row[0], *reversed(row[1:])), 1):
                    book.worksheets[0].cell(number, place, value)
            book.save(tmp_path / "out" / file["path"])
            file["columns"] = old
    write_manifest(tmp_path / "out", manifest)
    done = export(built_sample, tmp_path / "out", "--only", "with_links", "--new")
    assert done.code == 0, done.err
    assert "changed" not in done.err and "disappeared" not in done.err
    batches = list((tmp_path / "out" / "with_links").glob("*-batch2.xlsx"))
    assert batches and all(sheet(file)[0] == old for file in batches)


def test_wide_characters_have_room(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    header, row = "id,experiment_id,root_id,depth,tag,probe,content,memo", f"2,1,1,1,trimmed,P,P one,{'漢' * 15}"
    (tmp_path / "p" / "wide.csv").write_text(f"{header}\n1,1,0,0,raw,P,P,\n{row}\n", encoding="utf-8")
    done = probesheets(tmp_path / "p", {}, "run", "--source", "wide.csv", "--vars", "{extra_columns: [memo]}")
    assert done.code == 0, done.err
    [file] = (tmp_path / "p" / "out" / "with_links").iterdir()
    assert widths(opened(file))["memo"] >= 30
