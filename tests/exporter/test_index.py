"""index.xlsx as people see it: its charts, drawn by LibreOffice, and the numbers behind them."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from probesheets.index.chart_data import read_chart_data
from probesheets.index.charts import COLOURS
from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import export


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
    assert [chart.grouping for chart in charts] == ["stacked", "clustered", "clustered"]
    assert len(charts[0].series) == 9
    assert [sheet.title for sheet in book if sheet.sheet_view.tabSelected] == ["Overview"]


def test_a_long_probe_has_room_but_not_the_screen(index: Path) -> None:
    sheet = openpyxl.load_workbook(index)["Probes"]
    heights = {len(sheet.cell(row, 1).value): sheet.row_dimensions[row].height for row in range(2, sheet.max_row + 1)}
    assert max(heights) > 200 and heights[max(heights)] == 60 and heights[min(heights)] is None


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

    def rows(self, _query: str) -> list[tuple[Any, ...]]:
        return self.answers.pop(0)


def test_many_probes_and_months_are_kept_readable() -> None:
    probes = [
        {"probe": f"{'The same beginning of a long probe, and then number '}{number}", "file_stem": f"p{number}"}
        | {"text_count": 100 - number}
        for number in range(40)
    ]
    months = [(f"p{number % 40}", 1990 + number // 12, number % 12 + 1, 2) for number in range(100)]
    stored: Any = Stored(months, [("p0", 50)], [(50, 7), (0, 1)])
    figures = read_chart_data(stored, stored, probes)
    header, *rows = figures.periods
    assert figures.period == "Year" and [row[0] for row in rows] == [str(year) for year in range(1990, 1999)]
    assert len(header) == 12 and header[-1] == "30 other probes"
    assert len(set(header)) == 12 and max(map(len, header)) <= 40
    assert sum(sum(row[1:]) for row in rows) == 200
    assert figures.link_shares[1][1] == 0.5 and len(figures.link_shares) == 26
    assert figures.lengths[1] == ["under 50", 7] and figures.lengths[-1] == ["32,767 or more", 1]


def test_without_dates_and_texts_there_is_still_an_index() -> None:
    stored: Any = Stored([], [], [])
    figures = read_chart_data(stored, stored, [])
    assert figures.periods == [["Month"]] and figures.link_shares == [["Probe", "Share of texts with links"]]


@pytest.mark.skipif(not (shutil.which("soffice") and shutil.which("pdftoppm")), reason="needs LibreOffice and poppler")
def test_libreoffice_draws_the_charts(index: Path, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(index)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    picture = ["pdftoppm", "-r", "60", "-f", "1", "-l", "1", "-singlefile", str(tmp_path / "index.pdf")]
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
