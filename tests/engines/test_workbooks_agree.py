"""The workbooks of the three targets hold the same cells, and are the same bytes."""

import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.build import Source
from tests.conftest import Builder
from tests.exports import HEADERS


@pytest.fixture(scope="module")
def out(built: Builder, sample: Source) -> Callable[[str], Path]:
    """out(target): the folder that `probesheets export` has written for the sample."""

    @cache
    def export(target: str) -> Path:
        build = built(target, sample)
        result = build.probesheets("export", "--target", target, "--out", "out")
        assert result.returncode == 0, result.stderr
        return build.folder / "out"

    return export


def test_same_workbooks(other_engine: str, out: Callable[[str], Path]) -> None:
    ours, theirs = out("duckdb"), out(other_engine)
    names = workbooks(ours)
    assert names == workbooks(theirs)
    assert len(names) > 16
    for name in names:
        assert cells(ours / name) == cells(theirs / name), name
    different = [name for name in names if name != "index.xlsx" and sheet(ours / name) != sheet(theirs / name)]
    assert not different


def test_same_projects_counts_and_measures(other_engine: str, built: Builder, sample: Source) -> None:
    """Measures may differ in their last digits."""
    found = {}
    for target in ("duckdb", other_engine):
        build = built(target, sample)
        only = ["--only", "qdpx", "--only", "codes", "--only", "agreement"]
        result = build.probesheets("export", "--target", target, *only, "--out", "more")
        assert result.returncode == 0, result.stderr
        folder = build.folder / "more"
        rows = [
            [round(cell, 9) if isinstance(cell, float) else cell for cell in row]
            for name in ("codes.xlsx", "agreement.xlsx")
            for row in cells(folder / name)
        ]
        found[target] = ((folder / "texts.qdpx").read_bytes(), rows)
    assert found["duckdb"] == found[other_engine] and len(found["duckdb"][1]) > 50


def test_same_manifest(other_engine: str, out: Callable[[str], Path]) -> None:
    ours, theirs = (
        json.loads((out(target) / "manifest.json").read_text("utf-8")) for target in ("duckdb", other_engine)
    )
    assert (ours.pop("target"), theirs.pop("target")) == ("duckdb", other_engine)
    for manifest in (ours, theirs):
        manifest.pop("created", None)
        [build] = manifest.pop("builds").values()
        assert {entry.pop("build", build["invocation"]) for entry in manifest["files"]} == {build.pop("invocation")}
        assert build.pop("started")
        manifest["build"] = build
        for file in manifest["files"]:
            file.pop("sha256")
    assert ours == theirs


def test_cells_are_what_the_source_holds(out: Callable[[str], Path], sample: Source) -> None:
    """So that the comparison is not one of empty sheets."""
    rows = [
        row
        for name in workbooks(out("duckdb"))
        if name.startswith("with_links/")
        for row in cells(out("duckdb") / name)[1:]
    ]
    texts = [row for row in sample.outputs if row["tag"] == "trimmed"]
    assert len(texts) - 10 < len(rows) < len(texts) + 10  # blank ones are left out, long ones go on in a further row
    assert "Café’s €5 naïve" in {row[HEADERS.index("Probe")] for row in rows}


def workbooks(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.xlsx"))


def cells(file: Path) -> list[list[Any]]:
    rows: list[list[Any]] = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return rows


def sheet(file: Path) -> dict[str, bytes]:
    """Every part of a workbook but docProps, which says when it was written."""
    with zipfile.ZipFile(file) as parts:
        return {name: parts.read(name) for name in parts.namelist() if not name.startswith("docProps/")}
