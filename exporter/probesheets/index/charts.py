"""The first sheet of index.xlsx: native charts, and the sheet with their numbers."""

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from probesheets.index.chart_data import LARGEST, MOST_BARS, MOST_PERIODS, ChartData, Table

# ten distinct hues, and grey for the others
COLOURS = ("4E79A7", "F28E2B", "E15759", "76B7B2", "59A14F", "EDC948", "B07AA1", "FF9DA7", "9C755F", "86BCB6", "BAB0AC")
_WIDE, _HALF, _HIGH = 32, 15.75, 11  # cm


def draw_charts(overview: Worksheet, data: Worksheet, numbers: ChartData, row: int) -> None:
    """Put the numbers into the sheet `data` and their charts into `overview`, starting at a row."""
    below = row + 23
    if len(numbers.periods) > 1:
        title = f"Texts per {numbers.period.lower()}"
        if len(numbers.periods) > MOST_PERIODS:
            title += f" (the last {MOST_PERIODS})"
        chart = _chart(data, _place(data, numbers.periods), title, _WIDE)
        chart.grouping, chart.overlap = "stacked", 100
        chart.legend.position = "r"
        overview.add_chart(chart, f"A{row}")
    else:
        overview[f"A{row}"] = "No text has a date, so there is no chart by month."
    if len(numbers.link_shares) > 1:
        title = "Share of texts with links"
        if len(numbers.link_shares) > MOST_BARS:
            title += f", the {MOST_BARS} largest probes"
        chart = _chart(data, _place(data, numbers.link_shares), title, _HALF, high=max(_HIGH, len(numbers.link_shares)))
        chart.type, chart.legend = "bar", None
        chart.x_axis.scaling.orientation = "maxMin"  # the largest probe on top
        chart.y_axis.number_format, chart.y_axis.scaling.min = "0%", 0
        chart.y_axis.crosses = "max"  # keeps the scale below
        overview.add_chart(chart, f"A{below}")
    chart = _chart(data, _place(data, numbers.lengths), "Length of texts, in characters", _HALF)
    chart.legend = None
    chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    overview.add_chart(chart, f"I{below}")


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


def _chart(data: Worksheet, cells: Reference, title: str, width: float, high: float = _HIGH) -> BarChart:
    chart = BarChart()
    chart.title, chart.width, chart.height, chart.gapWidth = title, width, high, 40
    values = Reference(data, min_col=cells.min_col + 1, max_col=cells.max_col, min_row=1, max_row=cells.max_row)
    chart.add_data(values, titles_from_data=True)
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
