"""Folders with an export in them: made, compared byte for byte, and changed as people change them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from probesheets.folder.verify import verify
from tests import exports as any_export
from tests.build import Build
from tests.exports import contents, read_manifest, write_manifest

OLD, NEW = {"SOURCE_DATE_EPOCH": "1600000000"}, {"SOURCE_DATE_EPOCH": "1700000000"}
FOREIGN = {"notes.txt": b"mine", "with_links/coded.xlsx": b"mine, too"}
GUARD = {"letter.txt": b"Dear A", "sub/letter.txt": b"Dear B", "with_links/mine.xlsx": b"mine", "empty.txt": b""}
# the manifest's entry of a probe that the models no longer have: an export has to remove its workbook
GONE = {"path": "with_links/gone-12345678.xlsx", "kind": "with_links", "probe": "gone", "group": "gone-12345678",
        "batch": 1, "part": 1, "columns": ["Record ID"], "rows": 0, "records": 0,
        "sha256": hashlib.sha256(b"old").hexdigest()}  # fmt: skip


@dataclass(frozen=True)
class Exports:
    """The sample's models exported twice, as files by name: the same data, but no workbook has the same bytes."""

    old: dict[str, bytes]
    new: dict[str, bytes]


def export(build: Build, environment: Mapping[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    """Export in this process; its exit code and what it said."""
    result = any_export.export(build, folder, *arguments, environment=environment)
    return result.code, result.err


def everything(place: Path) -> dict[str, bytes | str | None]:
    """All that a folder holds: the bytes of files, where links lead to, and None for folders; not the empty lock."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(place.rglob("*")):
        if path.name != ".probesheets.lock" or path.is_symlink() or path.stat().st_size:
            data = path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(place))] = str(path.readlink()) if path.is_symlink() else data
    return found


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def check_refused(build: Build, folder: Path, *parts: str, arguments: list[str] | None = None) -> None:
    """Nothing beside or inside the folder has changed, and the message says what to do."""
    before = everything(folder.parent)
    code, said = export(build, NEW, folder, *(arguments or []))
    assert code == 1, said
    assert all(part in said for part in parts) and "--out" in said, said
    assert everything(folder.parent) == before


def check_nothing_is_half_written(folder: Path, exports: Exports, but: Sequence[str] = ()) -> None:
    """Every file comes from the older export or the new one, byte for byte, and the manifest lists all of ours."""
    found = contents(folder)
    told = json.loads(found.pop("manifest.json"))
    assert {name: found.pop(name) for name in FOREIGN} == FOREIGN
    listed = {file["path"] for file in told["files"]}
    for name, data in found.items():
        assert name in listed
        if name not in but:
            gone = b"old" if name == GONE["path"] else None
            assert data in (exports.old.get(name), exports.new.get(name), gone), name


def check_that_it_completes(build: Build, folder: Path, exports: Exports) -> None:
    """The same command again gives the complete new export and leaves other people's files alone."""
    assert export(build, NEW, folder)[0] == 0
    assert contents(folder) == {**exports.new, **FOREIGN}
    assert sorted(verify(folder)) == [f"{name}: was not written by an export." for name in sorted(FOREIGN)]
    assert sorted(path.name for path in folder.glob(".*")) == [".probesheets.lock"]


def first_workbook(folder: Path) -> Path:
    """The first of the workbooks with links whose probe begins with "Masks are"."""
    return sorted(folder.glob("with_links/masks-are-*.xlsx"))[0]


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a workbook's sheet as somebody does who opens it: another library writes it, and it is valid."""
    book = openpyxl.load_workbook(path)
    change(book.active)
    book.save(path)


def annotate(path: Path) -> bytes:
    """Add a column, as a reader does who codes in Excel; returns the bytes of the workbook then."""
    edit(path, lambda sheet: sheet.cell(1, sheet.max_column + 1, "My codes"))
    return path.read_bytes()


def forgive(folder: Path, *paths: Path, rows: int = 0) -> None:
    """Make the manifest agree with changed files, as if the export had written them, with `rows` rows more."""
    manifest = read_manifest(folder)
    for entry in manifest["files"]:
        if folder / entry["path"] in paths:
            entry["sha256"] = hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest()
            entry["rows"] += rows
    write_manifest(folder, manifest)
