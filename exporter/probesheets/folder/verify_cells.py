"""Compare the cells of an exported folder with the models in the database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from probesheets.errors import shortened
from probesheets.folder.delivered import READERS, load, open_sheet
from probesheets.folder.manifest import DELIVERED, Entry, Manifest
from probesheets.folder.shards import rows_in_shard
from probesheets.progress import Advance, Track
from probesheets.project.kinds import Kind, dealt_kinds
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse, select
from probesheets.workbooks.layout import CELL_UNITS, DIGITS_15, group_name, units

FIRST_DATE = date(1900, 3, 1)  # earlier dates are written as text

Record = tuple[Any, ...]  # a row of the model


@dataclass
class Place:
    """A row of a workbook."""

    path: str
    number: int
    row: list[Any]
    further: list["Place"] = field(default_factory=list)  # the rows in which its long text continues


def listed(cells: Iterable[Any]) -> str:
    return ", ".join(str(cell) for cell in cells) or "none"


def compare_cells(
    folder: Path, manifest: Manifest, project: Project, warehouse: Warehouse, unreadable: set[str], track: Track
) -> Iterator[str]:
    """Yield each difference between the workbooks and their models, except for the files in `unreadable`."""
    by_kind: dict[str, list[Entry]] = defaultdict(list)
    for entry in manifest.files:
        if entry.columns:
            by_kind[entry.kind].append(entry)
    kinds = dealt_kinds(project.kinds, manifest.samples)
    for name in by_kind.keys() - kinds.keys():
        yield f"{name}: the project no longer has this kind of spreadsheet."
    sampled = any(batch.sample for batch in manifest.batches)
    full = manifest.full and not sampled
    project.require([kind for kind in kinds.values() if kind.name in by_kind])
    others = [kind for kind in project.kinds.values() if kind.name not in by_kind and full and kind.default]
    blocked = project.blocked(others)  # kinds that cannot be exported may be missing
    for kind in kinds.values():
        if kind.name not in by_kind and (kind not in others or kind.name in blocked):
            continue
        entries = by_kind[kind.name]
        advance = track(kind.name, sum(entry.records for entry in entries))
        # an earlier version may have had another order
        ordered = kind.in_order(entries[0].columns) if entries else None
        rows = _Rows(folder, ordered or kind, unreadable, sampled, manifest.shard)
        yield from rows.check(entries, warehouse, full, advance)


class _Rows:
    """Compares the rows of a kind's workbooks with those of its model, in the same order."""

    def __init__(self, folder: Path, kind: Kind, unreadable: set[str], sampled: bool, shard: str | None) -> None:
        self.folder, self.kind, self.unreadable, self.sampled = folder, kind, unreadable, sampled
        self.shard = shard
        self.headers = [column.header for column in kind.layout.columns]
        self.long = kind.column_names.index(kind.layout.long_text) if kind.layout.long_text else None

    def check(self, entries: Sequence[Entry], warehouse: Warehouse, full: bool, advance: Advance) -> Iterator[str]:
        kind = self.kind
        if differing := [entry for entry in entries if kind.without_codes(entry.columns) != self.headers]:
            yield f"{differing[0].path}: the columns of {kind.name} are now {listed(self.headers)}. Export again."
            return
        found = warehouse.columns(kind.relation)
        if missing := [name for name in kind.column_names if name not in found]:
            yield f"{kind.name}: its model has no column {listed(missing)} any more. Export again."
            return
        books: dict[str | None, list[Entry]] = defaultdict(list)
        for entry in entries:
            books[entry.group].append(entry)
        group = kind.column_names.index(kind.one_file_per) if kind.one_file_per else None
        where = rows_in_shard(kind, self.shard, warehouse.quote)
        query = select(warehouse, kind.relation, kind.column_names, where=where, order_by=kind.order_by)
        records = _records(warehouse, query, advance)
        for name, some in groupby(records, key=lambda record: None if group is None else group_name(record[group])):
            if name in books:
                yield from self._check_group(books.pop(name), some)
            elif full:
                yield f"{kind.name}: {name or 'all'} is in the database, but has no workbook."
        for left in books.values():
            yield f"{left[0].path}: the database has no rows for it."

    def _check_group(self, entries: Sequence[Entry], records: Iterable[Record]) -> Iterator[str]:
        """Differences between the workbooks of one group and the database, up to the first extra or missing row."""
        if not self.unreadable.isdisjoint(entry.path for entry in entries):
            return
        batches: dict[int, list[Entry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda entry: entry.part):
            batches[entry.batch].append(entry)
        sheets = [self._places(some) for some in batches.values()]
        heads = [next(sheet, None) for sheet in sheets]  # the next row of each batch
        for record in records:
            for number, place in enumerate(heads):
                if place and _same(place.row[0], record[0]):
                    heads[number] = self._whole(place, record, next(sheets[number], None), sheets[number])
                    yield from self._check_record(place, record)
                    break
            else:
                if not self.sampled:
                    here = next((f"{head.path}, row {head.number}: is {head.row[0]}" for head in heads if head), None)
                    yield f"{here or entries[-1].path + ': ends early'}; the database has record {record[0]} here."
                    return
        for head in filter(None, heads):
            yield f"{head.path}, row {head.number}: record {head.row[0]} is not in the database."

    def _places(self, entries: Sequence[Entry]) -> Iterator[Place]:
        """The rows of all parts of a file, without the headers."""
        ids = iter(self._ids[entries[0].batch, entries[0].group or ""] if entries[0].path.endswith(".txt") else ())
        for entry in entries:
            file = self.folder / entry.path
            read = READERS.get(file.suffix)
            rows, first = (read(file, entry.columns), 1) if read else (islice(open_sheet(file).iter_rows(), 1, None), 2)
            if file.suffix == ".txt":
                rows = ([next(ids, f"not in {DELIVERED}"), *row] for row in rows)
            if len(kept := self.kind.without_codes(entry.columns)) < len(entry.columns):
                places = [entry.columns.index(header) for header in kept]
                rows = ([row[place] for place in places] for row in rows)
            yield from (Place(entry.path, number, row) for number, row in enumerate(rows, first))

    @cached_property
    def _ids(self) -> dict[tuple[int, str], list[str]]:
        """The Record IDs of text files, which only delivered.csv has; none if it is damaged, which `verify` reports."""
        ids: dict[tuple[int, str], list[str]] = defaultdict(list)
        with suppress(OSError, ValueError, KeyError):
            records = load(self.folder / DELIVERED)
            columns = records.filter(pc.equal(records["kind"], self.kind.name)).columns[1:4]
            for batch, group, record in zip(*(column.to_pylist() for column in columns), strict=True):
                ids[batch, group].append(record)
        return ids

    def _whole(self, place: Place, record: Record, after: Place | None, sheet: Iterator[Place]) -> Place | None:
        """Join the texts of a record's further rows (T1-2, T1-3, …) to its first; returns the row after them."""
        if self.long is None or units(str(record[self.long] or "")) <= CELL_UNITS:
            return after
        pieces, number = [str(place.row[self.long])], 2
        while after is not None and after.row[0] == f"{place.row[0]}-{number}":
            pieces.append(str(after.row[self.long]))
            place.further.append(after)
            after, number = next(sheet, None), number + 1
        place.row[self.long] = "".join(pieces)
        return after

    def _check_record(self, place: Place, record: Record) -> Iterator[str]:
        for at, header in enumerate(self.headers):
            value = record[at]
            for row in (place, *(place.further if at not in (0, self.long) else ())):
                if not _same(row.row[at], value, whole=at == self.long):
                    where = f"{row.path}, record {row.row[0]}, {header}"
                    yield f"{where}: {_quoted(row.row[at])}; the database has {_quoted(value)}."


def _records(warehouse: Warehouse, query: str, advance: Advance) -> Iterator[Record]:
    for chunk in warehouse.stream(query):
        columns = [column.to_pylist() for column in chunk.columns]
        yield from zip(*columns, strict=True)
        advance(chunk.num_rows)


def _same(cell: Any, value: Any, *, whole: bool = False) -> bool:
    """Whether a cell shows a value of the database as workbooks and pages do; a `whole` cell must not be shortened."""
    if value is None or value == "":
        return bool(cell == "")
    if isinstance(value, bool):
        return bool(cell == str(value).upper())
    if isinstance(value, int):
        return bool(cell == str(value)) or (abs(value) <= DIGITS_15 and type(cell) in (int, float) and cell == value)
    if isinstance(value, date):
        return cell == value.isoformat() or (value >= FIRST_DATE and cell == value)
    if not whole and isinstance(cell, str) and cell != value and units(value) > CELL_UNITS:
        return cell.endswith("…") and value.startswith(cell[:-1]) and units(cell) > CELL_UNITS - 100
    return bool(cell == value)


def _quoted(value: Any) -> str:
    return "nothing" if value in (None, "") else shortened(repr(value) if isinstance(value, str) else str(value))
