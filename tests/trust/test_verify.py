"""`probesheets verify`: what it finds, with the manifest alone and with the database."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from tests.build import Build, Source
from tests.conftest import Builder
from tests.exporter.command import Result, probesheets
from tests.exports import read_manifest, write_manifest
from tests.trust.folders import NEW, Exports, edit, export, fill, first_workbook, forgive


@pytest.fixture
def folder(tmp_path: Path, exports: Exports) -> Path:
    fill(tmp_path / "out", exports.new)
    return tmp_path / "out"


def verify(build: Build, folder: Path, *arguments: str) -> Result:
    return probesheets(build.folder, build.environment, "verify", str(folder), *arguments)


def change(folder: Path, changed: Callable[[Any], object]) -> Path:
    path = first_workbook(folder)
    edit(path, changed)
    return path


def test_what_was_exported_is_right(built_sample: Build, folder: Path) -> None:
    for arguments, said in (
        ((), "has changed since the export.\n"),
        (("--target", "duckdb"), "every cell matches duckdb.\n"),
    ):
        result = verify(built_sample, folder, *arguments)
        assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
        assert result.out.endswith(said)


@pytest.mark.parametrize("target", ["duckdb", "mariadb"])
def test_every_cell_of_every_engine(built: Builder, rules: Source, target: str, tmp_path: Path) -> None:
    """The cells hold every case that the project's rules are for; MariaDB runs its own command."""
    build = built(target, rules)
    for arguments in ([], ["--only", "qualcoder"]):
        result = build.probesheets("export", "--target", target, "--out", str(tmp_path), *arguments)
        assert result.returncode == 0, result.stderr
    result = build.probesheets("verify", str(tmp_path), "--target", target)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


Change = Callable[[Any], None]


def put(cell: str, value: object) -> Change:
    return lambda sheet: sheet.__setitem__(cell, value)


