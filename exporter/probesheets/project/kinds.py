"""The kinds of spreadsheet: dbt exposures whose meta describes a sheet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from probesheets.errors import ProbesheetsError
from probesheets.pages.write import PAGE_RECORDS, write_pages
from probesheets.plain_text.lines import write_lines
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Column, Layout, check
from probesheets.workbooks.write import SHEET_ROWS, write_workbooks

_Writer = Callable[..., Iterator[Written]]
WRITERS: dict[str, _Writer] = {"xlsx": write_workbooks, "html": write_pages, "txt": write_lines}  # by file ending
MOST_RECORDS = {"xlsx": SHEET_ROWS - 1, "html": PAGE_RECORDS, "txt": 2**63}  # in a file
_T = TypeVar("_T", bound=Struct)


class _Meta(Struct, forbid_unknown_fields=True):
    """The keys of config.meta."""

    sheet: str
    columns: Annotated[list[Any], Meta(min_length=1)]
    one_file_per: str | None = None
    file: str | None = None
    order_by: str | list[str] | None = None
    long_text: str | None = None
    dates: str | None = None
    format: str = "xlsx"
    pieces: str | None = None
    default: bool | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of spreadsheet, as an exposure describes it."""

    name: str
    model: str  # dbt's unique_id
    relation: str  # quoted, as dbt names it
    layout: Layout
    one_file_per: str | None
    order_by: tuple[str, ...]  # the column that names the files comes first
    default: bool
    format: str  # a key of WRITERS
    file: str  # the name of the file without one_file_per, but for its ending

    @property
    def column_names(self) -> list[str]:
        """The columns to read: those of the sheet, the one that names the files, and the one with the links."""
        names = [column.name for column in self.layout.columns]
        return names + [name for name in [self.one_file_per, self.layout.pieces] if name and name not in names]

    def in_order(self, headers: Sequence[str]) -> "Kind | None":
        """The kind with its columns in the order of these headers; None if it has others, or another first one."""
        columns = {column.header: column for column in self.layout.columns}
        if sorted(headers) != sorted(columns) or headers[0] != self.layout.columns[0].header:
            return None
        return replace(self, layout=replace(self.layout, columns=tuple(columns[header] for header in headers)))


def read_kinds(exposures: Iterable[dict[str, Any]]) -> Iterator[Kind]:
    """Each exposure that has `sheet` or `columns` in its meta. Raises ProbesheetsError if it cannot be a sheet."""
    owners: dict[str, str] = {}
    for exposure in exposures:
        if "columns" in exposure["meta"] or "sheet" in exposure["meta"]:
            kind = _kind(exposure)
            path = f"{kind.name}/" if kind.one_file_per else f"{kind.file}.{kind.format}"
            if (other := owners.setdefault(path.casefold(), kind.name)) != kind.name:
                both = f"{other} and {kind.name} would both write {path}"
                raise ProbesheetsError(f"Exposures {both}. Rename one of them, or name its file with the key file.")
            yield kind


def _kind(exposure: dict[str, Any]) -> Kind:
    name, models = exposure["name"], exposure["models"]
    where = f"Exposure {name} ({exposure['file']})"
    if len(models) != 1:
        raise ProbesheetsError(f"{where}: depends_on must name one model; it names {len(models)}.")
    meta = _read(exposure["meta"], _Meta, f"{where}: config.meta")
    file, format_ = meta.file or name, meta.format
    if "index" in (name, file.casefold()):
        raise ProbesheetsError(f"{where}: every export writes an index.xlsx. Choose another name.")
    if meta.file and meta.one_file_per:
        raise ProbesheetsError(f"{where}: file is for a kind with one file. Remove file or one_file_per.")
    columns = tuple(column for entry in meta.columns for column in _columns(entry, f"{where}: {entry!r} in columns"))
    names = [column.name for column in columns]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ProbesheetsError(f"{where}: column {repeated[0]} is listed twice.")
    if format_ not in WRITERS:
        raise ProbesheetsError(f"{where}: there is no format {format_!r}. Valid: {', '.join(WRITERS)}.")
    if format_ == "txt" and not meta.long_text:
        raise ProbesheetsError(f"{where}: format txt needs long_text, the column with the lines.")
    columns = tuple(column for column in columns if format_ != "txt" or column.name in (names[0], meta.long_text))
    layout = Layout(meta.sheet, columns, meta.long_text, meta.dates or "cell", meta.pieces)
    try:
        check(layout)
    except ValueError as error:
        raise ProbesheetsError(f"{where}: {error}") from None
    given = [meta.order_by] if isinstance(meta.order_by, str) else meta.order_by or []
    order_by = (*([meta.one_file_per] if meta.one_file_per else []), *given)
    return Kind(name, models[0], "", layout, meta.one_file_per, order_by, meta.default is not False, format_, file)


def _columns(entry: Any, where: str) -> list[Column]:
    """The columns that an entry of `columns` describes: one, or those that {more: [names]} lists."""
    if isinstance(entry, dict) and [*entry] == ["more"]:
        return [Column(str(name), str(name)) for name in entry["more"] or []]
    return [_read({"header": entry.get("name"), **entry} if isinstance(entry, dict) else entry, Column, where)]


def _read(value: Any, cls: type[_T], where: str) -> _T:
    """The value as an object of a class. Raises ProbesheetsError for a key that is unknown, missing or wrong."""
    try:
        return msgspec.convert(value, cls)
    except msgspec.ValidationError as error:
        said = str(error).replace("Object contains unknown field", "unknown key")
        said = said.replace("Object missing required field", "missing key")
        raise ProbesheetsError(f"{where} is not valid: {said}. Valid: {', '.join(cls.__struct_fields__)}.") from None
