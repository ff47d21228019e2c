"""index.xlsx as people see it: its charts, drawn by LibreOffice, and the numbers behind them."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from probesheets.folder.manifest import Manifest
from probesheets.index.chart_data import read_chart_data
from probesheets.index.charts import COLOURS
from probesheets.index.names import short_names
from probesheets.index.sheet import write_index
from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import export

SHARED = "You are the assistant of a library in a small harbour town and answer politely, but never about "
DRAWS = pytest.mark.skipif(
    not (shutil.which("soffice") and shutil.which("pdftoppm")) and os.environ.get("CI") != "true",  # there, it fails
    reason="LibreOffice and pdftoppm are not installed (apt-get install libreoffice-calc poppler-utils)",
)


@pytest.fixture(scope="module")
def index(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    assert export(built_sample, folder).code == 0
    return folder / "index.xlsx"


def table(index: Path, header: str) -> list[list[Any]]:
    """The table of the sheet Data whose first header is this."""
    columns = list(openpyxl.load_workbook(index)["Data"].columns)
    first = next(place for place, column in enumerate(columns) if column[0].value == header)
    some = [[cell.value for cell in column] for column in columns[first:]]
    width = next((place for place, column in enumerate(some) if column[0] is None), len(some))
    rows = zip(*some[:width], strict=True)
    return [list(row) for row in rows if row[0] is not None]


def test_it_opens_on_the_charts(index: Path) -> None:
    book = openpyxl.load_workbook(index)
    assert book.active.title == "Overview" and book.sheetnames == ["Overview", "Probes", "Data"]
    charts = book["Overview"]._charts
    assert [chart.grouping for chart in charts] == ["stacked", "stacked", "clustered", "clustered"]
    assert len(charts[0].series) == 9
    assert [sheet.title for sheet in book if sheet.sheet_view.tabSelected] == ["Overview"]


def column(sheet: Any, header: str) -> list[Any]:
    """The cells of a column of the sheet Probes, without its header."""
    (cells,) = (cells for cells in sheet.iter_cols() if cells[0].value == header)
    return list(cells[1:])


def test_a_long_probe_has_room_but_not_the_screen(index: Path) -> None:
    sheet = openpyxl.load_workbook(index)["Probes"]
    heights = {len(cell.value): sheet.row_dimensions[cell.row].height for cell in column(sheet, "Probe")}
    assert max(heights) > 200 and heights[max(heights)] == 45 and heights[min(heights)] is None


def test_the_largest_probe_is_first_and_a_link_shows_its_file(index: Path, built_sample: Build) -> None:
    sheet = openpyxl.load_workbook(index)["Probes"]
    counted = Counter(probe for (probe,) in built_sample.rows("texts", ["probe"]))
    largest = sorted(counted, key=lambda probe: (-counted[probe], probe))
    assert [cell.value for cell in column(sheet, "Probe")] == largest
    for header in ("With links", "Without links"):
        for cell in column(sheet, header):
            assert cell.value == Path(cell.hyperlink.target).name and cell.value.endswith(".xlsx")


def test_the_table_has_the_names_of_the_charts_if_probes_begin_alike(index: Path, tmp_path: Path) -> None:
    names = {cell.value for cell in column(openpyxl.load_workbook(index)["Probes"], "Short name")}
    assert names == set(table(index, "Month")[0][1:]) == {row[0] for row in table(index, "Probe")[1:]}
    assert {"…White's move:", "…Black's move:", "Masks are"} <= names
    plain = write(tmp_path, probes(f"{number} begins otherwise, {SHARED}" for number in range(30)))
    assert openpyxl.load_workbook(plain)["Probes"]["A1"].value == "Probe"


def test_texts_by_month_are_those_of_the_models(index: Path, built_sample: Build) -> None:
    months = table(index, "Month")
    dates = [row[0] for row in built_sample.rows("texts", ["date"]) if row[0]]
    counts = Counter(f"{day:%Y-%m}" for day in dates)
    assert {row[0]: sum(row[1:]) for row in months[1:] if sum(row[1:])} == counts
    assert [row[0] for row in months[1:]] == sorted(row[0] for row in months[1:])  # and none between is left out
    first, last = min(dates), max(dates)
    assert len(months) - 1 == (last.year - first.year) * 12 + last.month - first.month + 1
    masks = sum(row[months[0].index("Masks are")] for row in months[1:])
    assert masks == sum(
        1 for day, probe in built_sample.rows("texts", ["date", "probe"]) if day and probe == "Masks are"
    )


def test_shares_and_lengths_are_those_of_the_models(index: Path, built_sample: Build) -> None:
    texts = built_sample.rows("texts", ["probe", "link_count", "text"])
    shares = {row[0]: row[1] for row in table(index, "Probe")[1:]}
    masks = [links > 0 for probe, links, _ in texts if probe == "Masks are"]
    assert shares["Masks are"] == pytest.approx(sum(masks) / len(masks))
    lengths = {row[0]: row[1] for row in table(index, "Characters")[1:]}
    assert sum(lengths.values()) == len(texts)
    assert lengths["under 50"] == sum(len(text) < 50 for *_, text in texts)
    assert lengths["100 to 199"] == sum(100 <= len(text) < 200 for *_, text in texts)


def test_the_numbers_are_the_same_on_every_engine(index: Path, built: Builder, sample: Source, engine: str) -> None:
    build = built(engine, sample)
    assert build.probesheets("export", "--target", engine, "--out", "charts").returncode == 0
    other = build.folder / "charts" / "index.xlsx"
    for header in ("Month", "Probe", "Characters"):
        assert table(other, header) == table(index, header)


class Stored:
    """A warehouse that answers with what it was given."""

    quote = '"'

    def __init__(self, *answers: list[tuple[Any, ...]]) -> None:
        self.answers = list(answers)

    def relation(self, _name: str) -> str:
        return "texts"

    def ready(self, _name: str) -> None:
        """No text is coded."""

    def rows(self, _query: str) -> list[tuple[Any, ...]]:
        return self.answers.pop(0)


def probes(texts: Iterable[str], counts: Iterable[int] = ()) -> list[dict[str, Any]]:
    """Rows of the model probes; without `counts`, all probes have 10 texts."""
    numbers = [*counts]
    return [
        {"probe": text, "file_stem": f"p{place}-{'x' * 72}", "text_count": (numbers or [10] * (place + 1))[place]}
        | {"link_count": 1, "first_date": None, "last_date": None}
        for place, text in enumerate(texts)
    ]


def figures(
    rows: list[dict[str, Any]], months: Iterable[tuple[int, int, int, int]] = (), linked: Iterable[int] = ()
) -> Any:
    """The charts of probes, given their texts per month (the probe's place, year, month, count) and who has links."""
    dated = [(rows[place]["file_stem"], *others) for place, *others in months]
    sizes: list[tuple[Any, ...]] = [(50, 7), (0, 1)] if rows else []
    stored: Any = Stored(dated, [(rows[place]["file_stem"], 5) for place in linked], sizes)
    return read_chart_data(stored, stored, rows)


def write(folder: Path, rows: list[dict[str, Any]], parts: int = 1, **counted: Any) -> Path:
    """An index of probes, each with two workbooks of some parts."""
    totals = {"texts": 1, "links": 0, "left_out": {}, "dates_not_understood": 0}
    file, moment = folder / "index.xlsx", datetime(2023, 11, 14, tzinfo=UTC)
    workbooks: Mapping[str, Mapping[str, list[str]]] = {
        kind.replace("_", " ").capitalize(): {
            row["file_stem"]: [f"{kind}/{row['file_stem']}{'-part2' * part}.xlsx" for part in range(parts)]
            for row in rows
        }
        for kind in ("with_links", "without_links")
    }
    write_index(file, rows, workbooks, figures(rows, **counted), Manifest(totals=totals, created="2023-11-14"), moment)
    return file


def test_many_probes_and_months_are_kept_readable() -> None:
    rows = probes((f"{SHARED}number {number}" for number in range(40)), range(100, 60, -1))
    months = [(number % 12, 1990 + number // 12, number % 12 + 1, 2) for number in range(100)]
    periods, shares, lengths, _ = figures(rows, months, [0])
    header, *counts = periods.table
    assert header[0] == "Year" and [row[0] for row in counts] == [str(year) for year in range(1990, 1999)]
    assert len(header) == len(set(header)) == 12 and header[1] == "…0" and header[-1] == "30 other probes"
    assert sum(sum(row[1:]) for row in counts) == 200
    assert "each year" in periods.sentence and "the 10 largest probes; grey is the 30 other probes" in periods.sentence
    assert f"Not shown: {sum(range(61, 101)) - 200:,} without a date." in periods.sentence
    assert shares.table[1] == ["…0", 0.05] and len(shares.table) == 26
    assert lengths.table[1] == ["under 50", 7] and lengths.table[-1] == ["32,767 or more", 1]


@pytest.mark.parametrize("many", [134, 2_000])
def test_other_probes_do_not_drown_the_chart(many: int) -> None:
    rows = probes(f"{SHARED}number {number}" for number in range(many))
    periods, *_ = figures(rows, [(place, 2021, place % 12 + 1, 10) for place in range(many)])
    assert periods.table[0] == ["Month", "Texts"] and sum(row[1] for row in periods.table[1:]) == 10 * many
    assert f"All {many:,} probes" in periods.sentence and "colour" not in periods.sentence


def test_one_probe_more_than_there_are_colours_keeps_its_name() -> None:
    periods, *_ = figures(probes(map(str, range(11))), [(place, 2021, 1, 10) for place in range(11)])
    assert set(periods.table[0][1:]) == set(map(str, range(11))) and "Each colour is one probe." in periods.sentence


def test_of_more_years_than_fit_the_last_are_shown() -> None:
    periods, *_ = figures(probes(["a"], [71]), [(0, 1900 + year, 1, 1) for year in range(70)])
    assert len(periods.table) == 61 and periods.sentence.endswith("Not shown: 11 without a date or before 1910.")


def test_names_show_the_part_that_differs() -> None:
    ends = [f"{topic} in {place} is" for topic in ("measles", "rumours") for place in ("ports", "towns")]
    assert short_names([f"{SHARED}how {end}" for end in ends]) == [f"…{end}" for end in ends]
    assert short_names(["Masks are", "masks are", "Masks are not"]) == ["Masks are", "masks are", "Masks are not"]
    assert short_names([SHARED.strip(), f"{SHARED}rats"]) == ["…about", "…about rats"]
    assert short_names(["海" * 50 + "甲", "海" * 50 + "乙"]) == ["…" + "海" * 12 + "甲", "…" + "海" * 12 + "乙"]
    assert short_names(["b" * 32, "b" * 31 + "c"]) == ["b" * 32, "b" * 31 + "c"]  # they fit


def test_names_are_distinct_even_if_the_last_difference_is_not() -> None:
    contexts, questions = ("1353 of them", "9870 of us"), ("How do I sleep", "Who is the mayor")
    texts = [f"{SHARED}{context}: {SHARED}{question}" for context in contexts for question in questions]
    names = short_names(texts)
    assert len(set(names)) == 4 and max(map(len, names)) <= 32
    for name, text in zip(names, texts, strict=True):
        assert all(f"{part[:4]}" in name for part in (*contexts, *questions) if part in text), name
    twice = short_names([*texts, *texts, "x" * 40, f"{'x' * 31}… (2)", "x" * 40])
    assert len(set(twice)) == len(twice)


def test_without_dates_and_texts_there_is_still_an_index(tmp_path: Path) -> None:
    periods, shares, lengths, _ = figures([])
    assert periods.table == [["Month"]] and shares.table == [["Probe", "Share of texts with links"]]
    assert periods.empty and shares.empty and lengths.empty
    assert openpyxl.load_workbook(write(tmp_path, []))["Overview"]._charts == []


def test_charts_without_values_are_left_out_and_leave_no_hole(tmp_path: Path) -> None:
    rows = probes(["Masks are", "Vaccines will"])
    sheet = openpyxl.load_workbook(write(tmp_path, rows))["Overview"]
    (chart,) = sheet._charts
    lines = [row[0].row for row in sheet.iter_rows() if row[0].value]
    assert (chart.anchor._from.col, chart.anchor._from.row) == (0, lines[-1])
    assert max(later - line for line, later in pairwise(lines)) == 2
    assert "Texts per month; Share of texts with links." in sheet.cell(lines[-2], 1).value
    sheet = openpyxl.load_workbook(write(tmp_path, rows, months=[(0, 2021, 5, 3)]))["Overview"]
    assert [chart.anchor._from.col for chart in sheet._charts] == [0, 0]


def test_a_sentence_above_each_chart_says_what_it_shows(index: Path) -> None:
    sheet = openpyxl.load_workbook(index)["Overview"]
    places = [chart.anchor._from for chart in sheet._charts]
    assert len({(place.row, place.col) for place in places}) == 4
    for place, word in zip(places, ("month", "code", "link", "length"), strict=True):
        cell = sheet.cell(place.row, place.col + 1)  # anchors count from 0
        assert word in cell.value and cell.value.endswith(".") and cell.alignment.wrap_text
        (merged,) = (cells for cells in sheet.merged_cells.ranges if cell.coordinate in cells)
        units = sum(sheet.column_dimensions[letter].width if letter == "A" else 8.43 for letter in letters(merged))
        assert len(cell.value) <= 2 * units * 0.9 and sheet.row_dimensions[cell.row].height == 30


def letters(cells: Any) -> list[str]:
    return [openpyxl.utils.get_column_letter(place) for place in range(cells.min_col, cells.max_col + 1)]


@pytest.mark.parametrize("many", [8, 134, 2_000])
def test_a_screen_of_1366_pixels_shows_the_first_links(many: int, tmp_path: Path) -> None:
    rows = probes(f"{SHARED}number {number}" for number in range(many))
    sheet = openpyxl.load_workbook(write(tmp_path, rows))["Probes"]
    headers = [cell.value for cell in sheet[1]]
    shown = sheet[1][: headers.index("With links") + 1]
    pixels = sum(7 * sheet.column_dimensions[cell.column_letter].width + 5 for cell in shown)
    assert pixels <= 1366 - 50  # row numbers and the scroll bar
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref == sheet.dimensions
    assert len({cell.value for cell in column(sheet, "Short name")}) == many


def test_it_prints_on_the_width_of_a_page(index: Path) -> None:
    for sheet in openpyxl.load_workbook(index):
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToWidth in (1, None)
        assert int(sheet.page_setup.fitToHeight) == (sheet.title == "Overview")
    assert openpyxl.load_workbook(index)["Probes"].print_title_rows == "$1:$1"


def test_a_link_says_which_part_it_opens(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path, probes(["Masks are"]), parts=3))["Probes"]
    (cell,) = column(sheet, "With links")
    assert cell.value == Path(cell.hyperlink.target).name + " (part 1 of 3)"


def test_the_order_of_the_database_does_not_matter(tmp_path: Path) -> None:
    rows = probes(f"{SHARED}number {number}" for number in range(30))
    linked = [{**row, "file_stem": row["probe"][-2:].strip()} for row in rows]
    assert write(tmp_path, linked).read_bytes() == write(tmp_path, linked[::-1]).read_bytes()


def print_pdf(index: Path, folder: Path) -> Path:
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(index)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / "index.pdf"


@DRAWS
@pytest.mark.parametrize("many", [8, 134, 2_000])
def test_libreoffice_prints_whole_names_of_files(many: int, tmp_path: Path) -> None:
    rows = probes(f"{SHARED}number {number}" for number in range(many))
    pdf = print_pdf(write(tmp_path, rows), tmp_path)
    words = subprocess.run(["pdftotext", "-bbox", pdf, "-"], check=True, capture_output=True, text=True).stdout
    found = []
    for page in (page for page in words.split("<page ")[1:] if ".xlsx" in page):
        assert ">Probe<" in page and ">Without<" in page  # every page has the header, and every column
        (edge,) = re.findall(r'\Awidth="([\d.]+)"', page)
        word = r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" .*>(.*\.xlsx)<'
        names = sorted((float(top), float(start), float(end), name) for start, top, end, name in re.findall(word, page))
        for (top, _, end, name), (below, start, last, again) in zip(names[::2], names[1::2], strict=True):
            assert (top, name) == (below, again) and end < start and last < float(edge)
            found.append(name)
    assert sorted(found) == sorted(f"{row['file_stem']}.xlsx" for row in rows)


@DRAWS
def test_libreoffice_draws_the_charts(index: Path, tmp_path: Path) -> None:
    picture = ["pdftoppm", "-r", "60", "-f", "1", "-l", "1", "-singlefile", str(print_pdf(index, tmp_path))]
    subprocess.run([*picture, str(tmp_path / "page")], check=True, timeout=60)
    pixels = read_pixels(tmp_path / "page.ppm")
    for colour in COLOURS[:8]:  # a bar of each of the probes with dates
        assert pixels[bytes.fromhex(colour)] > 20, f"no area of #{colour}"
    assert pixels[bytes.fromhex(COLOURS[0])] > 1000  # the bars of the other charts, too


def read_pixels(file: Path) -> Counter[bytes]:
    """How many pixels have each colour, in a picture in the format PPM."""
    kind, _, _, data = file.read_bytes().split(b"\n", 3)
    assert kind == b"P6"
    return Counter(data[place : place + 3] for place in range(0, len(data) - 2, 3))
