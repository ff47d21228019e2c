"""An export never loses what a reader added to a workbook: the reader's file stays, or moves to another name."""

import shutil
import signal
from pathlib import Path

import duckdb
import pytest

from tests.build import Build, command, make_project, run
from tests.exporter.command import probesheets
from tests.exports import contents, read_manifest, write_manifest
from tests.trust.folders import (
    FOREIGN,
    GONE,
    NEW,
    Exports,
    annotate,
    check_refused,
    everything,
    export,
    fill,
    first_workbook,
)
from tests.trust.processes import Starter, send_when


def test_a_changed_workbook_stops_an_export(built_sample: Build, exported: Path, exports: Exports) -> None:
    """All of them are listed before anything is written. Once they are moved away, the export works."""
    paths = [exported / "links.xlsx", *sorted(exported.glob("with*/masks-are-*.xlsx"))]
    coded = {path.name + path.parent.name: annotate(path) for path in paths}
    names = [path.relative_to(exported).as_posix() for path in paths]
    check_refused(built_sample, exported, *names, "Move")
    check_refused(built_sample, exported, names[0], arguments=["--only", "links"])
    stem = next(str(file["group"]) for file in read_manifest(exported)["files"] if file["probe"] == "Masks are")
    some = [f"{kind}/{stem}.xlsx" for kind in ("with_links", "without_links")]
    check_refused(built_sample, exported, *some, arguments=["--probe", "Masks are"])
    for path in paths:
        path.rename(exported.parent / (path.name + path.parent.name))
    assert export(built_sample, NEW, exported)[0] == 0
    assert contents(exported) == exports.new
    assert {name: (exported.parent / name).read_bytes() for name in coded} == coded


def test_a_changed_workbook_that_is_not_touched_stops_nothing(
    built_sample: Build, exported: Path, exports: Exports
) -> None:
    path = first_workbook(exported)
    coded = annotate(path)
    assert export(built_sample, NEW, exported, "--only", "links")[0] == 0
    assert export(built_sample, NEW, exported, "--probe", "masks are")[0] == 0
    assert export(built_sample, NEW, exported, "--new", "--only", "qualcoder")[0] == 0
    assert path.read_bytes() == coded


def test_a_changed_workbook_that_would_be_removed(built_sample: Build, folder: Path) -> None:
    """Its probe is gone. Other people's files, which an export leaves alone, are not in the list."""
    (folder / str(GONE["path"])).write_bytes(b"old, with codes")
    check_refused(built_sample, folder, str(GONE["path"]))
    _, said = export(built_sample, NEW, folder)
    assert not any(name in said for name in FOREIGN)


def test_many_changed_workbooks_are_listed_and_counted(built_sample: Build, exported: Path) -> None:
    manifest = read_manifest(exported)
    stored = {**GONE, "kind": "qualcoder"}
    for number in range(100):
        manifest["files"].append({**stored, "path": f"qualcoder/{number:03}.xlsx"})
        fill(exported, {f"qualcoder/{number:03}.xlsx": b"coded"})
    write_manifest(exported, manifest)
    check_refused(built_sample, exported, "qualcoder/000.xlsx", "qualcoder/019.xlsx", "80 more")


def test_run_is_stopped_before_it_builds(exported: Path, tmp_path: Path) -> None:
    annotate(first_workbook(exported))
    make_project(tmp_path / "p")
    before = everything(exported)
    result = run([str(command("duckdb", "probesheets")), "run", "--out", str(exported)], tmp_path / "p", {})
    assert result.returncode == 1 and "with_links/masks-are" in result.stderr
    assert not (tmp_path / "p" / "target").exists() and not (tmp_path / "p" / "probesheets.duckdb").exists()
    assert everything(exported) == before


def test_a_workbook_changed_while_the_export_runs(built_sample: Build, exported: Path, start: Starter) -> None:
    child = start(built_sample, NEW, "export", "--out", str(exported))
    child.go()
    send_when(child.process, lambda: any(exported.glob(".probesheets-*/*/*.xlsx")), signal.SIGSTOP)
    path = first_workbook(exported)
    annotate(path)
    before = contents(exported)
    child.process.send_signal(signal.SIGCONT)
    code, said = child.end()
    assert code == 1 and path.name in said
    assert contents(exported) == before


def test_a_file_that_appears_while_the_export_runs(built_sample: Build, tmp_path: Path, start: Starter) -> None:
    out = tmp_path / "out"
    child = start(built_sample, NEW, "export", "--out", str(out))
    child.go()
    send_when(child.process, lambda: any(out.glob(".probesheets-*/*/*.xlsx")), signal.SIGSTOP)
    fill(out, {"left_out.xlsx": b"mine", "index.xlsx": b"mine"})
    child.process.send_signal(signal.SIGCONT)
    code, said = child.end()
    assert code == 1 and "left_out.xlsx" in said and "index.xlsx" in said
    assert contents(out) == {"left_out.xlsx": b"mine", "index.xlsx": b"mine"}


