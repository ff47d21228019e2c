"""index.xlsx, for people and not for importers: charts, then one row per probe with links to its workbooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from probesheets.folder.manifest import Manifest, described
from probesheets.index.chart_data import ChartData
from probesheets.index.charts import draw_charts, write_facts
from probesheets.index.fixed_times import set_times
from probesheets.workbooks.cells import LINE_POINTS

HEADERS = {
    "probe": "Probe",
    "text_count": "Texts",
    "link_count": "Links",
    "first_date": "First date",
    "last_date": "Last date",
}
DRAWN = {"drawn": "Drawn", "share": "Share drawn"}  # if the folder has a sample
_WIDTHS = {"Probe": 70, "Texts": 8, "Links": 8, "First date": 12, "Last date": 12, "Drawn": 8, "Share drawn": 12}
_MOST_LINES = 4  # of a long probe, so that the table stays easy to scan
_MOST_LINKS = 65_000  # Excel allows 65,530 in a sheet


def write_index(
    file: Path,
    probes: Sequence[Mapping[str, Any]],
    workbooks: Mapping[str, Mapping[str, Sequence[str]]],
    numbers: ChartData,
    manifest: Manifest,
    created: datetime,
) -> None:
    """Write the index of `probes` (file_stem and the keys of HEADERS, one mapping per probe).

    `workbooks` maps the title of a column to the relative paths of each file_stem's workbooks. The manifest has the
    totals and the samples. The same content and `created` give the same bytes.
    """
    book = Workbook()
    overview = book.active
    overview.title, overview.sheet_view.showGridLines, overview.sheet_view.tabSelected = "Overview", False, True
    facts = _facts(probes, manifest)
    write_facts(overview, facts)
    draw_charts(overview, book.create_sheet("Data"), numbers, len(facts) + 2)
    _fit_on_a_page(overview)
    _write_probes(book.create_sheet("Probes", 1), probes, workbooks, manifest.drawn)
    book.save(file)
    set_times(file, created)


def _facts(probes: Sequence[Mapping[str, Any]], manifest: Manifest) -> list[tuple[str, Any]]:
    totals = manifest.totals
    facts = [
        ("Language model texts, by probe", None),
        ("Probes", len(probes)),
        ("Texts", totals["texts"]),
        ("Links", totals["links"]),
        ("Rows left out", sum(totals["left_out"].values())),
        ("Dates not understood", totals["dates_not_understood"]),
        ("Exported", manifest.created[:10]),
    ]
    for batch in manifest.batches:
        if batch.sample:
            facts.append((f"Sample, batch {batch.batch}", described(batch.sample)))
        elif len(manifest.batches) > 1:
            facts.append((f"Batch {batch.batch}", f"exported on {batch.created[:10]}: texts not delivered before"))
    if manifest.drawn is not None:
        held, texts = (sum(probe[name] for probe in manifest.drawn) for name in ("drawn", "texts"))
        facts.append(
            ("Share drawn", f"{held:,} of {texts:,} texts ({held / max(texts, 1):.1%}); the charts show all texts")
        )
    return facts


def _fit_on_a_page(sheet: Worksheet) -> None:
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToHeight = 1


def _write_probes(
    sheet: Worksheet,
    probes: Sequence[Mapping[str, Any]],
    workbooks: Mapping[str, Mapping[str, Sequence[str]]],
    drawn: Sequence[Mapping[str, Any]] | None,
) -> None:
    headers = HEADERS | (DRAWN if drawn else {})
    held = {probe["file_stem"]: probe["drawn"] for probe in drawn or ()}
    sheet.freeze_panes, left = "B2", _MOST_LINKS
    sheet.append([*headers.values(), *workbooks])
    for row, probe in enumerate(probes, 2):
        count = held.get(probe["file_stem"], 0)
        values = {**probe, "drawn": count, "share": count / max(int(probe["text_count"]), 1)}
        paths = [files.get(probe["file_stem"], ()) for files in workbooks.values()]
        sheet.append([*(values[name] for name in headers), *map(_caption, paths)])
        for place, some in enumerate(paths, len(headers) + 1):
            if some and left:
                cell, left = sheet.cell(row, place), left - 1
                cell.hyperlink, cell.style = some[0], "Hyperlink"
    _make_readable(sheet)


def _caption(paths: Sequence[str]) -> str | None:
    return ("open" if len(paths) == 1 else f"open part 1 of {len(paths)}") if paths else None


def _make_readable(sheet: Worksheet) -> None:
    for place, cell in enumerate(sheet[1], 1):
        cell.font = Font(name="Calibri", bold=True)
        width = _WIDTHS.get(str(cell.value), max(16, len(str(cell.value)) + 2))
        sheet.column_dimensions[get_column_letter(place)].width = width
    top, wrapped = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
    for probe, *others in sheet.iter_rows(min_row=2):
        probe.data_type = "s"  # a probe that begins with = is not a formula
        lines = -(-len(str(probe.value)) // _WIDTHS["Probe"])  # an estimate, because LibreOffice does not fit heights
        if lines > 1:
            sheet.row_dimensions[probe.row].height = LINE_POINTS * min(lines, _MOST_LINES)
            probe.alignment = wrapped
        for cell in others:
            if lines > 1:
                cell.alignment = top
            if isinstance(cell.value, float):
                cell.number_format = "0.0%"
