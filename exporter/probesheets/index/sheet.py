"""index.xlsx, for people and not for importers: charts, then one row per probe with links to its workbooks."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from probesheets.folder.manifest import Manifest, described
from probesheets.index.chart_data import ChartData
from probesheets.index.charts import draw_charts, write_facts
from probesheets.index.names import ranked
from probesheets.workbooks.cells import LINE_POINTS

HEADERS = {
    "probe": "Probe",
    "text_count": "Texts",
    "link_count": "Links",
    "first_date": "First date",
    "last_date": "Last date",
}
DRAWN = {"drawn": "Drawn", "share": "Share drawn"}  # if the folder has a sample
_WIDTHS = {"Short name": 34, "Probe": 47, "Texts": 8, "Links": 8, "Drawn": 8}
_WIDTH = 11.5  # of the other columns, but for those with links
_MOST_LINES = 3  # of a long probe, so that the table stays easy to scan; four lines in LibreOffice
_LINK = Font(name="Calibri", size=9, underline="single", color="0563C1")
_MOST_LINKS = 65_000  # Excel allows 65,530 in a sheet
_TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


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
    book, probes = Workbook(), ranked(probes)
    overview = book.active
    overview.title, overview.sheet_view.showGridLines, overview.sheet_view.tabSelected = "Overview", False, True
    facts = _facts(probes, manifest)
    write_facts(overview, facts)
    draw_charts(overview, book.create_sheet("Data"), numbers, len(facts) + 2)
    _write_probes(book.create_sheet("Probes", 1), probes, workbooks, manifest.drawn)
    for sheet in book:  # prints on the width of a page
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
        sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight = True, int(sheet is overview)
        page = sheet.page_margins
        page.left = page.right = page.top = page.bottom = 0.4  # inches
    book.save(file)
    _set_times(file, created)


def _set_times(file: Path, created: datetime) -> None:
    """Replace the current time, which openpyxl writes, by `created`, and remove the times of the parts."""
    moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            content = _TIME.sub(rb"\g<1>" + moment, content) if name == "docProps/core.xml" else content
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # dated 1980, the earliest in a zip


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


def _write_probes(
    sheet: Worksheet,
    probes: Sequence[Mapping[str, Any]],
    workbooks: Mapping[str, Mapping[str, Sequence[str]]],
    drawn: Sequence[Mapping[str, Any]] | None,
) -> None:
    alike = not all(str(probe["probe"]).startswith(probe["name"].removesuffix("…")) for probe in probes)
    headers = ({"name": "Short name"} if alike else {}) | HEADERS | (DRAWN if drawn else {})
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
                cell.hyperlink, cell.font = some[0], _LINK
    _make_readable(sheet, len(headers))


def _caption(paths: Sequence[str]) -> str | None:
    return paths[0].rpartition("/")[2] + f" (part 1 of {len(paths)})" * (len(paths) > 1) if paths else None


def _make_readable(sheet: Worksheet, first_link: int) -> None:
    sheet.auto_filter.ref, sheet.print_title_rows = sheet.dimensions, "1:1"
    for place, (header, *cells) in enumerate(sheet.iter_cols()):
        link = place >= first_link
        header.font, width = Font(name="Calibri", bold=True), _WIDTHS.get(header.value, _WIDTH)
        if link:  # LibreOffice does not wrap it
            width = max([len(header.value) + 4, *(0.75 * len(cell.value or "") for cell in cells)])
        sheet.column_dimensions[header.column_letter].width = width
        for cell in cells:
            wraps = isinstance(cell.value, str) and not link
            cell.alignment = Alignment("left" if link else None, "top", 0, wraps, not wraps, int(link))
            if isinstance(cell.value, float):
                cell.number_format = "0.0%"
            elif wraps:
                cell.data_type = "s"  # a probe that begins with = is not a formula
                size = (len(cell.value) + len(cell.value.encode())) / 2  # wide characters have more bytes
                lines, row = min(ceil(size / width), _MOST_LINES), sheet.row_dimensions[cell.row]
                if lines > 1:  # an estimate, because LibreOffice does not fit heights
                    row.height = max(row.height or 0, LINE_POINTS * lines)
