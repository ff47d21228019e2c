"""The shapes of a source. The meta of the models in models/shapes lists the tables and columns of each."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from probesheets.errors import ProbesheetsError, near, shown
from probesheets.settings import find_root, read_yaml

TABLE_OUTPUT = "table_output"
SECONDS = ":seconds"  # after the name of a date column: it holds seconds since 1970
OWN_ID = "Source ID"  # the column for ids of the source that cannot be Record IDs
_KEYS = ("tables", "optional", "usual_names", "by_columns", "own_columns", "one_file", "keeps_ids")  # of the meta


@dataclass(frozen=True)
class Shape:
    """The tables of a source, each {column: type}; the first one has a row per text (macros/project/shape.sql)."""

    name: str
    tables: Mapping[str, Mapping[str, str]]
    optional: Sequence[str] = ()
    usual_names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    by_columns: bool = True
    own_columns: Sequence[str] = ()
    one_file: bool = False
    keeps_ids: bool = False

    @property
    def first(self) -> str:
        return next(iter(self.tables))

    @property
    def required_tables(self) -> list[str]:
        return [table for table in self.tables if table not in self.optional]

    @property
    def texts(self) -> list[str]:
        """The columns of the first table that are not numbers, nor tags or dates."""
        others = ("tag", "date", "model")
        return [name for name, kind in self.tables[self.first].items() if kind != "integer" and name not in others]

    def required(self, table: str) -> list[str]:
        """The columns that a table must have."""
        return [name for name in self.tables[table] if f"{table}.{name}" not in self.optional]

    def names_for_all(self) -> set[str]:
        return {name for column in self.tables[self.first] for name in self.names_for(column)}

    def names_for(self, column: str) -> list[str]:
        """The names that a file may give a column of the first table."""
        return [name for names in self.usual_names.get(column, [[column]]) for name in names]


def read_shapes() -> dict[str, Shape]:
    """The shapes of the project, by name. Raises ProbesheetsError for a file in models/ that is not YAML."""
    shapes = {}
    for file in sorted((find_root() / "models").rglob("*.y*ml")):
        try:
            models = (read_yaml(file) or {}).get("models") or []
        except (ValueError, AttributeError) as error:
            raise ProbesheetsError(f"{file} cannot be read as YAML of dbt: {error}\nCorrect the file.") from None
        for model in models:
            meta = (model.get("config") or {}).get("meta") or {} if isinstance(model, dict) else {}
            if "tables" in meta and str(model.get("name")).startswith("rows_"):
                name = model["name"].removeprefix("rows_")
                shapes[name] = Shape(name, **{key: meta[key] for key in _KEYS if key in meta})
    return shapes


def all_tables() -> list[str]:
    """The tables of all shapes, by name."""
    return sorted({table for shape in read_shapes().values() for table in shape.tables})


def known_names() -> list[str]:
    """The names by which the header of a file is known as one, table_output's first."""
    shapes = sorted(read_shapes().values(), key=lambda shape: shape.name != TABLE_OUTPUT)
    tables = [(shape, column) for shape in shapes for column in shape.required(shape.first)]
    return list(dict.fromkeys(name for shape, column in tables for name in shape.names_for(column)))


def named_shape(name: str) -> Shape:
    """Raises ProbesheetsError if the project has no shape of this name."""
    if found := read_shapes().get(name):
        return found
    raise ProbesheetsError(f"There is no shape {name!r}. {near(name, read_shapes())}")


@dataclass(frozen=True)
class Reading:
    """How a file is read: the shape, and for each column of its first table the column of the file."""

    shape: Shape
    columns: Mapping[str, str]
    candidates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seconds: frozenset[str] = frozenset()  # columns with seconds since 1970
    why: str = "by its columns"  # how the shape was recognised

    @property
    def required(self) -> list[str]:
        return self.shape.required(self.shape.first)

    @property
    def needed(self) -> list[str]:
        """The columns of the file that the shape cannot do without."""
        return [self.columns[name] for name in self.required if name in self.columns]

    @property
    def missing(self) -> list[str]:
        return [name for name in self.required if name not in self.columns]


def columns_asked(option: str | None) -> dict[str, str]:
    """The value of --columns: {column of the shape: column of the file}. Raises ProbesheetsError if it is not valid."""
    roles = sorted({role for shape in read_shapes().values() for role in shape.usual_names} | {"id"})
    columns: dict[str, str] = {}
    for entry in re.split(f",(?=(?:{'|'.join(roles)})=)", option) if option else ():
        role, _, name = entry.partition("=")
        if role not in roles or not name:
            raise ProbesheetsError(
                f"--columns {entry!r} is not valid. Write it like this: --columns probe=Q1,text=A1,date=when\n"
                f"Valid names: {', '.join(roles)}."
            )
        if role in columns:
            raise ProbesheetsError(f"--columns names {role} twice: {columns[role]}, {name}. Remove one of them.")
        columns[role] = name
    return columns


