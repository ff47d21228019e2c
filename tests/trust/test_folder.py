"""An export changes only its own files, whatever the manifest lists, wherever links lead, whoever's files are there.

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

import pytest

from tests.build import Build, command, run
from tests.exporter.command import probesheets
from tests.exports import contents, read_manifest, write_manifest
from tests.trust.folders import GONE, GUARD, NEW, OLD, Exports, as_json, check_refused, everything, export, fill
from tests.trust.processes import Starter, send_when

STAGING = ".probesheets-" + "0123456789abcdef" * 2
EVERY: tuple[list[str], ...] = ([], ["--new"], ["--only", "links"], ["--probe", "Masks are"])


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
    """Even if everything else is right, the file's hash included."""
    (exported / "sub").symlink_to(elsewhere)
    manifest = read_manifest(exported)
    manifest["files"].append({**GONE, "path": "sub/letter.txt", "sha256": hashlib.sha256(b"Dear A").hexdigest()})
    fill(exported, {"manifest.json": as_json(of_version_1(manifest) if version == 1 else manifest)})
    check_refused(built_sample, exported, "sub/: a link")


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
@pytest.mark.parametrize("case", ["another tool's", "no file is there", "no file has its hash", "only behind a link"])
def test_what_is_no_manifest_of_ours(
    case: str, arguments: list[str], built_sample: Build, exported: Path, elsewhere: Path
) -> None:
    manifest = of_version_1(read_manifest(exported))
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
    write_manifest(exported, manifest)
    check_refused(built_sample, exported, "manifest.json was not written by probesheets", arguments=arguments)


def test_a_folder_of_version_1_is_ours(built_sample: Build, exported: Path, exports: Exports) -> None:
    """It has that version's keys, and one unchanged file is enough."""
    manifest = of_version_1(read_manifest(exported))
    for file in manifest["files"][1:]:
        (exported / file["path"]).unlink()
    write_manifest(exported, manifest)
    assert export(built_sample, NEW, exported)[0] == 0
    assert contents(exported) == exports.new


def test_a_stopped_export_of_version_1_is_ours(built_sample: Build, exported: Path, exports: Exports) -> None:
    """The folder holds old and new files, and the manifest lists both; a new folder holds only new files."""
    new = of_version_1(json.loads(exports.new["manifest.json"]))
    old = of_version_1(read_manifest(exported))
    half = [file["path"] for file in new["files"]][:10]
    fill(exported, {path: exports.new[path] for path in half})
    stopped = {**old, "files": new["files"], "replaced": old["files"], "complete": False}
    write_manifest(exported, stopped)
    code, said = export(built_sample, NEW, exported, "--new")
    assert code == 1 and "was stopped" in said
    assert export(built_sample, NEW, exported)[0] == 0
    assert contents(exported) == exports.new
    shutil.rmtree(exported)
    fill(exported, {path: exports.new[path] for path in half})
    stopped = {"files": new["files"], "replaced": [], "complete": False}
    write_manifest(exported, stopped)
    assert export(built_sample, NEW, exported, "--new")[0] == 0
    assert {**contents(exported), "manifest.json": b""} == {**exports.new, "manifest.json": b""}
    assert read_manifest(exported)["complete"]


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


def test_workbooks_that_are_removed_are_named(built_sample: Build, exported: Path) -> None:
    data, told = b"of a probe that is no more", read_manifest(exported)
    like = next(entry for entry in told["files"] if entry["kind"] == "with_links")
    gone = {**like, "path": "with_links/gone.xlsx", "sha256": hashlib.sha256(data).hexdigest()}
    (exported / "with_links" / "gone.xlsx").write_bytes(data)
    write_manifest(exported, {**told, "files": [*told["files"], gone]})
    code, said = export(built_sample, NEW, exported)
    assert code == 0 and "Removed 1 file that this export does not" in said and "with_links/gone.xlsx" in said, said
    assert not (exported / "with_links" / "gone.xlsx").exists()


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


@pytest.mark.parametrize("length", [0, 20, None])
def test_a_record_that_a_killed_export_could_not_rename_is_removed(
    built_sample: Build, exported: Path, length: int | None
) -> None:
    record = as_json({"format": "probesheets", "staging": STAGING})
    mine = {f".probesheets-{digit * 32}.json": record for digit in "ab"} | {".probesheets-old.json": b""}
    fill(exported, {f"{STAGING}.json": record[:length], **mine})
    (exported / f".probesheets-{'c' * 32}.json").symlink_to(exported / ".probesheets-old.json")
    (exported / f".probesheets-{'d' * 32}.json").mkdir()
    before = everything(exported)
    assert export(built_sample, NEW, exported)[0] == 0
    assert {*before} - {*everything(exported)} == {f"{STAGING}.json"}
    assert all((exported / name).read_bytes() == data for name, data in mine.items())


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


# --- names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("arguments", [["export", "--out"], ["export", "--new", "--out"], ["run", "--out"], ["verify"]])
def test_a_folder_whose_name_is_no_utf_8(arguments: list[str], built_sample: Build, tmp_path: Path) -> None:
    """As typed in a shell with another encoding."""
    out = os.fsencode(tmp_path) + b"/out\xff"
    program = str(command("duckdb", "probesheets"))
    if arguments == ["verify"]:
        Path(os.fsdecode(out)).mkdir()
    before = everything(tmp_path)
    result = run([program, *arguments, os.fsdecode(out)], built_sample.folder, built_sample.environment)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "UTF-8" in result.stderr and result.stderr.count("\n") == 1
    assert everything(tmp_path) == before