CHANGED = "was changed after the export"
TOO_MANY, TOO_FEW = "79 rows; the manifest says 78", "77 rows; the manifest says 78"
CHANGES: dict[str, tuple[Change, int, str, str]] = {
    "a text": (put("B3", "no more"), 0, CHANGED, ", Text: 'no more'; the database has '"),
    "a number": (put("N3", 99), 0, CHANGED, ", Experiment: 99.0; the database has "),
    "a date": (put("C3", "2020-03-99"), 0, CHANGED, ", Date: '2020-03-99'; the database has "),
    "a cell that was empty": (put("G3", "T1"), 0, CHANGED, ", Same as: 'T1'; the database has nothing."),
    "a cell emptied": (put("B3", None), 0, CHANGED, ", Text: nothing; the database has '"),
    "a row less": (lambda sheet: sheet.delete_rows(5), -1, TOO_FEW, ", row 5: is T"),
    "the last row less": (lambda sheet: sheet.delete_rows(79), -1, TOO_FEW, ": ends early; the database has record T"),
    "a row more": (lambda sheet: sheet.append(["T9"]), 1, TOO_MANY, ", row 80: record T9 is not in the database."),
    "a row twice": (lambda sheet: sheet.append([cell.value for cell in sheet[79]]), 1, TOO_MANY, ", row 80: record T"),
    "a header": (put("P1", "Texts"), 0, "its columns are Record ID", "its columns are Record ID"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changes_are_found(case: str, built_sample: Build, folder: Path) -> None:
    changed, rows, by_manifest, by_database = CHANGES[case]
    path = change(folder, changed)
    name = path.relative_to(folder).as_posix()
    result = verify(built_sample, folder)
    assert result.code == 1 and result.out.count("\n") == 1
    assert result.out.startswith(f"{name}: ") and by_manifest in result.out
    forgive(folder, path, rows=rows)
    result = verify(built_sample, folder, "--target", "duckdb")
    assert result.code == 1 and result.out.count("\n") == 1, result.out
    assert result.out.startswith(name) and by_database in result.out


def test_a_text_over_several_rows_is_one(built_sample: Build, folder: Path) -> None:
    for path in folder.glob("with_links/*.xlsx"):
        workbook = openpyxl.load_workbook(path)
        [*further] = [row for row in workbook.active.iter_rows(min_row=2) if "-" in row[0].value]
        if further:
            break
    further[0][1].value = further[0][1].value[:-1]
    further[0][13].value = 99
    workbook.save(path)
    forgive(folder, path)
    result = verify(built_sample, folder, "--target", "duckdb")
    assert result.code == 1 and f"record {further[0][0].value.split('-')[0]}, Text" in result.out
    assert f"record {further[0][0].value}, Experiment: 99.0; the database has " in result.out


def test_files_missing_foreign_cut_and_swapped(built_sample: Build, folder: Path) -> None:
    first, second, *_ = sorted(folder.glob("without_links/*.xlsx"))
    one, two = first.read_bytes(), second.read_bytes()
    (folder / "links.xlsx").unlink()
    fill(folder, {"mine.txt": b"", "with_links/mine.xlsx": b"PK"})
    first_workbook(folder).write_bytes(first_workbook(folder).read_bytes()[:-200])
    first.write_bytes(two)
    second.write_bytes(one)
    result = verify(built_sample, folder, "--target", "duckdb")
    lines = result.out.splitlines()
    assert result.code == 1
    for start in ("links.xlsx: is missing", "mine.txt: was not written", "with_links/mine.xlsx: was not written"):
        assert sum(line.startswith(start) for line in lines) == 1
    assert any(
        line.startswith(first_workbook(folder).relative_to(folder).as_posix() + ": cannot be opened") for line in lines
    )
    assert {line.split(":")[0] for line in lines} > {f"without_links/{path.name}" for path in (first, second)}


@pytest.mark.parametrize("cut", [0, 1, 100, 5000, -1, -22, -60])
def test_a_workbook_cut_anywhere(cut: int, built_sample: Build, folder: Path) -> None:
    first_workbook(folder).write_bytes(first_workbook(folder).read_bytes()[:cut])
    result = verify(built_sample, folder)
    assert result.code == 1 and result.out.count("\n") == 1 and "masks-are" in result.out


@pytest.mark.parametrize("place", range(40, 3000, 211))
def test_a_byte_changed_anywhere(place: int, built_sample: Build, folder: Path) -> None:
    data = bytearray(first_workbook(folder).read_bytes())
    data[place] ^= 0x55
    first_workbook(folder).write_bytes(data)
    result = verify(built_sample, folder)
    assert result.code == 1 and result.out.count("\n") == 1 and "masks-are" in result.out


def test_no_more_than_ten_differences(built_sample: Build, folder: Path) -> None:
    fill(folder, {f"{number}.txt": b"" for number in range(15)})
    result = verify(built_sample, folder)
    assert result.code == 1 and result.out.count("\n") == 10 and "Only the first 10 differences" in result.err


def test_a_manifest_that_is_missing_or_not_complete(built_sample: Build, folder: Path) -> None:
    told = read_manifest(folder)
    write_manifest(folder, {**told, "complete": False})
    assert "an export was stopped" in verify(built_sample, folder).out
    fill(folder, {"manifest.json": b"{"})
    assert "manifest.json cannot be read" in verify(built_sample, folder).out
    (folder / "manifest.json").unlink()
    result = verify(built_sample, folder)
    assert result.code == 1 and "manifest.json is missing" in result.out and "Restore it" in result.out
    result = verify(built_sample, folder / "none")
    assert result.code == 1 and "is not a folder" in result.err


def test_what_the_database_has_more_or_less(built_sample: Build, folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    stem = first_workbook(folder).stem
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from texts where file_stem = ?", [stem])
        connection.execute("update texts_without_links set file_stem = 'x' where file_stem = ?", [stem])
    environment = {**built_sample.environment, "PROBESHEETS_DUCKDB": str(database)}
    result = probesheets(built_sample.folder, environment, "verify", str(folder), "--target", "duckdb")
    assert sorted(result.out.splitlines()) == [
        f"with_links/{stem}.xlsx: the database has no rows for it.",
        f"without_links/{stem}.xlsx: the database has no rows for it.",
        "without_links: x is in the database, but has no workbook.",
    ]


@pytest.mark.parametrize("arguments", [["--only", "links"], ["--probe", "Masks are"], ["--sample", "5"]])
def test_part_of_the_data(arguments: list[str], built_sample: Build, tmp_path: Path) -> None:
    assert export(built_sample, NEW, tmp_path / "out", *arguments)[0] == 0
    result = verify(built_sample, tmp_path / "out", "--target", "duckdb")
    assert (result.code, result.out.count("\n")) == (0, 1), result.out


def test_several_batches(built_sample: Build, tmp_path: Path) -> None:
    """A drawn batch and the rest: the records of a probe are in two workbooks, each in the order of the database."""
    for arguments in (["--sample", "5"], ["--new"]):
        assert export(built_sample, NEW, tmp_path / "out", *arguments)[0] == 0
    assert list((tmp_path / "out").rglob("*batch2*.xlsx"))
    result = verify(built_sample, tmp_path / "out", "--target", "duckdb")
    assert (result.code, result.out.count("\n")) == (0, 1), result.out
    second, first = sorted(tmp_path.glob("out/with_links/masks-are-9*.xlsx"))
    assert "batch2" in second.name
    for path, row in ((first, 3), (second, 7)):
        workbook = openpyxl.load_workbook(path)
        workbook.active[f"P{row}"].value = "changed"
        workbook.save(path)
        forgive(tmp_path / "out", path)
    result = verify(built_sample, tmp_path / "out", "--target", "duckdb")
    assert sorted(line.split(", ")[0] for line in result.out.splitlines()) == sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (first, second)
    )
