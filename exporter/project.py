"""The dbt project as the exporter sees it: where it is, which relation each model is, which spreadsheets there are.

All of it comes from dbt's manifest.json (https://schemas.getdbt.com/dbt/manifest); dbt itself is not imported.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from exporter.errors import ProbesheetsError, near
from exporter.layout import Column, Layout, check

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
    """What the last dbt command for a target left in its manifest."""

    def __init__(self, root: Path, target: str) -> None:
        check_target(target)
        self.root, self.target = root, target
        self.manifest = _newest_manifest(root, target)

    def relation(self, model: str) -> str:
        """The quoted relation of a model of this project, in its latest version."""
        return str(self._node(model)["relation_name"])

    def _node(self, model: str) -> dict[str, Any]:
        nodes = [
            node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model" and node["name"] == model
        ]
        for node in nodes:
            if node.get("version") == node.get("latest_version"):
                return dict(node)
        raise ProbesheetsError(f"The manifest has no model {model}. Type: probesheets run --target {self.target}")

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Every exposure that has a `sheet` or `columns` in its meta, by name."""
        kinds = {}
        for exposure in self.manifest["exposures"].values():
            meta = exposure["config"].get("meta") or {}
            if "columns" in meta or "sheet" in meta:
                kinds[exposure["name"]] = self._kind(exposure, meta)
        return kinds

    def _kind(self, exposure: dict[str, Any], meta: dict[str, Any]) -> Kind:
        name = exposure["name"]
        where = f"Exposure {name} ({exposure['original_file_path']})"
        if name == "index":
            raise ProbesheetsError(f"{where}: index.xlsx is written for each export; give this kind another name.")
        for key in meta:
            if key not in _META_KEYS:
                raise ProbesheetsError(f"{where}: config.meta has no key {key!r}. {near(key, _META_KEYS)}")
        for key in ("sheet", "columns"):
            if not meta.get(key):
                raise ProbesheetsError(f"{where}: config.meta needs {key!r}.")
        for key, (kinds, called) in _META_TYPES.items():
            if meta.get(key) is not None and not isinstance(meta[key], kinds):
                raise ProbesheetsError(f"{where}: {key} must be {called}, and not {meta[key]!r}.")
        models = [node for node in exposure["depends_on"]["nodes"] if node.startswith("model.")]
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
        order_by = meta.get("order_by") or []
        if isinstance(order_by, str):
            order_by = [order_by]
        return Kind(
            name=name,
            relation=str(self.manifest["nodes"][models[0]]["relation_name"]),
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
            raise ProbesheetsError(f"{where}: column {entry['name']} has no key {key!r}. {near(key, _COLUMN_KEYS)}")
    return [
        Column(str(entry["name"]), str(entry.get("header", entry["name"])), entry.get("width"), bool(entry.get("wrap")))
    ]


def _newest_manifest(root: Path, target: str) -> dict[str, Any]:
    """The newer of target/T/manifest.json and of a target/manifest.json that was made for the same adapter."""
    files = [root / "target" / target / "manifest.json", root / "target" / "manifest.json"]
    for file in sorted((file for file in files if file.is_file()), key=lambda file: file.stat().st_mtime, reverse=True):
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            continue  # dbt is writing it, or was stopped while it did
        if manifest["metadata"].get("adapter_type") == target:
            return dict(manifest)
    raise ProbesheetsError(
        f"No models have been built for target {target} yet. Type: probesheets run --target {target}"
    )
