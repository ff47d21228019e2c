"""An export changes no file but its own: links, other people's files, and what a reader added to a workbook.

Every test compares all that is beside and inside the output folder, byte for byte.
"""

import hashlib
import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from tests.build import Build, command, make_project, run
from tests.exporter.command import probesheets
from tests.trust.conftest import (
    FOREIGN,
    GONE,
    NEW,
    OLD,
    Exports,
    Starter,
    as_json,
    contents,
    everything,
    export,
    fill,
    send_when,
)

GUARD = {"letter.txt": b"Dear A", "sub/letter.txt": b"Dear B", "with_links/mine.xlsx": b"mine", "empty.txt": b""}
STAGING = ".probesheets-" + "0123456789abcdef" * 2
EVERY = ([], ["--new"], ["--only", "links"], ["--probe", "Masks are"])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder beside the output folder, with files that are nobody's business."""
    fill(tmp_path / "elsewhere", GUARD)
    return tmp_path / "elsewhere"


@pytest.fixture
def exported(tmp_path: Path, exports: Exports) -> Path:
    fill(tmp_path / "out", exports.old)
    return tmp_path / "out"


def told(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def check_refused(build: Build, folder: Path, *parts: str, arguments: list[str] | None = None) -> None:
    """Nothing beside or inside the folder has changed, and the message names the remedy."""
    before = everything(folder.parent)
    code, said = export(build, NEW, folder, *(arguments or []))
    assert code == 1, said
    assert all(part in said for part in parts) and "--out" in said, said
    assert everything(folder.parent) == before


def of_version_1(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if not key.startswith("format")}


# --- whose manifest it is


def test_a_manifest_by_hand_deletes_nothing(built_sample: Build, tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(elsewhere)
    fill(tmp_path / "out", {"manifest.json": as_json({"files": [{"path": "sub/letter.txt"}]})})
    check_refused(built_sample, tmp_path / "out", "was not written by probesheets")


@pytest.mark.parametrize("version", [1, 2])
def test_a_manifest_that_lists_a_file_behind_a_link(
    version: int, built_sample: Build, exported: Path, elsewhere: Path
) -> None:
    """Also if everything else about it is right, and the file's hash is."""
    (exported / "sub").symlink_to(elsewhere)
    manifest = told(exported)
    manifest["files"].append({**GONE, "path": "sub/letter.txt", "sha256": hashlib.sha256(b"Dear A").hexdigest()})
    fill(exported, {"manifest.json": as_json(of_version_1(manifest) if version == 1 else manifest)})
    check_refused(built_sample, exported, "sub/: a link")


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
@pytest.mark.parametrize("case", ["another tool's", "no file is there", "no file has its hash", "only behind a link"])
def test_what_is_no_manifest_of_ours(
    case: str, arguments: list[str], built_sample: Build, exported: Path, elsewhere: Path
) -> None:
    manifest = of_version_1(told(exported))
    if case == "another tool's":
        manifest = {"name": "a package", "files": [{"path": "links.xlsx", "sha256": "0" * 64}]}
    elif case == "no file is there":
        for path in exported.rglob("*.*"):
            path.unlink()
    elif case == "no file has its hash":
        for path in exported.rglob("*.*"):
            path.write_bytes(path.read_bytes() + b" ")
    else:
        shutil.rmtree(exported)
        exported.mkdir()
        (exported / "with_links").symlink_to(elsewhere / "with_links")
        digest = hashlib.sha256(GUARD["with_links/mine.xlsx"]).hexdigest()
        manifest["files"] = [{**GONE, "path": "with_links/mine.xlsx", "sha256": digest}]
    fill(exported, {"manifest.json": as_json(manifest)})
    check_refused(built_sample, exported, "manifest.json was not written by probesheets", arguments=arguments)


def test_a_folder_of_version_1_is_ours(built_sample: Build, exported: Path, exports: Exports) -> None:
    """It has that version's keys, and one file as it was written is enough."""
    manifest = of_version_1(told(exported))
    for file in manifest["files"][1:]:
        (exported / file["path"]).unlink()
    fill(exported, {"manifest.json": as_json(manifest)})
    assert export(built_sample, NEW, exported)[0] == 0
    assert contents(exported) == exports.new


def test_a_stopped_export_of_version_1_is_ours(built_sample: Build, exported: Path, exports: Exports) -> None:
    """Old files and new ones, and the manifest lists both: into a new folder it had nothing else."""
    new = of_version_1(json.loads(exports.new["manifest.json"]))
    old = of_version_1(told(exported))
    half = [file["path"] for file in new["files"]][:10]
    fill(exported, {path: exports.new[path] for path in half})
    stopped = {**old, "files": new["files"], "replaced": old["files"], "complete": False}
    fill(exported, {"manifest.json": as_json(stopped)})
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 1 and "was stopped" in said
    assert export(built_sample, NEW, exported)[0] == 0
    assert contents(exported) == exports.new
    shutil.rmtree(exported)
    fill(exported, {path: exports.new[path] for path in half})
    stopped = {"files": new["files"], "replaced": [], "complete": False}
    fill(exported, {"manifest.json": as_json(stopped)})
    assert export(built_sample, NEW, exported, "--new")[0] == 0
    assert {**contents(exported), "manifest.json": b""} == {**exports.new, "manifest.json": b""}
    assert told(exported)["complete"]


# --- links


def test_the_folder_itself_may_be_a_link(built_sample: Build, tmp_path: Path, exports: Exports) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for environment in (OLD, NEW):
        assert export(built_sample, environment, tmp_path / "out")[0] == 0
    assert contents(tmp_path / "disk") == exports.new
    result = probesheets(built_sample.folder, built_sample.environment, "verify", str(tmp_path / "out"))
    assert result.code == 0, result.out


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_of_workbooks_that_is_a_link(
    inside: bool, arguments: list[str], built_sample: Build, tmp_path: Path, elsewhere: Path
) -> None:
    """Even one that leads to another place inside the folder: two names for a file are one too many."""
    place = tmp_path / "out" / "there" if inside else elsewhere
    place.mkdir(parents=True, exist_ok=True)
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "with_links").symlink_to(place)
    if arguments == ["--only", "links"]:
        (tmp_path / "out" / "links.xlsx").symlink_to(place / "letter.txt")
    check_refused(built_sample, tmp_path / "out", "link", arguments=arguments)


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
def test_a_folder_of_workbooks_that_became_a_link(
    arguments: list[str], built_sample: Build, exported: Path, tmp_path: Path
) -> None:
    """Moved to another disk, perhaps: the files are ours by their hashes, but they are elsewhere."""
    (exported / "with_links").rename(tmp_path / "moved")
    (exported / "with_links").symlink_to(tmp_path / "moved")
    if arguments == ["--only", "links"]:
        assert export(built_sample, NEW, exported, *arguments)[0] == 0  # which writes nothing there
    else:
        check_refused(built_sample, exported, "with_links", "link", arguments=arguments)
    result = probesheets(built_sample.folder, built_sample.environment, "verify", str(exported))
    assert result.code == 1 and "with_links/" in result.out and "link" in result.out


@pytest.mark.parametrize("name", ["with_links/masks-are", "links.xlsx", "index.xlsx", "delivered.csv", "manifest.json"])
def test_a_file_that_became_a_link(name: str, built_sample: Build, exported: Path, tmp_path: Path) -> None:
    [*paths] = sorted(exported.glob(f"{name}*"))
    paths[0].rename(tmp_path / "moved")
    paths[0].symlink_to(tmp_path / "moved")
    check_refused(built_sample, exported, paths[0].name, "link")
    result = probesheets(built_sample.folder, built_sample.environment, "verify", str(exported))
    assert result.code == 1 and paths[0].name in result.out and "link" in result.out


@pytest.mark.parametrize("name", [".probesheets.lock", ".probesheets.json"])
@pytest.mark.parametrize("case", ["a link", "a dangling link", "a folder", "a text", "a list"])
@pytest.mark.parametrize("before", [False, True])
def test_our_own_names_may_be_taken(
    before: bool, case: str, name: str, built_sample: Build, exported: Path, elsewhere: Path
) -> None:
    if not before:
        shutil.rmtree(exported)
        exported.mkdir()
    if case.endswith("link"):
        (exported / name).symlink_to(elsewhere / ("letter.txt" if case == "a link" else "nowhere.txt"))
    elif case == "a folder":
        (exported / name).mkdir()
    else:
        (exported / name).write_bytes(b"mine" if case == "a text" else b"[1]")
    for arguments in EVERY:
        check_refused(built_sample, exported, name, "Move it", arguments=arguments)


@pytest.mark.parametrize("name", ["manifest.json", "index.xlsx"])
def test_a_folder_that_is_refused_gets_no_lock(name: str, built_sample: Build, tmp_path: Path) -> None:
    fill(tmp_path / "out", {name: b'{"files": []}'})
    assert export(built_sample, NEW, tmp_path / "out")[0] == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_workbooks_that_are_removed_are_named(built_sample: Build, exported: Path, exports: Exports) -> None:
    assert export(built_sample, OLD, exported, "--only", "qualcoder")[0] == 0
    names = sorted(contents(exported).keys() - exports.old.keys())
    code, said = export(built_sample, NEW, exported)
    assert code == 0 and f"Removed {len(names)} workbooks of an earlier export" in said and names[0] in said, said


# --- what an export leaves when it is killed


def test_only_the_recorded_staging_folder_is_removed(
    built_sample: Build, exported: Path, start: Starter, exports: Exports
) -> None:
    mine = [".probesheets-old", STAGING, ".probesheets-abc12345", ".probesheets-", ".probesheets.d"]
    fill(exported, {f"{name}/notes.txt": b"mine" for name in mine})
    before = everything(exported)
    child = start(built_sample, NEW, "export", "--out", str(exported))
    child.go()
    send_when(child.process, lambda: any(exported.glob(".probesheets-*/*/*.xlsx")), signal.SIGKILL)
    assert child.end()[0] == -signal.SIGKILL
    record = json.loads((exported / ".probesheets.json").read_text(encoding="utf-8"))
    left = {path.name for path in exported.glob(".probesheets-*")} - set(mine)
    assert left == {record["staging"]} and re.fullmatch(r"\.probesheets-[0-9a-f]{32}", record["staging"])
    assert {name: data for name, data in everything(exported).items() if name in before} == before
    assert export(built_sample, NEW, exported)[0] == 0
    assert {path.name for path in exported.glob(".probesheets*")} == {*mine, ".probesheets.lock"}
    assert all((exported / name / "notes.txt").read_bytes() == b"mine" for name in mine)
    assert {name: data for name, data in contents(exported).items() if "notes" not in name} == exports.new


@pytest.mark.parametrize(
    "staging", ["with_links", "../elsewhere", ".probesheets-", ".probesheets-old", f"../{STAGING}", STAGING.upper(), 7]
)
def test_a_record_that_names_another_folder(
    staging: object, built_sample: Build, exported: Path, elsewhere: Path
) -> None:
    fill(exported.parent, {f"{STAGING}/notes.txt": b"mine"})
    fill(exported, {".probesheets.json": as_json({"format": "probesheets", "staging": staging})})
    check_refused(built_sample, exported, ".probesheets.json was not written by probesheets")


def test_a_staging_folder_that_is_a_link(built_sample: Build, exported: Path, elsewhere: Path) -> None:
    fill(exported, {".probesheets.json": as_json({"format": "probesheets", "staging": STAGING})})
    (exported / STAGING).symlink_to(elsewhere)
    before = everything(elsewhere)
    assert export(built_sample, NEW, exported)[0] == 0
    assert everything(elsewhere) == before and (exported / STAGING).is_symlink()


# --- what a reader changed


def annotate(path: Path) -> bytes:
    """Add a column, as a reader does who codes in Excel; the bytes of the workbook then."""
    book = openpyxl.load_workbook(path)
    book.active.cell(1, book.active.max_column + 1, "My codes")
    book.save(path)
    return path.read_bytes()


def test_a_changed_workbook_stops_an_export(built_sample: Build, exported: Path, exports: Exports) -> None:
    """All of them are listed, before anything is written; moved away, they are not in the way."""
    paths = [exported / "links.xlsx", *sorted(exported.glob("with*/masks-are-*.xlsx"))]
    coded = {path.name + path.parent.name: annotate(path) for path in paths}
    names = [path.relative_to(exported).as_posix() for path in paths]
    check_refused(built_sample, exported, *names, "Move")
    check_refused(built_sample, exported, names[0], arguments=["--only", "links"])
    stem = next(str(file["group"]) for file in told(exported)["files"] if file["probe"] == "Masks are")
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
    path = sorted(exported.glob("with_links/masks-are-*.xlsx"))[0]
    coded = annotate(path)
    assert export(built_sample, NEW, exported, "--only", "links")[0] == 0
    assert export(built_sample, NEW, exported, "--probe", "masks are")[0] == 0
    assert export(built_sample, NEW, exported, "--new", "--only", "qualcoder")[0] == 0
    assert path.read_bytes() == coded


def test_a_changed_workbook_that_would_be_removed(built_sample: Build, folder: Path) -> None:
    """Its probe is no more; and files of others, which an export leaves alone, are not in the list."""
    (folder / str(GONE["path"])).write_bytes(b"old, with codes")
    check_refused(built_sample, folder, str(GONE["path"]))
    _, said = export(built_sample, NEW, folder)
    assert not any(name in said for name in FOREIGN)


def test_many_changed_workbooks_are_listed_and_counted(built_sample: Build, exported: Path) -> None:
    manifest = told(exported)
    stored = {**GONE, "kind": "qualcoder"}
    for number in range(100):
        manifest["files"].append({**stored, "path": f"qualcoder/{number:03}.xlsx"})
        fill(exported, {f"qualcoder/{number:03}.xlsx": b"coded"})
    fill(exported, {"manifest.json": as_json(manifest)})
    check_refused(built_sample, exported, "qualcoder/000.xlsx", "qualcoder/019.xlsx", "80 more")


def test_run_is_stopped_before_it_builds(exported: Path, tmp_path: Path) -> None:
    annotate(sorted(exported.glob("with_links/masks-are-*.xlsx"))[0])
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
    path = sorted(exported.glob("with_links/masks-are-*.xlsx"))[0]
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
    assert path.is_file() and told(out)["complete"]


def test_a_changed_workbook_beside_an_export_that_was_stopped(
    built_sample: Build, exported: Path, start: Starter, exports: Exports
) -> None:
    """Which had nothing to do with it: the same command completes the folder, and --new goes on."""
    coded = annotate(sorted(exported.glob("with_links/masks-are-*.xlsx"))[0])
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": "2"}, "export", "--only", "links", "--out", str(exported))
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    assert not told(exported)["complete"]
    assert export(built_sample, NEW, exported, "--only", "links")[0] == 0
    assert told(exported)["complete"] and (exported / "links.xlsx").read_bytes() == exports.new["links.xlsx"]
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 0 and "Nothing is new" in said
    assert sorted(exported.glob("with_links/masks-are-*.xlsx"))[0].read_bytes() == coded


def test_a_probe_that_needs_fewer_workbooks_now(built_sample: Build, exported: Path) -> None:
    """What it does not need goes, also from the record of what is delivered."""
    manifest = told(exported)
    first = next(file for file in manifest["files"] if file["path"].startswith("with_links/masks-are-9"))
    second = {**first, "path": first["path"].replace(".xlsx", "-part2.xlsx"), "part": 2}
    shutil.copy(exported / first["path"], exported / second["path"])
    manifest["files"].append(second)
    fill(exported, {"manifest.json": as_json(manifest)})
    assert export(built_sample, NEW, exported, "--probe", "Masks are", "--only", "with_links")[0] == 0
    assert not (exported / second["path"]).exists()
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 0 and "Nothing is new" in said and "instead" not in said


def test_a_probe_that_is_gone_keeps_its_workbook_and_records(
    built_sample: Build, exported: Path, tmp_path: Path
) -> None:
    """An export of one kind removes nothing; should the probe come back, it has been delivered."""
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.environment["PROBESHEETS_DUCKDB"], database)
    stem = next(str(file["group"]) for file in told(exported)["files"] if file["probe"] == "masks are")
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
    assert code == 0 and "Nothing is new" in said and "instead" not in said


@pytest.mark.parametrize("arguments", [[], ["--only", "links"], ["--new", "--only", "qualcoder"]], ids=" ".join)
def test_a_changed_index_is_kept_under_another_name(arguments: list[str], built_sample: Build, exported: Path) -> None:
    """It is the reader's then: later exports leave it alone, and verify says that it is not ours."""
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
    assert not kept.keys() & {file["path"] for file in told(exported)["files"]}
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


# --- names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("arguments", [["export", "--out"], ["export", "--new", "--out"], ["run", "--out"], ["verify"]])
def test_a_folder_whose_name_is_no_utf_8(arguments: list[str], built_sample: Build, tmp_path: Path) -> None:
    """As typed in a shell that has other characters."""
    out = os.fsencode(tmp_path) + b"/out\xff"
    program = str(command("duckdb", "probesheets"))
    if arguments == ["verify"]:
        Path(os.fsdecode(out)).mkdir()
    before = everything(tmp_path)
    result = run([program, *arguments, os.fsdecode(out)], built_sample.folder, built_sample.environment)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "UTF-8" in result.stderr and result.stderr.count("\n") == 1
    assert everything(tmp_path) == before
