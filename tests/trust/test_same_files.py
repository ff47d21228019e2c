"""Same data, same files: however many workers, whatever the engine, and whenever."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import contents
from tests.trust.folders import NEW
from tests.trust.processes import Starter

KINDS = ("with_links/", "without_links/", "links.xlsx", "left_out.xlsx")


def exported(start: Starter, build: Build, folder: Path, environment: dict[str, str]) -> dict[str, bytes]:
    child = start(build, environment, "export", "--target", build.target, "--out", str(folder))
    child.go()
    code, said = child.end()
    assert code == 0, said
    return contents(folder)


@pytest.mark.parametrize("target", ["duckdb", "mariadb"])
def test_byte_for_byte_with_a_set_time(
    target: str, built: Builder, sample: Source, start: Starter, tmp_path: Path
) -> None:
    """SOURCE_DATE_EPOCH stands in for the present."""
    build = built(target, sample)
    one, two, three = (
        exported(start, build, tmp_path / f"{number}-{workers}", {**NEW, "PROBESHEETS_WORKERS": str(workers)})
        for number, workers in enumerate((1, 2, 2))
    )
    assert len(one) > 20
    assert one == two == three


def test_part_by_part_at_any_time(built: Builder, sample: Source, start: Starter, tmp_path: Path) -> None:
    """Two exports at different times differ in the manifest, and in one part of each workbook, which says when."""
    build = built("duckdb", sample)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, epoch in zip(folders, ("0", "1700000001"), strict=True):
        files = exported(start, build, folder, {"SOURCE_DATE_EPOCH": epoch})
        created = datetime.fromtimestamp(int(epoch), UTC).isoformat()
        assert json.loads(files["manifest.json"])["created"] == created
    for path in sorted(folders[0].rglob("*.xlsx")):
        with zipfile.ZipFile(path) as one, zipfile.ZipFile(folders[1] / path.relative_to(folders[0])) as two:
            assert one.namelist() == two.namelist()
            differing = [name for name in one.namelist() if one.read(name) != two.read(name)]
            # the overview of the index shows the day
            shown = ["xl/worksheets/sheet1.xml"] if path.name == "index.xlsx" else []
            assert differing == ["docProps/core.xml", *shown], path
            moments = {entry.date_time for archive in (one, two) for entry in archive.infolist()}
            assert moments == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_on_two_engines(built: Builder, sample: Source, start: Starter, tmp_path: Path) -> None:
    """Every workbook for importers, byte for byte."""
    folders = []
    for target in ("duckdb", "mariadb"):
        files = exported(start, built(target, sample), tmp_path / target, NEW)
        folders.append({name: data for name, data in files.items() if name.startswith(KINDS)})
    assert folders[0].keys() == folders[1].keys()
    assert [name for name in folders[0] if folders[0][name] != folders[1][name]] == []