def recognise(place: str, found: Sequence[str], columns: Mapping[str, str], wanted: str | None) -> Reading:
    """The shape of a file with the columns `found`. `columns` and `wanted` are the values of --columns and --shape.

    Raises ProbesheetsError, and names the option that decides, if no shape fits or more than one reading is possible.
    """
    shapes = [shape for shape in read_shapes().values() if len(shape.required_tables) == 1]
    shapes = [shape for shape in shapes if shape.by_columns]
    if columns:
        shapes = [shape for shape in shapes if columns.keys() <= {*shape.usual_names, "id"}]
    if wanted:
        shapes = [named_shape(wanted)]
        if len(shapes[0].required_tables) > 1:
            tables = ", ".join(shapes[0].required_tables)
            raise ProbesheetsError(f"The shape {wanted} has several tables ({tables}), so {place} cannot have it.")
    readings = [_reading(place, shape, found, columns) for shape in shapes]
    fitting = [reading for reading in readings if not reading.missing]
    most = max((len(reading.required) for reading in fitting), default=0)
    best = [reading for reading in fitting if len(reading.required) == most]
    if len(best) == 1 and best[0].shape.name != TABLE_OUTPUT:  # another shape may fit by columns that this one leaves
        best += [one for one in fitting if one != best[0] and not {*one.needed} <= {*best[0].columns.values()}]
    near_misses = [one for one in readings if one.missing and len(one.needed) > most and _is_meant(one, shapes)]
    if len(best) == 1 and not near_misses:
        for column, names in best[0].candidates.items():
            raise ProbesheetsError(
                f"{place} has {len(names)} columns that could be the {column}: {', '.join(map(shown, names))}.\n"
                f"Choose one: --columns {shown(shlex.quote(f'{column}={names[0]}'))}"
            )
        return replace(best[0], why="because --shape names it") if wanted else best[0]
    if len(best) > 1:
        options = " or ".join(f"--shape {reading.shape.name}" for reading in best)
        raise ProbesheetsError(f"{place} can be read in more than one way. {_listed(found)}\nAdd {options}.")
    if near_misses or wanted:
        reading = (near_misses or readings)[0]
        otherwise = "".join(f" To read it as {one.shape.name}, add --shape {one.shape.name}." for one in best)
        raise ProbesheetsError(_lacks(place, reading, found) + otherwise)
    names = [name for shape in shapes if shape.usual_names.get("text") for name in shape.names_for("text")]
    option = shlex.quote(f"text={found[-1]}" if found else "text=A1")
    raise ProbesheetsError(
        f"{place} has no column that could be a text. {_listed(found)}\nSay which column it is, as in: --columns "
        f"{shown(option)}\nWithout this option, it must have one of these names: {', '.join(dict.fromkeys(names))}."
    )


def _is_meant(reading: Reading, shapes: Sequence[Shape]) -> bool:
    """Whether a file that lacks columns is of this shape: it has half of them, and one that no other shape has."""
    others = {name for shape in shapes if shape != reading.shape for name in shape.names_for_all()}
    return len(reading.needed) >= len(reading.required) / 2 and any(
        name not in others for name in reading.columns.values()
    )


def read_table(place: str, shape: Shape, table: str, found: Sequence[str]) -> Reading:
    """The reading of a table of the shape, without other names. Raises ProbesheetsError if columns are missing."""
    part = Shape(table, {table: shape.tables[table]}, shape.optional)
    reading = _reading(place, part, found, {})
    if reading.missing:
        raise ProbesheetsError(_lacks(place, reading, found))
    return Reading(shape, reading.columns)


def _lacks(place: str, reading: Reading, found: Sequence[str]) -> str:
    return (
        f"{place} has no column {', '.join(reading.missing)}, which {reading.shape.name} needs. {_listed(found)}\n"
        "Rename the columns that have this content, or choose another file."
    )


def _listed(found: Sequence[str]) -> str:
    return f"Its columns are: {', '.join(shown(name[:40]) for name in found[:30])}."


def _reading(place: str, shape: Shape, found: Sequence[str], columns: Mapping[str, str]) -> Reading:
    """The reading of a file by a shape. Columns may be missing; the file may have several candidates for one."""
    by_name = {name.strip().lower(): name for name in reversed(found)}
    seconds = frozenset(
        role for role, name in columns.items() if role == "date" and name not in found and name.endswith(SECONDS)
    )
    named = {role: name.removesuffix(SECONDS) if role in seconds else name for role, name in columns.items()}
    for name in named.values():
        if name not in found:
            raise ProbesheetsError(f"--columns: {place} has no column {name!r}. {near(name, found)}")
    chosen: dict[str, str] = {}
    candidates: dict[str, list[str]] = {}
    for column in shape.tables[shape.first]:
        if column in named:
            chosen[column] = named[column]
            continue
        for usual in shape.usual_names.get(column, [[column]]):
            if some := [by_name[name] for name in usual if name in by_name and by_name[name] not in named.values()]:
                chosen[column] = some[0]
                if len(some) > 1:
                    candidates[column] = some
                break
    return Reading(shape, chosen, candidates, seconds)
