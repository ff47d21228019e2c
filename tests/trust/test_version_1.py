"""A folder that version 1.0.0 wrote, with eight digits of a probe's hash in its file names: exports can continue it."""

import csv
import hashlib
import json
import shutil
import signal
from pathlib import Path

import openpyxl
import pytest

from tests.build import Build
from tests.exporter.command import probesheets
from tests.exports import contents, delivered, export, read_manifest, records, write_manifest
from tests.growth import CHANGED, GONE
from tests.trust.processes import Starter


@pytest.fixture
def out(exported_earlier: Path, tmp_path: Path) -> Path:
    shutil.copytree(exported_earlier, tmp_path / "out")
    as_version_1(tmp_path / "out")
    return tmp_path / "out"


def as_version_1(folder: Path) -> None:
    """Turn today's folder into one that version 1.0.0 would have written: names, delivered.csv and manifest."""
    told = {key: value for key, value in read_manifest(folder).items() if not key.startswith("format")}
    told["project_version"] = "1.0.0"
    listed = (folder / "delivered.csv").read_text(encoding="utf-8")
    for file in told["files"]:
        if file.get("probe") is not None:
            long, short = file["group"], file["group"][:-8]
            file["group"], path = short, file["path"].replace(long, short)
            (folder / file["path"]).rename(folder / path)
            file["path"], listed = path, listed.replace(long, short)
    (folder / "delivered.csv").write_text(listed, encoding="utf-8", newline="")
    for file in told["files"]:
        file["sha256"] = hashlib.sha256((folder / file["path"]).read_bytes()).hexdigest()
    for probe in told.get("drawn", ()):
        probe["file_stem"] = probe["file_stem"][:-8]
    write_manifest(folder, told)


def verify(build: Build, folder: Path, *arguments: str) -> list[str]:
    result = probesheets(build.folder, build.environment, "verify", str(folder), *arguments)
    assert result.err == ""
    return [] if result.code == 0 else result.out.splitlines()


def short_and_long(out: Path) -> tuple[str, str]:
    """The names of the two workbooks of a probe, of version 1.0.0 and of today."""
    digits = hashlib.sha256(b"Masks are").hexdigest()
    short, long = f"masks-are-{digits[:8]}", f"masks-are-{digits[:16]}"
    assert (out / "with_links" / f"{short}.xlsx").is_file()
    return short, long


def test_it_is_verified(out: Path, earlier: Build) -> None:
    assert verify(earlier, out) == verify(earlier, out, "--target", "duckdb") == []


@pytest.mark.parametrize("arguments", [["--probe", "Masks are"], ["--only", "with_links"], ["--only", "links"]])
def test_part_of_an_export_is_refused(out: Path, later: Build, arguments: list[str]) -> None:
    """The folder would hold some workbooks twice, under two names."""
    before = contents(out)
    result = export(later, out, *arguments)
    assert result.code == 1
    assert all(part in result.err for part in ("1.0.0", "--probe", "--only", "--new", "--out")), result.err
    assert contents(out) == before


def test_a_full_export_replaces_all(out: Path, later: Build, tmp_path: Path) -> None:
    assert export(later, out).code == export(later, tmp_path / "fresh").code == 0
    assert contents(out) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("rename", [2, 8, 21])
def test_a_full_export_that_was_stopped(rename: int, out: Path, later: Build, tmp_path: Path, start: Starter) -> None:
    """The folder then holds old and new names; the export still knows which file is which."""
    assert export(later, tmp_path / "fresh").code == 0
    stop(start, later, rename, "--out", str(out))
    code = export(later, out, "--only", "links").code
    assert code == export(later, out, "--new").code == 1
    assert export(later, out).code == 0
    assert contents(out) == contents(tmp_path / "fresh")


def stop(start: Starter, build: Build, rename: int, *arguments: str) -> None:
    """An export that is killed just before a file gets its final name."""
    child = start(build, {"SIGKILL_AT_RENAME": str(rename)}, "export", *arguments)
    child.go()
    assert child.end()[0] == -signal.SIGKILL


