"""The kinds of spreadsheet: dbt exposures whose meta describes a sheet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from probesheets.errors import ProbesheetsError
from probesheets.pages.write import PAGE_RECORDS, write_pages
from probesheets.plain_text.lines import write_lines
from probesheets.refi_qda.write import write_projects
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Choice, Column, Layout, check
from probesheets.workbooks.write import SHEET_ROWS, write_workbooks

_Writer = Callable[..., Iterator[Written]]
WRITERS: dict[str, _Writer] = {  # by file ending
    "xlsx": write_workbooks,
    "html": write_pages,
    "txt": write_lines,
    "qdpx": write_projects,
}
MOST_RECORDS = {"xlsx": SHEET_ROWS - 1, "html": PAGE_RECORDS, "txt": 2**63, "qdpx": 2**63}  # in a file
CODE = "Code: "  # the headers of codes begin with it
BLIND = ("model_name", "experiment_id", "date", "date_text", "date_match", "month")
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
        names = [column.name for column in self.layout.columns if not isinstance(column, Choice)]
        return names + [name for name in [self.one_file_per, self.layout.pieces] if name and name not in names]

    def in_order(self, headers: Sequence[str]) -> "Kind | None":
        """The kind with its columns in the order of these headers; None if it has others, or another first one."""
        headers = self.without_codes(headers)
        columns = {column.header: column for column in self.layout.columns}
        if sorted(headers) != sorted(columns) or headers[0] != self.layout.columns[0].header:
            return None
        return replace(self, layout=replace(self.layout, columns=tuple(columns[header] for header in headers)))

    def without_codes(self, headers: Sequence[str]) -> list[str]:
        """The headers, but not those of codes, which only the kinds of coders have."""
        return [header for header in headers if not (self.layout.coders and header.startswith(CODE))]

    @property
    def directory(self) -> str:
        """The folder of its files inside the output folder, or an empty text."""
        return self.name if self.one_file_per else self.name.rpartition("/")[0]

    def dealt(self, coder: str, *, blind: bool) -> "Kind":
        """The kind in the folder of a coder; `blind` leaves out what shows the model or the date of a text."""
        columns = tuple(column for column in self.layout.columns if not (blind and column.name in BLIND))
        order = tuple(name for name in self.order_by if not (blind and name in BLIND))
        layout = replace(self.layout, columns=columns, coders=(coder,))
        return replace(self, name=f"{coder}/{self.name}", layout=layout, order_by=order)

    def with_codes(self, codes: Iterable[tuple[str, str]]) -> "Kind":
        """A project with a codebook, or a sheet with a column for each code beside the long text."""
        layout, names = self.layout, [column.name for column in self.layout.columns]
        if self.format != "xlsx" or not layout.long_text:
            return replace(self, layout=replace(layout, codes=tuple(codes)))
        place = names.index(layout.long_text) + 1
        titles = [f"{CODE}{name}" for name, _ in codes]
        added = tuple(Choice(title, title, width=max(9, len(title) + 2)) for title in titles)
        return replace(self, layout=replace(layout, columns=layout.columns[:place] + added + layout.columns[place:]))


def dealt_kinds(kinds: Mapping[str, Kind], samples: Iterable[Mapping[str, Any]]) -> dict[str, Kind]:
    """The kinds by name, and those in the folders of coders, without codes, as the manifest describes the samples."""
    coders = {coder: sample.get("blind", False) for sample in samples for coder in sample.get("coders", ())}
    dealt = [kind.dealt(coder, blind=blind) for coder, blind in coders.items() for kind in kinds.values()]
    return {**kinds, **{kind.name: kind for kind in dealt}}


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
    if format_ in ("txt", "qdpx") and not meta.long_text:
        raise ProbesheetsError(f"{where}: format {format_} needs long_text, the column with the texts.")
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
