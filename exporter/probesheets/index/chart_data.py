"""The numbers behind the charts of index.xlsx, counted by the database from the model texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from probesheets.index.names import ranked
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse

LENGTHS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 32_767)  # characters; a bar begins at each
MOST_PERIODS, LARGEST, MOST_BARS = 60, 10, 25
Table = list[list[Any]]  # the first row is the header


@dataclass(frozen=True)
class Figure:
    """A chart."""

    title: str
    sentence: str  # above the chart: says what it shows
    table: Table

    @property
    def empty(self) -> bool:
        return not any(any(row[1:]) for row in self.table[1:])


class ChartData(NamedTuple):
    """Texts per month or year, the share of texts with links, the length of texts, and codes, if there are any."""

    periods: Figure
    link_shares: Figure
    lengths: Figure
    codes: Figure | None


def read_chart_data(project: Project, warehouse: Warehouse, probes: Sequence[Mapping[str, Any]]) -> ChartData:
    """Count the texts of all probes, the largest probes first."""
    texts, quote = project.relation("texts"), warehouse.quote
    day = f"{quote}date{quote}"
    largest = ranked(probes)
    months = warehouse.rows(
        f"select file_stem, extract(year from {day}), extract(month from {day}), count(*) from {texts} "
        f"where {day} is not null group by 1, 2, 3"
    )
    linked = warehouse.rows(f"select file_stem, count(*) from {texts} where link_count > 0 group by file_stem")
    sizes = " ".join(f"when char_length({quote}text{quote}) < {size} then {size}" for size in LENGTHS)
    lengths = warehouse.rows(
        f"select size, count(*) from (select case {sizes} else 0 end as size from {texts}) as measured group by size"
    )
    codes = _codes(project, warehouse, day)
    return ChartData(_periods(months, largest), _link_shares(dict(linked), largest), _lengths(dict(lengths)), codes)


def _periods(months: Sequence[tuple[Any, ...]], largest: Sequence[Mapping[str, Any]]) -> Figure:
    """Texts per month (or year, if there are too many months) and probe; only the last ones if there are too many.

    If the largest probes have less than half of the texts, the others would fill the chart: it shows the sums alone.
    """
    most = LARGEST + (len(largest) == LARGEST + 1)  # a single other probe is shown, too
    names = {probe["file_stem"]: probe["name"] for probe in largest[:most]}
    if 2 * sum(row[3] for row in months if row[0] in names) < sum(row[3] for row in months):
        names = {}
    rest = f"{len(largest) - most:,} other probes" if names else "Texts"
    period, earlier, table = _by_period(months, names, rest if len(largest) > len(names) else None)
    sentence = f"How many texts have a date in each {period}{_colours(len(names), len(largest))}."
    if left := sum(int(probe["text_count"]) for probe in largest) - sum(sum(row[1:]) for row in table[1:]):
        sentence += f" Not shown: {left:,} without a date{earlier}."
    return Figure(f"Texts per {period}", sentence, table)


def _by_period(months: Sequence[tuple[Any, ...]], names: Mapping[Any, str], rest: str | None) -> tuple[str, str, Table]:
    """The period, which earlier ones are left out, and the counts: (name, year, month, count) by period and name."""
    numbers = [12 * int(year) + int(month) - 1 for _, year, month, _ in months]
    size, period = (12, "year") if numbers and max(numbers) - min(numbers) >= MOST_PERIODS else (1, "month")
    counts = Counter[tuple[int, str | None]]()
    for number, (name, _, _, count) in zip(numbers, months, strict=True):
        counts[number // size, names.get(name)] += int(count)
    every = sorted({number // size for number in numbers})
    if every and every[-1] - every[0] < MOST_PERIODS:
        every = list(range(every[0], every[-1] + 1))
    columns = [*names.values(), *([None] if rest else [])]
    label = (lambda number: f"{number // 12}-{number % 12 + 1:02}") if size == 1 else str
    rows: Table = [[label(number), *(counts[number, name] for name in columns)] for number in every[-MOST_PERIODS:]]
    earlier = f" or before {rows[0][0]}" if len(every) > MOST_PERIODS else ""
    return period, earlier, [[period.capitalize(), *(name or rest for name in columns)], *rows]


def _codes(project: Project, warehouse: Warehouse, day: str) -> Figure | None:
    """Coded texts per month and code; None if there are none, or their models are not ready."""
    coded, texts = project.ready("coded_texts"), project.relation("texts")
    if not coded:  # version 1.5.0 did not have it
        return None
    months = warehouse.rows(
        f"select coded.code, extract(year from texts.{day}), extract(month from texts.{day}), "
        f"count(distinct coded.text_id) from {coded} as coded join {texts} as texts on coded.text_id = texts.text_id "
        f"where texts.{day} is not null group by 1, 2, 3"
    )
    totals = Counter[str]()
    for code, _, _, count in months:
        totals[code] += int(count)
    names = {code: code for code, _ in sorted(totals.most_common(LARGEST))}
    period, _, table = _by_period(months, names, "Other codes" if len(totals) > len(names) else None)
    sentence = f"How many texts with a date have each code in each {period}. A text with two codes counts for both."
    return Figure(f"Codes per {period}", sentence, table) if months else None


def _colours(named: int, probes: int) -> str:
    if not named:
        return f". All {probes:,} probes are counted together: the {LARGEST} largest have less than half of these texts"
    if named == probes:
        return ". Each colour is one probe"
    return f". Each colour is one of the {named} largest probes; grey is the {probes - named:,} other probes together"


def _link_shares(linked: Mapping[Any, Any], largest: Sequence[Mapping[str, Any]]) -> Figure:
    shown, title = largest[:MOST_BARS], "Share of texts with links"
    rows = [[probe["name"], int(linked.get(probe["file_stem"], 0)) / int(probe["text_count"])] for probe in shown]
    which = f"each of the {MOST_BARS} largest probes" if len(largest) > MOST_BARS else "each probe"
    return Figure(title, f"For {which}, the share of texts that have a link.", [["Probe", title], *rows])


def _lengths(counts: Mapping[Any, Any]) -> Figure:
    found = {int(size): int(count) for size, count in counts.items()}
    labels = [f"under {LENGTHS[0]}", *(f"{size:,} to {end - 1:,}" for size, end in pairwise(LENGTHS))]
    rows = [[label, found.get(end, 0)] for label, end in zip(labels, LENGTHS, strict=True)]
    table: Table = [["Characters", "Texts"], *rows, [f"{LENGTHS[-1]:,} or more", found.get(0, 0)]]
    return Figure("Length of texts", "How many texts have each length, in characters.", table)