def test_a_changed_workbook_of_a_batch_that_was_stopped(
    built_sample: Build, exported: Path, start: Starter, tmp_path: Path
) -> None:
    """`--new` replaces only those of the batch that it makes again."""
    out = tmp_path / "new"
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": "12"}, "export", "--new", "--out", str(out))
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    path = sorted(out.glob("with_links/*.xlsx"))[0]
    annotate(path)
    before = contents(out)
    code, said = export(built_sample, NEW, out, "--new")
    assert code == 1 and path.name in said and contents(out) == before
    path.rename(tmp_path / "moved.xlsx")
    assert export(built_sample, NEW, out, "--new")[0] == 0
    assert path.is_file() and read_manifest(out)["complete"]


def test_a_changed_workbook_beside_an_export_that_was_stopped(
    built_sample: Build, exported: Path, start: Starter, exports: Exports
) -> None:
    """The stopped export did not concern that workbook: the same command completes the folder, and --new works."""
    coded = annotate(first_workbook(exported))
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": "2"}, "export", "--only", "links", "--out", str(exported))
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    assert not read_manifest(exported)["complete"]
    assert export(built_sample, NEW, exported, "--only", "links")[0] == 0
    assert read_manifest(exported)["complete"] and (exported / "links.xlsx").read_bytes() == exports.new["links.xlsx"]
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 0 and "There is nothing new" in said
    assert first_workbook(exported).read_bytes() == coded


def test_a_probe_that_needs_fewer_workbooks_now(built_sample: Build, exported: Path) -> None:
    """The workbook that it no longer needs is removed, also from the record of deliveries."""
    manifest = read_manifest(exported)
    first = next(file for file in manifest["files"] if file["path"].startswith("with_links/masks-are-9"))
    second = {**first, "path": first["path"].replace(".xlsx", "-part2.xlsx"), "part": 2}
    shutil.copy(exported / first["path"], exported / second["path"])
    manifest["files"].append(second)
    write_manifest(exported, manifest)
    assert export(built_sample, NEW, exported, "--probe", "Masks are", "--only", "with_links")[0] == 0
    assert not (exported / second["path"]).exists()
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 0 and "There is nothing new" in said and "instead" not in said


def test_a_probe_that_is_gone_keeps_its_workbook_and_records(
    built_sample: Build, exported: Path, tmp_path: Path
) -> None:
    """An export of one kind removes nothing; should the probe come back, it has been delivered."""
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    stem = next(str(file["group"]) for file in read_manifest(exported)["files"] if file["probe"] == "masks are")
    with duckdb.connect(str(database)) as connection:
        for model in ("texts", "texts_without_links", "links", "probes"):
            connection.execute(f"delete from {model} where file_stem = ?", [stem])
        connection.execute(
            "update accounts set texts = (select count(*) from texts), links = (select count(*) from links), "
            "text_rows = blank_texts + (select count(*) from texts)"
        )
    environment = {**NEW, "PROBESHEETS_DUCKDB": str(database)}
    code, said = export(built_sample, environment, exported, "--only", "with_links")
    assert code == 0, said
    assert (exported / "with_links" / f"{stem}.xlsx").is_file()
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 0 and "There is nothing new" in said and "instead" not in said


@pytest.mark.parametrize("arguments", [[], ["--only", "links"], ["--new", "--only", "qualcoder"]], ids=" ".join)
def test_a_changed_index_is_kept_under_another_name(arguments: list[str], built_sample: Build, exported: Path) -> None:
    """The copy belongs to the reader: later exports leave it alone, and verify reports that no export wrote it."""
    kept = {}
    for number, name in enumerate(("-edited", "-edited-2", "-edited-3")):
        for file, data in (("index.xlsx", b"PK, coloured"), ("delivered.csv", b"sorted,")):
            stem, _, ending = file.partition(".")
            kept[f"{stem}{name}.{ending}"] = data + str(number).encode()
            (exported / file).write_bytes(data + str(number).encode())
        code, said = export(built_sample, NEW, exported, *(arguments if number == 0 else []))
        if number and "--new" in arguments:
            return
        assert code == 0, said
        assert f"index{name}.xlsx" in said and f"delivered{name}.csv" in said
        assert {path: (exported / path).read_bytes() for path in kept} == kept
    assert not kept.keys() & {file["path"] for file in read_manifest(exported)["files"]}
    result = probesheets(built_sample.folder, built_sample.environment, "verify", str(exported))
    assert sorted(result.out.splitlines()) == sorted(f"{name}: was not written by an export." for name in kept)


def test_a_free_name_is_found(built_sample: Build, exported: Path, elsewhere: Path) -> None:
    (exported / "index-edited.xlsx").symlink_to(elsewhere / "letter.txt")
    (exported / "index.xlsx").write_bytes(b"mine")
    before = everything(elsewhere)
    code, said = export(built_sample, NEW, exported)
    assert code == 0 and "index-edited-2.xlsx" in said
    assert (exported / "index-edited-2.xlsx").read_bytes() == b"mine" and everything(elsewhere) == before


@pytest.mark.parametrize("name", ["index.xlsx", "delivered.csv"])
def test_a_file_of_that_name_in_a_new_folder_is_not_renamed(name: str, built_sample: Build, tmp_path: Path) -> None:
    fill(tmp_path / "out", {name: b"mine"})
    check_refused(built_sample, tmp_path / "out", name)
