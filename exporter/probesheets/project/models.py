"""The dbt project as the exporter sees it: where it is, which relation each model is, which spreadsheets there are."""

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from probesheets.errors import ProbesheetsError, near
from probesheets.project.build import read_variables
from probesheets.project.build_log import Builds, Problem
from probesheets.warehouse import Warehouse
from probesheets.workbooks.layout import Column, Layout, check

TARGETS = ("duckdb", "mariadb", "mysql")
_META_KEYS = ("sheet", "one_file_per", "order_by", "long_text", "dates", "default", "columns")
_META_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "columns": (list, "a list"),
    "order_by": ((list, str), "a column or a list of columns"),
    "one_file_per": (str, "a column"),
    "long_text": (str, "a column"),
    "default": (bool, "true or false"),
}
_COLUMN_KEYS = ("name", "header", "width", "wrap")


@dataclass(frozen=True)
class Kind:
    """A kind of spreadsheet, as an exposure describes it."""

    name: str
    model: str  # dbt's unique_id
    relation: str  # quoted, as dbt names it
    layout: Layout
    one_file_per: str | None
    order_by: tuple[str, ...]
    default: bool

    @property
    def column_names(self) -> list[str]:
        """The columns to read: those of the sheet, then the one that names the files if it is none of them."""
        names = [column.name for column in self.layout.columns]
        return names + [name for name in [self.one_file_per] if name and name not in names]


def find_root(start: Path) -> Path:
    """The folder of the project that `start` is in. Raises ProbesheetsError outside a checkout."""
    for folder in (start, *start.parents):
        file = folder / "dbt_project.yml"
        if file.is_file() and "name: probesheets" in file.read_text(encoding="utf-8"):
            return folder
    raise ProbesheetsError(
        f"{start} is not in a checkout of probesheets: no dbt_project.yml of it here or above.\n"
        "Go into the folder that you cloned, and type the command again."
    )


def check_target(target: str) -> None:
    """Raises ProbesheetsError for a target that profiles.yml does not have."""
    if target not in TARGETS:
        raise ProbesheetsError(f"There is no target {target!r}. {near(target, TARGETS)}")


