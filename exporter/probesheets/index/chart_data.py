"""The numbers behind the charts of index.xlsx, counted by the database from the model texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from probesheets.errors import shortened
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse

LENGTHS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 32_767)  # characters; a bar begins at each
MOST_PERIODS, LARGEST, MOST_BARS = 60, 10, 25
_NAME = 32  # characters of a probe where space is short
Table = list[list[Any]]  # the first row is the header


@dataclass(frozen=True)
class ChartData:
    """A table for each chart. Texts with a date are counted by month, or by year if there are too many months."""

    periods: Table  # period, then a column for each of the largest probes and one for the others
    period: str  # Month or Year
    link_shares: Table
    lengths: Table


def read_chart_data(project: Project, warehouse: Warehouse, probes: Sequence[Mapping[str, Any]]) -> ChartData:
    """Count the texts of all probes, the largest probes first."""
    texts, quote = project.relation("texts"), warehouse.quote
    day = f"{quote}date{quote}"
    largest = sorted(probes, key=lambda probe: (-int(probe["text_count"]), probe["file_stem"]))
    months = warehouse.rows(
        f"select file_stem, extract(year from {day}), extract(month from {day}), count(*) from {texts} "
        f"where {day} is not null group by 1, 2, 3"
    )
    linked = warehouse.rows(f"select file_stem, count(*) from {texts} where link_count > 0 group by file_stem")
    sizes = " ".join(f"when char_length({quote}text{quote}) < {size} then {size}" for size in LENGTHS)
    lengths = warehouse.rows(
        f"select size, count(*) from (select case {sizes} else 0 end as size from {texts}) as measured group by size"
    )
    periods, period = _periods(months, largest)
    return ChartData(periods, period, _link_shares(dict(linked), largest), _lengths(dict(lengths)))


def _periods(months: Sequence[tuple[Any, ...]], largest: Sequence[Mapping[str, Any]]) -> tuple[Table, str]:
    """Texts per period and probe, from the first period to the last; only the last ones if there are too many."""
    shown = {probe["file_stem"]: place for place, probe in enumerate(largest[:LARGEST])}
    numbers = [12 * int(year) + int(month) - 1 for _, year, month, _ in months]
    size, period = 1, "Month"
    if numbers and max(numbers) - min(numbers) >= MOST_PERIODS:
        size, period = 12, "Year"
    counts = Counter[tuple[int, int]]()
    for number, (stem, _, _, count) in zip(numbers, months, strict=True):
        counts[number // size, shown.get(stem, LARGEST)] += int(count)
    every = sorted({number // size for number in numbers})
    if every and every[-1] - every[0] < MOST_PERIODS:
        every = list(range(every[0], every[-1] + 1))
    names = _names(largest[:LARGEST])
    places = list(range(len(names)))
    if len(largest) > LARGEST:
        names.append(f"{len(largest) - LARGEST:,} other probes")
        places.append(LARGEST)
    label = (lambda number: f"{number // 12}-{number % 12 + 1:02}") if size == 1 else str
    rows = [[label(number), *(counts[number, place] for place in places)] for number in every[-MOST_PERIODS:]]
    return [[period, *names], *rows], period


def _link_shares(linked: Mapping[Any, Any], largest: Sequence[Mapping[str, Any]]) -> Table:
    shown = largest[:MOST_BARS]
    rows = [
        [name, int(linked.get(probe["file_stem"], 0)) / int(probe["text_count"])]
        for name, probe in zip(_names(shown), shown, strict=True)
    ]
    return [["Probe", "Share of texts with links"], *rows]


def _lengths(counts: Mapping[Any, Any]) -> Table:
    found = {int(size): int(count) for size, count in counts.items()}
    labels = [
        f"under {LENGTHS[0]}",
        *(f"{size:,} to {end - 1:,}" for size, end in pairwise(LENGTHS)),
    ]
    rows = [[label, found.get(end, 0)] for label, end in zip(labels, LENGTHS, strict=True)]
    return [["Characters", "Texts"], *rows, [f"{LENGTHS[-1]:,} or more", found.get(0, 0)]]


def _names(probes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Short and distinct names: the beginning of the probe, else its beginning and end, else the same with a number."""
    names: list[str] = []
    for probe in probes:
        text, number = str(probe["probe"]), 2
        name = shortened(text, _NAME)
        if name in names:
            name = base = text if len(text) <= _NAME else f"{text[: _NAME // 2]}…{text[-_NAME // 2 :]}"
            while name in names:
                name, number = f"{base} ({number})", number + 1
        names.append(name)
    return names
