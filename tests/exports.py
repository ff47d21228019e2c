"""Exports made by a test, and their folders read back by libraries that did not write them."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import python_calamine

from tests.build import Build
from tests.exporter.command import Result, probesheets

# of the sample, with the extra tags and columns that the fixture `sample` asks for
HEADERS = [
    "Record ID", "Text", "Date", "Month", "Model", "Links", "Same as",
    "location", "author", "sent_label", "depth", "tag", "Probe", "Experiment", "Date as stored", "Date match",
]  # fmt: skip
LINK_HEADERS = ["Record ID", "URL", "Host", "Text", "Link", "Date", "Month", "Probe", "Experiment"]


def export(build: Build, out: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Result:
    """Export into the folder `out`, in this process."""
    given = {**build.environment, **(environment or {})}
    return probesheets(build.folder, given, "export", "--out", str(out), *arguments)


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative path, except the lock and other entries that begin with .probesheets."""
    names = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(".probesheets")}


def sheet(file: Path) -> list[list[Any]]:
    """The rows of a workbook's first sheet, the header first."""
    rows: list[list[Any]] = python_calamine.CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    return rows


def records(out: Path, pattern: str) -> list[str]:
    """The record IDs in the workbooks that match a pattern, without the further rows of a long text."""
    return [row[0] for file in sorted(out.glob(pattern)) for row in sheet(file)[1:] if "-" not in row[0]]


def delivered(out: Path) -> set[tuple[str, ...]]:
    """The rows of delivered.csv, in no order."""
    with (out / "delivered.csv").open(encoding="utf-8", newline="") as file:
        return set(map(tuple, csv.reader(file)))


def read_manifest(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


def write_manifest(out: Path, manifest: object) -> None:
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
