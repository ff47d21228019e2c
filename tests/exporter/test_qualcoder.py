"""The kind `qualcoder`: the rules of QualCoder's survey import, and that import itself where a checkout of it is named.

PROBESHEETS_TEST_QUALCODER names the checkout, PROBESHEETS_TEST_QUALCODER_PYTHON a Python with PyQt6 and openpyxl.
"""

import json
import os
import re
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import HEADERS, export, sheet

CHECKOUT = os.environ.get("PROBESHEETS_TEST_QUALCODER")
PYTHON = os.environ.get("PROBESHEETS_TEST_QUALCODER_PYTHON", sys.executable)
needs_qualcoder = pytest.mark.skipif(
    not CHECKOUT, reason="PROBESHEETS_TEST_QUALCODER names no checkout of QualCoder (no package registry has it)"
)
STRIPPED = dict.fromkeys(map(ord, set(string.punctuation) - set("_'\"") | {"\t"}))  # from headers, by the importer
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@pytest.fixture(scope="module")
def out(built: Builder, sample: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    build: Build = built("duckdb", sample)
    folder = tmp_path_factory.mktemp("qualcoder")
    for kind in ("qualcoder", "with_links"):
        assert export(build, folder / kind, "--only", kind).code == 0
    return folder


def workbooks(out: Path, kind: str = "qualcoder") -> list[Path]:
    files = sorted((out / kind / kind).iterdir())
    assert len(files) == 9
    return files


def broken_rules(file: Path) -> set[str]:
    """The rules that a workbook breaks: those that change or stop the survey import, but for the number 0."""
    book = openpyxl.load_workbook(file)
    first = book.worksheets[0]
    headers, *rows = [list(row) for row in first.iter_rows()]
    names = [str(cell.value or "").translate(STRIPPED) for cell in headers]
    cells = [cell for row in rows for cell in row]
    values = [cell.value for cell in cells if cell.value is not None]
    texts = [value for value in values if isinstance(value, str)]
    cases = [row[0].value for row in rows]
    rules = {
        "the first sheet is the only one, and visible": len(book.worksheets) == 1 and first.sheet_state == "visible",
        "row 1 is the header, from A1": names[0] == "Record ID" and len(names) > 1 and first.min_row == 1,
        "every column has a header": all(names),  # a styled empty cell makes a column, too
        "headers differ without punctuation": len({name.casefold() for name in names}) == len(names),
        "column A names the cases": all(isinstance(case, str) and case.strip() for case in cases),
        "no case is there twice": len(set(cases)) == len(cases),
        "no row is blank": all(any(cell.value not in (None, "") for cell in row) for row in rows),
        "no cell is a date": not any(isinstance(value, date | datetime) for value in values),
        "no cell is a formula": not any(cell.data_type == "f" for cell in [*headers, *cells]),
        "cells are texts and integers": all(type(value) in (str, int, date, datetime) for value in values),
        "no number over 15 digits": not any(type(value) in (int, float) and abs(value) >= 10**15 for value in values),
        "texts fit into a cell": all(len(text.encode("utf-16-le")) // 2 <= 32_767 for text in texts),
        "no control characters": not any(CONTROLS.search(text) for text in [*names, *texts]),
    }
    return {rule for rule, kept in rules.items() if not kept}


def test_every_workbook_keeps_the_importers_rules(out: Path) -> None:
    assert {file.name: broken for file in workbooks(out) if (broken := broken_rules(file))} == {}


def test_all_workbooks_fit_into_one_project(out: Path) -> None:
    """In one project, QualCoder would take a case of the second workbook for the first's case of that name."""
    cases = Counter(row[0] for file in workbooks(out) for row in sheet(file)[1:])
    assert max(cases.values()) == 1 and cases.total() >= 308
    assert {tuple(sheet(file)[0]) for file in workbooks(out)} == {tuple(HEADERS)}


def test_dates_are_iso_texts_or_nothing(out: Path) -> None:
    days = [row[HEADERS.index("Date")] for file in workbooks(out) for row in sheet(file)[1:]]
    assert all(day == "" or date.fromisoformat(day).isoformat() == day for day in days) and len(set(days)) > 100


def test_the_rules_are_not_kept_by_date_cells(out: Path) -> None:
    """That is why the kind exists."""
    assert [broken_rules(file) for file in workbooks(out, "with_links")] == [{"no cell is a date"}] * 9


BREAKS: dict[str, tuple[Callable[[Worksheet], Any], str]] = {
    "a title row": (lambda sheet: [sheet.insert_rows(1), sheet.cell(1, 1, "Texts")], "row 1 is the header, from A1"),
    "a sheet more": (lambda sheet: sheet.parent.create_sheet("x"), "the first sheet is the only one, and visible"),
    "a styled cell": (
        lambda sheet: setattr(sheet.cell(3, sheet.max_column + 1), "font", Font(b=True)),
        "every column has a header",
    ),
    "punctuation": (lambda sheet: sheet.cell(1, 3, "Te.xt?"), "headers differ without punctuation"),
    "a case twice": (lambda sheet: sheet.cell(3, 1, sheet.cell(2, 1).value), "no case is there twice"),
    "a numbered case": (lambda sheet: sheet.cell(3, 1, 7), "column A names the cases"),
    "a blank row": (lambda sheet: sheet.insert_rows(3), "no row is blank"),
    "a formula": (lambda sheet: sheet.cell(3, 14, "=1+1"), "no cell is a formula"),
    "a fraction": (lambda sheet: sheet.cell(3, 9, 0.5), "cells are texts and integers"),
    "a long number": (lambda sheet: sheet.cell(3, 9, 1234567890123456789), "no number over 15 digits"),
}


@pytest.mark.parametrize(("change", "rule"), BREAKS.values(), ids=BREAKS)
def test_a_rule_can_be_broken(out: Path, tmp_path: Path, change: Callable[[Worksheet], Any], rule: str) -> None:
    book = openpyxl.load_workbook(workbooks(out)[1])
    change(book.worksheets[0])
    book.save(tmp_path / "changed.xlsx")
    assert rule in broken_rules(tmp_path / "changed.xlsx")


def run_import(*files: Path, project: Path | None = None) -> subprocess.CompletedProcess[str]:
    """QualCoder's importers, in a process of its own and without a screen; the project is kept if a folder is given."""
    driver = Path(__file__).with_name("qualcoder_driver.py")
    command = [PYTHON, "-B", str(driver), str(CHECKOUT), "Text", *map(str, files)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QUALCODER_PROJECT": str(project or "")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def imported(out: Path) -> dict[str, Any]:
    """What the project holds after all workbooks were imported into it, one after the other."""
    result = run_import(*workbooks(out))
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@needs_qualcoder
def test_qualcoder_makes_a_case_of_every_row(out: Path, imported: dict[str, Any]) -> None:
    for file in workbooks(out):
        told = imported["workbooks"][str(file)]
        assert told["cases"] == len(sheet(file)) - 1 and told["closed"]
        assert list(told["guessed"]) == HEADERS  # all columns, under their own names
        assert told["said"][1:] == ["Survey imported.", "Survey imported"]  # and of no error, nothing
    assert sorted(imported["cases"]) == sorted([row[0]] for file in workbooks(out) for row in sheet(file)[1:])


@needs_qualcoder
def test_qualcoder_can_code_every_text(out: Path, imported: dict[str, Any]) -> None:
    """A text of its own for each case, equal to the cell, all of it the case's, under the code `Text`."""
    cells = {row[0]: row[1] for file in workbooks(out) for row in sheet(file)[1:]}
    assert {case: text for case, text, _, _ in imported["texts"]} == cells
    assert all((start, end) == (0, len(text)) for _, text, start, end in imported["texts"])
    assert sorted(imported["sources"]) == sorted([f"{case}_Text", None] for case in cells)  # null: not a media file
    assert sorted(imported["coded"]) == sorted([case, "Text", text] for case, text in cells.items())


@needs_qualcoder
def test_qualcoder_makes_attributes_of_all_other_columns(out: Path, imported: dict[str, Any]) -> None:
    others = [header for header in HEADERS[1:] if header != "Text"]
    assert [name for (name,) in imported["attribute_types"]] == others
    cells = {
        (row[0], header): "" if value == 0 else str(value)  # see test_no_number_is_zero
        for file in workbooks(out)
        for row in [[int(cell) if isinstance(cell, float) else cell for cell in row] for row in sheet(file)[1:]]
        for header, value in zip(HEADERS[1:], row[1:], strict=True)
        if header in others
    }
    assert {(case, name): value for case, name, value in imported["attributes"]} == cells


@needs_qualcoder
def test_qualcoder_stops_at_date_cells(out: Path) -> None:
    """If this fails, QualCoder has learned to read them, and this kind is no longer needed."""
    result = run_import(workbooks(out, "with_links")[0])
    assert result.returncode == 1 and "TypeError" in result.stderr and "datetime" in result.stderr
