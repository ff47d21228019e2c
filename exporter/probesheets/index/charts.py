"""The first sheet of index.xlsx: native charts, and the sheet with their numbers."""

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from probesheets.index.chart_data import LARGEST, ChartData, Figure, Table
from probesheets.workbooks.cells import LINE_POINTS

# ten distinct hues, and grey for the others
COLOURS = ("4E79A7", "F28E2B", "E15759", "76B7B2", "59A14F", "EDC948", "B07AA1", "FF9DA7", "9C755F", "86BCB6", "BAB0AC")
_WIDE, _HALF, _HIGH = 32, 15.75, 8  # cm
_ROWS = round(_HIGH / 0.53) + 3  # that a chart takes; a row has 0.53 cm


def draw_charts(overview: Worksheet, data: Worksheet, numbers: ChartData, row: int) -> None:
    """Put the numbers into the sheet `data` and their charts into `overview`, starting at a row."""
    periods, link_shares, lengths, codes = numbers
    if missing := [figure.title for figure in (periods, link_shares, lengths) if figure.empty]:
        overview[f"A{row}"] = f"Charts without values are left out: {'; '.join(missing)}."
        row += 2
    if not periods.empty:
        chart = _draw(overview, f"A{row}:Q{row}", data, periods, _WIDE)
        chart.grouping, chart.overlap = "stacked", 100
        row += _ROWS
    if codes:
        chart = _draw(overview, f"A{row}:Q{row}", data, codes, _WIDE)
        chart.grouping, chart.overlap = "stacked", 100
        row += _ROWS
    halves = iter((f"A{row}:G{row}", f"I{row}:Q{row}"))
    if not link_shares.empty:
        chart = _draw(overview, next(halves), data, link_shares, _HALF)
        chart.height = max(_HIGH, 0.7 * len(link_shares.table))
        chart.type = "bar"
        chart.x_axis.scaling.orientation = "maxMin"  # the largest probe on top
        chart.y_axis.number_format, chart.y_axis.scaling.min = "0%", 0
        chart.y_axis.crosses = "max"  # keeps the scale below
    if not lengths.empty:
        chart = _draw(overview, next(halves), data, lengths, _HALF)
        chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)


def _place(data: Worksheet, table: Table) -> Reference:
    """Write a table to the right of the others; returns its cells."""
    first = data.max_column + 2 if data.max_column > 1 else 1
    for number, values in enumerate(table, 1):
        for place, value in enumerate(values, first):
            _set(data, number, place, value)
    data.column_dimensions[get_column_letter(first)].width = 34 if isinstance(table[-1][1], float) else 18
    return Reference(data, min_col=first, max_col=first + len(table[0]) - 1, min_row=1, max_row=len(table))


def _set(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    cell = sheet.cell(row, column, value)
    if isinstance(value, str):
        cell.data_type = "s"  # a probe that begins with = is not a formula
    if isinstance(value, float):
        cell.number_format = "0%"
    if row == 1:
        cell.font = Font(name="Calibri", bold=True)


def _draw(overview: Worksheet, sentence: str, data: Worksheet, figure: Figure, width: float) -> BarChart:
    """A chart below the cells `sentence` of one row, which get its sentence and the height of two lines."""
    overview.merge_cells(sentence)
    cell = overview[sentence.partition(":")[0]]
    cell.value, cell.alignment = figure.sentence, Alignment(vertical="bottom", wrap_text=True)
    overview.row_dimensions[cell.row].height = 2 * LINE_POINTS
    chart, cells = BarChart(), _place(data, figure.table)
    overview.add_chart(chart, f"{cell.column_letter}{cell.row + 1}")
    chart.title, chart.width, chart.height, chart.gapWidth = figure.title, width, _HIGH, 40
    values = Reference(data, min_col=cells.min_col + 1, max_col=cells.max_col, min_row=1, max_row=cells.max_row)
    chart.add_data(values, titles_from_data=True)
    chart.legend = chart.legend if len(chart.series) > 1 else None
    chart.set_categories(Reference(data, min_col=cells.min_col, min_row=2, max_row=cells.max_row))
    for place, series in enumerate(chart.series):
        series.graphicalProperties.solidFill = COLOURS[min(place, LARGEST)]
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete = False  # openpyxl hides them in some readers
    return chart


def write_facts(overview: Worksheet, facts: Sequence[tuple[str, Any]]) -> None:
    """Write names and values at the top of the first sheet."""
    overview.column_dimensions["A"].width = 22
    for row, (name, value) in enumerate(facts, 1):
        _set(overview, row, 1, name)
        _set(overview, row, 2, value)
        overview.cell(row, 1).font = Font(name="Calibri", bold=True, size=14 if row == 1 else 11)
        if isinstance(value, int):
            overview.cell(row, 2).number_format = "#,##0"
            overview.cell(row, 2).alignment = Alignment(horizontal="left")
