"""`export --new`: the next batch, and how it takes earlier batches into account."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import openpyxl
import pytest

from probesheets.folder.manifest import Manifest, write
from tests.build import Build
from tests.exporter.command import probesheets
from tests.exports import HEADERS, contents, delivered, export, read_manifest, records, sheet, write_manifest
from tests.growth import CHANGED, GONE


@pytest.fixture
def out(exported_earlier: Path, tmp_path: Path) -> Path:
    shutil.copytree(exported_earlier, tmp_path / "out")
    return tmp_path / "out"


def test_the_next_batch_holds_what_is_new_and_nothing_else(out: Path, later: Build) -> None:
    before = contents(out)
    result = export(later, out, "--new")
    assert result.code == 0, result.err
    for kind in ("with_links", "without_links"):
        new = records(out, f"{kind}/*-batch2.xlsx")
        every = records(out, f"{kind}/*.xlsx")
        assert new and len(every) == len(set(every))
        assert set(every) - {GONE} == {row[0] for row in later.rows("texts", ["record_id"])}
        assert f"{len(new)} in {kind}" in result.err
        for file in (out / kind).glob("*-batch2.xlsx"):
            assert sheet(file)[0] == HEADERS
    for name, content in before.items():  # what was delivered stays as it is
        if name.endswith(".xlsx") and name != "index.xlsx":
            assert (out / name).read_bytes() == content
    assert (out / "links-batch2.xlsx").is_file()


def test_what_has_changed_or_gone_is_listed(out: Path, later: Build) -> None:
    result = export(later, out, "--new", "--json")
    told = json.loads(result.out)
    assert told["batch"] == 2 and told["changed"] == [CHANGED] and told["gone"] == [GONE]
    assert told["new"]["with_links"] == len(records(out, "with_links/*-batch2.xlsx"))
    assert set(told["files"]) <= set(contents(out)) and "links-batch2.xlsx" in told["files"]
    assert f"1 record changed since delivery: {CHANGED}." in result.err
    with (out / "changed.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert ["with_links", CHANGED, "changed"] in rows and ["without_links", GONE, "gone"] in rows
    assert "changed.csv" in {file["path"] for file in read_manifest(out)["files"]}


def test_nothing_new_writes_nothing(out: Path, later: Build) -> None:
    export(later, out, "--new")
    before = contents(out)
    result = export(later, out, "--new")
    assert result.code == 0 and "There is nothing new" in result.err and CHANGED in result.err
    assert contents(out) == before


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_the_record_is_rebuilt_from_the_workbooks(out: Path, later: Build, damage: str) -> None:
    export(later, out, "--new")
    before, told = delivered(out), read_manifest(out)["batches"]
    if damage == "missing":
        (out / "delivered.csv").unlink()
    else:
        (out / "delivered.csv").write_text("kind,batch\n", encoding="utf-8")
    result = export(later, out, "--new", "--only", "qualcoder")  # a kind that was not delivered: all is new
    assert result.code == 0 and "read from the workbooks and pages instead" in result.err
    assert {row for row in delivered(out) if row[0] != "qualcoder"} == before
    assert read_manifest(out)["batches"][:2] == told
    assert len(records(out, "qualcoder/*-batch3.xlsx")) == len(later.rows("texts", ["record_id"]))


def test_new_into_an_empty_folder_is_the_first_batch(later: Build, tmp_path: Path) -> None:
    export(later, tmp_path / "new", "--new")
    export(later, tmp_path / "full")
    new, full = contents(tmp_path / "new"), contents(tmp_path / "full")
    del new["manifest.json"], full["manifest.json"]
    assert new == full


def test_new_texts_of_one_probe(out: Path, later: Build) -> None:
    export(later, out, "--new", "--probe", "Masks are")
    assert len({path.stem for path in out.glob("*/*-batch2.xlsx")}) == 1
    assert not (out / "links-batch2.xlsx").exists()
    export(later, out, "--new")
    every = records(out, "with_links/*.xlsx")
    assert len(every) == len(set(every)) == len(later.rows("texts", ["record_id"])) + 1
    assert list(out.glob("with_links/*-batch3.xlsx")) and (out / "links-batch3.xlsx").is_file()


def test_a_full_export_into_a_folder_with_batches_is_refused(out: Path, later: Build) -> None:
    export(later, out, "--new")
    before = contents(out)
    for arguments in (["export"], ["export", "--only", "links"], ["run"]):
        result = probesheets(later.folder, later.environment, *arguments, "--out", str(out))
        assert result.code == 1
        assert "has 2 batches" in result.err and "--new" in result.err and "--out" in result.err
    assert contents(out) == before


def test_a_batch_has_the_columns_of_those_before_it(out: Path, later: Build) -> None:
    told = read_manifest(out)
    for file in told["files"]:
        if file["kind"] == "with_links":
            file["columns"] = ["Record ID", "Text"]
    write_manifest(out, told)
    before = contents(out)
    result = export(later, out, "--new")
    assert (
        result.code == 1
        and "has the columns Record ID, Text; this batch would have" in result.err
        and "--vars" in result.err
    )
    assert contents(out) == before


def test_a_batch_that_was_stopped_is_made_again(out: Path, later: Build, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "smooth")
    export(later, tmp_path / "smooth", "--new")

    def stop(file: Path, manifest: Manifest) -> None:
        if manifest.complete:
            raise KeyboardInterrupt
        write(file, manifest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("probesheets.folder.manifest.write", stop)
        result = export(later, out, "--new")
        assert result.code == 130 and "Stopped" in result.err
    data, told = b"of the batch that was stopped", read_manifest(out)
    (out / "with_links" / "stopped-batch2.xlsx").write_bytes(data)
    like = next(file for file in told["files"] if file["path"].endswith("-batch2.xlsx"))
    stray = {**like, "path": "with_links/stopped-batch2.xlsx", "sha256": hashlib.sha256(data).hexdigest()}
    write_manifest(out, {**told, "files": [*told["files"], stray]})
    assert export(later, out, "--new").code == 0
    assert contents(out) == contents(tmp_path / "smooth")


def test_the_index_covers_all_batches(out: Path, later: Build) -> None:
    export(later, out, "--new")
    rows = list(openpyxl.load_workbook(out / "index.xlsx")["Probes"].iter_rows())
    assert [cell.value for cell in rows[0]][-4:] == [
        "With links", "With links, batch 2", "Without links", "Without links, batch 2",
    ]  # fmt: skip
    linked = {cell.hyperlink.target for row in rows[1:] for cell in row if cell.hyperlink}
    assert linked == {path.relative_to(out).as_posix() for path in out.glob("with*/*.xlsx")}


def test_quiet_says_nothing(out: Path, later: Build) -> None:
    result = export(later, out, "--new", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_a_text_that_moved_to_another_probe_is_not_delivered_twice(out: Path, later: Build, tmp_path: Path) -> None:
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(later.database, database)
    with duckdb.connect(str(database)) as connection:
        [(stem,)] = connection.execute("select file_stem from probes where probe = 'masks are'").fetchall()
        for model in ("texts", "texts_without_links"):
            moved = f"update {model} set probe = 'masks are', file_stem = ? where record_id = 'T2'"
            connection.execute(moved, [stem])
        connection.execute("update probes set text_count = text_count + 1 where probe = 'masks are'")
        connection.execute("update probes set text_count = text_count - 1 where probe = 'Masks are'")
    environment = {**later.environment, "PROBESHEETS_DUCKDB": str(database)}
    result = probesheets(later.folder, environment, "export", "--new", "--probe", "masks are", "--out", str(out))
    assert result.code == 0
    assert sum(row[0] == "with_links" and "T2" in row for row in delivered(out)) == 1


def test_changes_are_listed_even_if_nothing_is_new(out: Path, later: Build, tmp_path: Path) -> None:
    export(later, out, "--new")
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(later.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update texts set text = text || ' !' where text_id % 10 = 0")
        [(count,)] = connection.execute("select count(*) from texts where text_id % 10 = 0").fetchall()
    environment = {**later.environment, "PROBESHEETS_DUCKDB": str(database)}
    before = read_manifest(out)["batches"]
    result = probesheets(later.folder, environment, "export", "--new", "--out", str(out))
    assert result.code == 0 and "There is nothing new" in result.err and "changed.csv" in result.err
    with (out / "changed.csv").open(encoding="utf-8", newline="") as stream:
        changed = [row for row in csv.reader(stream) if row[0] == "with_links" and row[2] == "changed"]
    assert len(changed) >= count > 20
    assert read_manifest(out)["batches"] == before
    assert read_manifest(out)["complete"]
