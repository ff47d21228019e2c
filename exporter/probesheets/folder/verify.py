"""An exported folder, read again by a library that did not write it: against its manifest, and against the database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from probesheets.errors import ProbesheetsError
from probesheets.folder.manifest import MANIFEST, Entry, Manifest, is_link, linked, read, sha256
from probesheets.folder.publish import check_name, is_ours
from probesheets.progress import Advance, Track, silent
from probesheets.project.models import Kind, Project
from probesheets.warehouse import Warehouse, select
from probesheets.workbooks.layout import CELL_UNITS, DIGITS_15, group_name, units

FIRST_DATE = date(1900, 3, 1)  # earlier dates are text

Record = tuple[Any, ...]  # a row of the database


@dataclass
class Place:
    """A row of a workbook."""

    path: str
    number: int
    row: list[Any]
    further: list["Place"] = field(default_factory=list)  # where its long text goes on


def verify(
    folder: Path, project: Project | None = None, warehouse: Warehouse | None = None, track: Track = silent
) -> Iterator[str]:
    """Yield each difference, as a sentence, between a folder and its manifest; with a warehouse, cell by cell with it.

    One workbook at a time is in memory. Raises ProbesheetsError if there is no such folder.
    """
    check_name(folder)
    if not folder.is_dir():
        raise ProbesheetsError(f"{folder} is not a folder. Name one that an export wrote: probesheets verify out")
    try:
        manifest = read(folder)
    except ProbesheetsError as error:
        yield str(error)
        return
    if manifest is None:
        yield (
            f"{MANIFEST} is missing. Without it the folder can be neither verified nor continued: bring it back, or "
            "export into another folder (--out)."
        )
        return
    if not manifest.complete:
        again = f"run the command that wrote it again, such as: probesheets export --out {folder}"
        yield f"{MANIFEST}: an export was stopped, or is under way. To complete the folder, {again}"
    unreadable, advance = set[str](), track("files", len(manifest.files))
    for entry in manifest.files:
        if said := _check_file(folder, entry, unreadable):
            yield f"{entry.path}: {said}"
        advance(1)
    yield from _foreign(folder, {entry.path for entry in manifest.files})
    if project and warehouse:
        yield from _check_database(folder, manifest, project, warehouse, unreadable, track)


def other_build(folder: Path, project: Project) -> str | None:
    """A sentence if the models were built again since a folder was exported; their cells may still be the same."""
    try:
        manifest = read(folder)
    except ProbesheetsError:  # `verify` tells
        return None
    if manifest is None:
        return None
    blocked = project.blocked(project.kinds.values())
    builds = {
        name: project.builds.build_of([kind.model]) for name, kind in project.kinds.items() if name not in blocked
    }
    for entry in manifest.files:
        if entry.kind in builds and entry.build != builds[entry.kind]["invocation"]:
            then = manifest.builds.get(entry.build or "", {"started": "an unknown time"})
            moments = [str(build["started"])[:19].replace("T", " ") for build in (then, builds[entry.kind])]
            return "{} was exported from the build of {}; the models are from the build of {} (UTC).".format(
                folder / entry.path, *moments
            )
    return None


def _check_file(folder: Path, entry: Entry, unreadable: set[str]) -> str | None:
    """What is wrong with a file: of several things, the one that says most. Adds to `unreadable` what has no rows."""
    file = folder / entry.path
    if linked(folder, entry.path) or not file.is_file():
        unreadable.add(entry.path)
        return "is a link, or in a folder that is one." if linked(folder, entry.path) else "is missing."
    try:
        changed = sha256(file) != entry.sha256
    except OSError as error:
        unreadable.add(entry.path)
        return f"cannot be read: {error.strerror}."
    if file.suffix == ".xlsx":
        try:
            sheet = _open(file)
        except CalamineError as error:
            unreadable.add(entry.path)
            return f"cannot be opened: {str(error).splitlines()[0]}"
        rows = sheet.end[0] if sheet.end else 0
        if entry.columns:
            header = next(sheet.iter_rows(), [])
            if header != entry.columns:
                unreadable.add(entry.path)
                return f"its columns are {_listed(header)}; the manifest says {_listed(entry.columns)}."
            if rows != entry.rows:
                return f"has {rows:,} rows; the manifest says {entry.rows:,}."
    return "was changed after the export: its SHA-256 is not the one in the manifest." if changed else None


def _open(file: Path) -> CalamineSheet:
    return CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)


def _listed(cells: Iterable[Any]) -> str:
    return ", ".join(str(cell) for cell in cells) or "none"


def _foreign(folder: Path, known: Set[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not (is_ours(name.parts[0]) or (path.is_dir() and not is_link(path)) or name.as_posix() in known):
            yield f"{name.as_posix()}: was not written by an export."


# --- the database


def _check_database(
    folder: Path, manifest: Manifest, project: Project, warehouse: Warehouse, unreadable: set[str], track: Track
) -> Iterator[str]:
    by_kind: dict[str, list[Entry]] = defaultdict(list)
    for entry in manifest.files:
        if entry.columns:
            by_kind[entry.kind].append(entry)
    for name in by_kind.keys() - project.kinds.keys():
        yield f"{name}: the project has no such kind of spreadsheet any more."
    sampled = any(batch.sample for batch in manifest.batches)
    full = manifest.full and not sampled
    project.require([kind for kind in project.kinds.values() if kind.name in by_kind])
    others = [kind for kind in project.kinds.values() if kind.name not in by_kind and full and kind.default]
    blocked = project.blocked(others)  # a folder need not hold what cannot be exported
    for kind in project.kinds.values():
        if kind.name not in by_kind and (kind not in others or kind.name in blocked):
            continue
        advance = track(kind.name, sum(entry.records for entry in by_kind[kind.name]))
        rows = _Rows(folder, kind, unreadable, sampled)
        yield from rows.check(by_kind[kind.name], warehouse, full, advance)


class _Rows:
    """The rows of a kind's workbooks beside those of its model, in the same order."""

    def __init__(self, folder: Path, kind: Kind, unreadable: set[str], sampled: bool) -> None:
        self.folder, self.kind, self.unreadable, self.sampled = folder, kind, unreadable, sampled
        self.headers = [column.header for column in kind.layout.columns]
        long = [column.name == kind.layout.long_text for column in kind.layout.columns]
        self.long = long.index(True) if any(long) else None

    def check(self, entries: Sequence[Entry], warehouse: Warehouse, full: bool, advance: Advance) -> Iterator[str]:
        kind = self.kind
        if differing := [entry for entry in entries if entry.columns != self.headers]:
            yield f"{differing[0].path}: the columns of {kind.name} are now {_listed(self.headers)}. Export again."
            return
        found = warehouse.columns(kind.relation)
        if missing := [name for name in kind.column_names if name not in found]:
            yield f"{kind.name}: its model has no column {_listed(missing)} any more. Export again."
            return
        books: dict[str | None, list[Entry]] = defaultdict(list)
        for entry in entries:
            books[entry.group].append(entry)
        group = kind.column_names.index(kind.one_file_per) if kind.one_file_per else None
        order = ([kind.one_file_per] if kind.one_file_per else []) + list(kind.order_by)
        records = _records(warehouse, select(warehouse, kind.relation, kind.column_names, order_by=order), advance)
        for name, some in groupby(records, key=lambda record: None if group is None else group_name(record[group])):
            if name in books:
                yield from self._check_group(books.pop(name), some)
            elif full:
                yield f"{kind.name}: {name or 'all'} is in the database, but there is no workbook of it."
        for left in books.values():
            yield f"{left[0].path}: the database has no rows for it."

    def _check_group(self, entries: Sequence[Entry], records: Iterable[Record]) -> Iterator[str]:
        """Differences between workbooks of one group and the database; after a row too many or too few, no more."""
        if not self.unreadable.isdisjoint(entry.path for entry in entries):
            return
        batches: dict[int, list[Entry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda entry: entry.part):
            batches[entry.batch].append(entry)
        sheets = [_sheet_rows(self.folder, some) for some in batches.values()]
        heads = [next(sheet, None) for sheet in sheets]  # the rows that come next, of each batch
        for record in records:
            for number, place in enumerate(heads):
                if place and _same(place.row[0], record[0]):
                    heads[number] = self._whole(place, record, next(sheets[number], None), sheets[number])
                    yield from self._check_record(place, record)
                    break
            else:
                if not self.sampled:
                    here = next((f"{head.path}, row {head.number}: is {head.row[0]}" for head in heads if head), None)
                    yield f"{here or entries[-1].path + ': ends'}; the database has record {record[0]} here."
                    return
        for head in filter(None, heads):
            yield f"{head.path}, row {head.number}: record {head.row[0]} is not in the database."

    def _whole(self, place: Place, record: Record, after: Place | None, sheet: Iterator[Place]) -> Place | None:
        """Put the texts of a record's further rows (T1-2, T1-3, …) behind its first; returns the row after them."""
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
                    yield f"{where}: {_short(row.row[at])}; the database has {_short(value)}."


def _records(warehouse: Warehouse, query: str, advance: Advance) -> Iterator[Record]:
    for batch in warehouse.batches(query):
        columns = [column.to_pylist() for column in batch.columns]
        yield from zip(*columns, strict=True)
        advance(batch.num_rows)


def _sheet_rows(folder: Path, entries: Iterable[Entry]) -> Iterator[Place]:
    """The rows of all parts of a workbook, without headers."""
    for entry in entries:
        rows = enumerate(_open(folder / entry.path).iter_rows(), 1)
        yield from (Place(entry.path, number, row) for number, row in rows if number > 1)


def _same(cell: Any, value: Any, *, whole: bool = False) -> bool:
    """Whether a cell says what the database says, by the rules of the workbooks; `whole`: not shortened."""
    if value is None or value == "":
        return bool(cell == "")
    if isinstance(value, bool):
        return bool(cell == str(value).upper())
    if isinstance(value, int):
        return bool(cell == str(value)) if abs(value) > DIGITS_15 else _number(cell) == value
    if isinstance(value, date):
        return cell == value.isoformat() or (value >= FIRST_DATE and cell == value)
    if not whole and isinstance(cell, str) and units(value) > CELL_UNITS:
        return cell.endswith("…") and value.startswith(cell[:-1]) and units(cell) > CELL_UNITS - 100
    return bool(cell == value)


def _number(cell: Any) -> float | None:
    return cell if isinstance(cell, int | float) and not isinstance(cell, bool) else None


def _short(value: Any, most: int = 60) -> str:
    text = "nothing" if value is None or value == "" else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= most else text[:most] + "…"