class Project:
    """The models of a target, as dbt built them last, and the kinds of spreadsheet that are made from them."""

    def __init__(self, root: Path, target: str, warehouse: Warehouse) -> None:
        self.root, self.target, self._warehouse = root, target, warehouse
        self.builds = Builds(warehouse, target)

    def relation(self, model: str) -> str:
        """The quoted relation of a model of this project, in its latest version."""
        return str(self.builds.graph["models"][self._model(model)]["relation"])

    def _model(self, name: str) -> str:
        if found := self.builds.model(name):
            return found
        raise ProbesheetsError(f"The last build had no model {name}. Run: probesheets run --target {self.target}")

    def models(self, kinds: Iterable[Kind], names: Iterable[str] = ()) -> set[str]:
        """The models that some kinds and some names stand for, with all that they are made from."""
        return self.builds.with_ancestors([*(kind.model for kind in kinds), *map(self._model, names)])

    def require(self, kinds: Sequence[Kind], names: Sequence[str] = ()) -> None:
        """Raises ProbesheetsError unless the models of all kinds and names fit together and passed their tests."""
        if problem := self.builds.problem(self.models((), names)):
            raise ProbesheetsError(f"The models are not ready: {self._advice(problem)}")
        if blocked := self.blocked(kinds, names):
            others = "".join(f" --only {kind.name}" for kind in kinds if kind.name not in blocked)
            more = f"\nTo export the other kinds, run: probesheets export --target {self.target}{others}"
            raise ProbesheetsError(
                f"The models of {', '.join(blocked)} are not ready: {self._advice(next(iter(blocked.values())))}"
                + (more if names and others else "")
            )

    def blocked(self, kinds: Iterable[Kind], names: Sequence[str] = ()) -> dict[str, Problem]:
        """The kinds whose models, with those of some names, are not ready, and why."""
        problems = {kind.name: self.builds.problem(self.models([kind], names)) for kind in kinds}
        return {name: problem for name, problem in problems.items() if problem}

    def refuse_if_rebuilt(self, models: Iterable[str]) -> None:
        """Raises ProbesheetsError if some models have been built again since this object was made."""
        now = Builds(self._warehouse, self.target)
        if now.rows_about(models) != self.builds.rows_about(models):
            raise ProbesheetsError("The models were built again while they were read. Run the same command again.")

    def _advice(self, problem: Problem) -> str:
        variables = self.builds.graph["variables"]
        defaults = read_variables(self.root, "{}")
        changed = {name: value for name, value in variables.items() if value != defaults.get(name)}
        kinds = [model for kind in self.builds.graph["kinds"] for model in kind["models"]]
        others = self.builds.problem(kinds)  # where one is older, tests that compare it with newer ones would fail
        command = "dbt test" if problem.untested and (others is None or others.untested) else "dbt build"
        options = f" --vars {shlex.quote(json.dumps(changed, ensure_ascii=False))}" if changed else ""
        return f"{problem.reason} Run: {command} --target {self.target}{options}\nThen run the same command again."

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of spreadsheet, by name."""
        models = self.builds.graph["models"]
        return {
            kind.name: replace(kind, relation=str(models[kind.model]["relation"]))
            for kind in read_kinds(self.builds.graph["kinds"])
        }


def read_kinds(exposures: Iterable[dict[str, Any]]) -> Iterator[Kind]:
    """Every exposure that has a `sheet` or `columns` in its meta. Raises ProbesheetsError for what no sheet can be."""
    for exposure in exposures:
        if "columns" in exposure["meta"] or "sheet" in exposure["meta"]:
            yield _kind(exposure, exposure["meta"])


def _kind(exposure: dict[str, Any], meta: dict[str, Any]) -> Kind:
    name = exposure["name"]
    where = f"Exposure {name} ({exposure['file']})"
    if name == "index":
        raise ProbesheetsError(f"{where}: index.xlsx is written for each export; give this kind another name.")
    for key in meta:
        if key not in _META_KEYS:
            raise ProbesheetsError(f"{where}: config.meta has no key {key!r}. {near(str(key), _META_KEYS)}")
    for key in ("sheet", "columns"):
        if not meta.get(key):
            raise ProbesheetsError(f"{where}: config.meta needs {key!r}.")
    for key, (kinds, called) in _META_TYPES.items():
        if meta.get(key) is not None and not isinstance(meta[key], kinds):
            raise ProbesheetsError(f"{where}: {key} must be {called}, and not {meta[key]!r}.")
    models = exposure["models"]
    if len(models) != 1:
        raise ProbesheetsError(f"{where}: depends_on must name one model, it names {len(models)}.")
    columns = tuple(column for entry in meta["columns"] for column in _columns(entry, where))
    names = [column.name for column in columns]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ProbesheetsError(f"{where}: column {repeated[0]} is there twice.")
    layout = Layout(str(meta["sheet"]), columns, meta.get("long_text"), meta.get("dates", "cell"))
    try:
        check(layout)
    except ValueError as error:
        raise ProbesheetsError(f"{where}: {error}") from None
    order_by = [meta["order_by"]] if isinstance(meta.get("order_by"), str) else meta.get("order_by") or []
    if wrong := [column for column in order_by if not isinstance(column, str)]:
        raise ProbesheetsError(f"{where}: order_by must be a column or a list of columns, and not {wrong[0]!r}.")
    return Kind(
        name=name,
        model=models[0],
        relation="",
        layout=layout,
        one_file_per=meta.get("one_file_per"),
        order_by=tuple(order_by),
        default=bool(meta.get("default", True)),
    )


def _columns(entry: Any, where: str) -> list[Column]:
    """The columns that an entry of `columns` stands for: one, or those that `more` lists."""
    if not isinstance(entry, dict) or not ("name" in entry or "more" in entry):
        raise ProbesheetsError(f"{where}: {entry!r} in columns needs a name, as in {{name: text, header: Text}}.")
    if "more" in entry:
        if len(entry) > 1 or not isinstance(entry["more"] or [], list):
            raise ProbesheetsError(f"{where}: {entry!r} in columns must be {{more: [names]}} and nothing else.")
        return [Column(str(name), str(name)) for name in entry["more"] or []]
    for key in entry:
        if key not in _COLUMN_KEYS:
            raise ProbesheetsError(
                f"{where}: column {entry['name']} has no key {key!r}. {near(str(key), _COLUMN_KEYS)}"
            )
    return [
        Column(str(entry["name"]), str(entry.get("header", entry["name"])), entry.get("width"), bool(entry.get("wrap")))
    ]