def test_the_next_batch_goes_on_by_record_id(out: Path, later: Build) -> None:
    before = contents(out)
    result = export(later, out, "--new", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["batch"] == 2 and told["changed"] == [CHANGED] and told["gone"] == [GONE]
    assert "instead" not in result.err
    for kind in ("with_links", "without_links"):
        every = records(out, f"{kind}/*.xlsx")
        assert len(every) == len(set(every))
        assert set(every) - {GONE} == {row[0] for row in later.rows("texts", ["record_id"])}
    for name, content in before.items():
        if name.endswith(".xlsx") and name != "index.xlsx":
            assert (out / name).read_bytes() == content
    short, long = short_and_long(out)
    assert (out / "with_links" / f"{long}-batch2.xlsx").is_file()
    held = {row[2] for row in delivered(out)}
    assert long in held and short not in held
    assert {file["group"] for file in read_manifest(out)["files"] if file.get("probe") == "Masks are"} == {long}
    assert verify(later, out) == []
    assert "There is nothing new" in export(later, out, "--new").err


def test_one_probe_goes_on(out: Path, later: Build) -> None:
    """`changed` and `gone` cover the probe's records in both of its workbooks."""
    told = json.loads(export(later, out, "--new", "--probe", "Masks are", "--json").out)
    assert told["batch"] == 2 and told["changed"] == [CHANGED] and told["gone"] == [GONE]
    export(later, out, "--new")
    every = records(out, "with_links/*.xlsx")
    assert len(every) == len(set(every)) == len(later.rows("texts", ["record_id"])) + 1


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_it_goes_on_without_its_record_of_deliveries(out: Path, later: Build, tmp_path: Path, damage: str) -> None:
    shutil.copytree(out, tmp_path / "smooth")
    export(later, tmp_path / "smooth", "--new")
    if damage == "missing":
        (out / "delivered.csv").unlink()
    else:
        (out / "delivered.csv").write_text("sorted", encoding="utf-8")
    result = export(later, out, "--new")
    assert result.code == 0 and "read from the workbooks and pages instead" in result.err
    assert delivered(out) == delivered(tmp_path / "smooth")


@pytest.mark.parametrize("rename", [2, 8, 12])
def test_a_batch_that_was_stopped_is_made_again(
    rename: int, out: Path, later: Build, tmp_path: Path, start: Starter
) -> None:
    """At that moment the manifest is today's, and delivered.csv is still as version 1.0.0 wrote it."""
    shutil.copytree(out, tmp_path / "smooth")
    old = (out / "delivered.csv").read_bytes()
    export(later, tmp_path / "smooth", "--new")
    stop(start, later, rename, "--new", "--out", str(out))
    assert not read_manifest(out)["complete"] and (out / "delivered.csv").read_bytes() == old
    result = export(later, out, "--new")
    assert result.code == 0 and "instead" not in result.err
    assert contents(out) == contents(tmp_path / "smooth")


def test_the_index_has_one_row_per_probe(out: Path, later: Build) -> None:
    export(later, out, "--new")
    rows = list(openpyxl.load_workbook(out / "index.xlsx")["Probes"].iter_rows())
    linked = {cell.hyperlink.target for row in rows[1:] for cell in row if cell.hyperlink}
    assert linked == {path.relative_to(out).as_posix() for path in out.glob("with*/*.xlsx")}
    short, long = short_and_long(out)
    masks = next(row for row in rows if row[0].value == "Masks are")
    assert [cell.hyperlink.target for cell in masks[-4:]] == [
        f"with_links/{short}.xlsx",
        f"with_links/{long}-batch2.xlsx",
        f"without_links/{short}.xlsx",
        f"without_links/{long}-batch2.xlsx",
    ]


def test_a_sample_goes_on(later: Build, tmp_path: Path) -> None:
    """The shares count the texts of both batches; together they are one sample, and every cell is right."""
    export(later, tmp_path / "out", "--sample", "6")
    as_version_1(tmp_path / "out")
    assert verify(later, tmp_path / "out", "--target", "duckdb") == []
    assert export(later, tmp_path / "out", "--sample", "4", "--new").code == 0
    texts = {probe["probe"]: (probe["drawn"], probe["texts"]) for probe in read_manifest(tmp_path / "out")["drawn"]}
    assert texts["Masks are"] == (10, 78)
    export(later, tmp_path / "whole", "--sample", "10")
    assert set(records(tmp_path / "out", "with_links/*.xlsx")) == set(records(tmp_path / "whole", "with_links/*.xlsx"))
    assert verify(later, tmp_path / "out") == verify(later, tmp_path / "out", "--target", "duckdb") == []


def test_every_cell_of_a_folder_that_went_on(later: Build, tmp_path: Path) -> None:
    """Old and new names, several batches, compared with the database."""
    export(later, tmp_path / "out", "--probe", "Masks are")
    as_version_1(tmp_path / "out")
    assert export(later, tmp_path / "out", "--new").code == 0
    assert verify(later, tmp_path / "out") == verify(later, tmp_path / "out", "--target", "duckdb") == []
    short, _ = short_and_long(tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out" / "with_links" / f"{short}.xlsx")
    book.active["P3"] = "no more"
    book.save(tmp_path / "out" / "with_links" / f"{short}.xlsx")
    said = verify(later, tmp_path / "out", "--target", "duckdb")
    assert any(line.startswith(f"with_links/{short}.xlsx, record ") for line in said)


def test_a_probe_that_is_no_more_keeps_its_records(out: Path, later: Build) -> None:
    """It is no longer in any model, so only its text in the manifest gives its current file name."""
    told = read_manifest(out)
    lost = next(file for file in told["files"] if file.get("probe") and not file["probe"].startswith("Masks"))
    assert lost["group"][-9] == "-"
    export(later, out, "--new")
    digits = hashlib.sha256(lost["probe"].encode()).hexdigest()[:16]
    found = next(file for file in read_manifest(out)["files"] if file["path"] == lost["path"])
    assert found["group"] == f"{lost['group'][:-8]}{digits}"
    with (out / "delivered.csv").open(encoding="utf-8", newline="") as stream:
        assert found["group"] in {row["workbook"] for row in csv.DictReader(stream)}
