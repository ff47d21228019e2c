"""Faults made for real, in the middle of an export of the sample that replaces an older one."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probesheets.folder.verify import verify
from tests.build import Build, command
from tests.exporter.command import probesheets
from tests.exports import contents
from tests.trust.folders import (
    NEW,
    Exports,
    check_nothing_is_half_written,
    check_that_it_completes,
    export,
    fill,
)
from tests.trust.processes import Child, Starter, send_when

VARIABLES = json.dumps({"extra_tags": ["location", "author"], "extra_columns": ["sent_label", "depth", "tag"]})


@pytest.fixture(scope="module")
def seconds(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an export takes once everything is imported."""
    child = Child(built_sample, NEW, "export", "--out", str(tmp_path_factory.mktemp("timed")))
    begun = time.monotonic()
    child.go()
    assert child.end()[0] == 0
    return time.monotonic() - begun


@pytest.mark.parametrize("moment", range(50))
def test_killed_at_a_random_moment(
    moment: int, built_sample: Build, folder: Path, exports: Exports, seconds: float, start: Starter
) -> None:
    child = start(built_sample, NEW, "export", "--out", str(folder))
    delay = random.Random(moment).uniform(0, seconds)
    child.go()
    time.sleep(delay)
    child.process.kill()
    assert child.end()[0] in (-signal.SIGKILL, 0)
    check_nothing_is_half_written(folder, exports)
    check_that_it_completes(built_sample, folder, exports)


@pytest.mark.parametrize("rename", [1, 2, 3, 8, 15, 19, 20])
def test_killed_while_files_get_their_names(
    rename: int, built_sample: Build, folder: Path, exports: Exports, start: Starter
) -> None:
    """The moment between the old manifest and the new one is too short for a random kill to hit."""
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": str(rename)}, "export", "--out", str(folder))
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    check_nothing_is_half_written(folder, exports)
    told = json.loads((folder / "manifest.json").read_bytes())
    assert told.get("complete") is (rename == 1)
    if rename > 1:
        assert "an export was stopped" in next(verify(folder))
    check_that_it_completes(built_sample, folder, exports)


@pytest.mark.parametrize("arguments", [[], ["--new"]])
def test_killed_when_the_folder_is_new(
    arguments: list[str], built_sample: Build, tmp_path: Path, exports: Exports, start: Starter
) -> None:
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": "5"}, "export", "--out", str(tmp_path / "out"), *arguments)
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    left = contents(tmp_path / "out")
    assert {name for name in left if left[name] != exports.new[name]} == {"manifest.json"}
    assert export(built_sample, NEW, tmp_path / "out", *arguments)[0] == 0
    assert list(verify(tmp_path / "out")) == []
    found = contents(tmp_path / "out")
    assert {**found, "manifest.json": b""} == {**exports.new, "manifest.json": b""}
    assert json.loads(found["manifest.json"])["complete"]


def test_another_export_after_one_that_was_killed(
    built_sample: Build, folder: Path, exports: Exports, start: Starter
) -> None:
    """The folder stays incomplete, and the missing files stay listed, until they are written."""
    child = start(built_sample, {**NEW, "SIGKILL_AT_RENAME": "5"}, "export", "--out", str(folder))
    child.go()
    assert child.end()[0] == -signal.SIGKILL
    code, said = export(built_sample, NEW, folder, "--new")
    assert code == 1 and "was stopped" in said and "First run that command again" in said
    assert export(built_sample, NEW, folder, "--only", "links")[0] == 0
    check_nothing_is_half_written(folder, exports, but=("delivered.csv", "index.xlsx", "links.xlsx"))
    assert "an export was stopped" in next(verify(folder))
    check_that_it_completes(built_sample, folder, exports)


# --- the disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own. Needs the right to mount one, which root has."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("A full disk and a read-only one are tested on a tmpfs; to mount it needs root.")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True, capture_output=True)


@pytest.mark.parametrize("spare", [0, 30, 100])
def test_a_full_disk(spare: int, disk: Path, built_sample: Build, folder: Path, exports: Exports) -> None:
    shutil.copytree(folder, disk / "out")
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in disk.rglob("*") if path.is_file())
    remount(disk, f"size={used + spare}k")
    code, said = export(built_sample, NEW, disk / "out")
    assert code == 1
    assert "No space left" in said and "Free some disk space" in said
    assert contents(disk / "out") == contents(folder)
    remount(disk, "size=10m")
    check_that_it_completes(built_sample, disk / "out", exports)


def test_a_folder_that_may_not_be_written(disk: Path, built_sample: Build, folder: Path, exports: Exports) -> None:
    """By a disk mounted read-only, since root may write into any folder."""
    shutil.copytree(folder, disk / "out")
    remount(disk, "ro")
    for out in (disk / "out", disk / "new"):
        code, said = export(built_sample, NEW, out)
        assert code == 1
        assert f"{out} cannot be written" in said and "choose another folder with --out" in said
    assert sorted(verify(disk / "out"))[-1].startswith("with_links/gone")  # which only reads
    remount(disk, "rw")
    check_that_it_completes(built_sample, disk / "out", exports)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_without_the_right_to_write(built_sample: Build, folder: Path, exports: Exports) -> None:
    folder.chmod(0o555)
    code, said = export(built_sample, NEW, folder)
    folder.chmod(0o755)
    assert code == 1 and "cannot be written" in said
    check_that_it_completes(built_sample, folder, exports)


def test_a_folder_where_a_file_should_go(built_sample: Build, folder: Path, exports: Exports) -> None:
    name = next(name for name in exports.new if name.startswith("without_links/"))
    (folder / name).unlink()
    (folder / name / "inner").mkdir(parents=True)
    before = contents(folder)
    code, said = export(built_sample, NEW, folder)
    assert code == 1 and f"{name}: not a file" in said and "Move them" in said
    assert contents(folder) == before
    shutil.move(folder / name, folder.parent / "moved")
    check_that_it_completes(built_sample, folder, exports)


def test_a_file_where_a_folder_should_go(built_sample: Build, tmp_path: Path) -> None:
    fill(tmp_path, {"without_links": b"mine"})
    code, said = export(built_sample, NEW, tmp_path)
    assert code == 1 and "without_links/: a link or a file" in said and "Move them" in said
    assert contents(tmp_path) == {"without_links": b"mine"}


# --- two at once


def test_two_exports_into_one_folder(built_sample: Build, folder: Path, exports: Exports, start: Starter) -> None:
    first = start(built_sample, NEW, "export", "--out", str(folder))
    first.go()
    send_when(first.process, lambda: any(folder.glob(".probesheets-*/*/*.xlsx")), signal.SIGSTOP)
    code, said = export(built_sample, NEW, folder)
    assert code == 1
    assert "Another export is writing" in said and "Wait for it" in said
    check_nothing_is_half_written(folder, exports)
    first.process.send_signal(signal.SIGCONT)
    assert first.end()[0] == 0
    check_that_it_completes(built_sample, folder, exports)


def test_an_export_during_a_build(built_sample: Build, folder: Path, exports: Exports, tmp_path: Path) -> None:
    """The build holds the DuckDB file: the export says so, and works afterwards."""
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    environment = {**NEW, "PROBESHEETS_DUCKDB": str(database)}
    arguments = [str(command("duckdb", "dbt")), "build", "--select", "tags", "--vars", VARIABLES]
    arguments += ["--target-path", str(tmp_path), "--profiles-dir", "."]
    building = subprocess.Popen(
        arguments, cwd=built_sample.folder, env=os.environ | environment, stdout=subprocess.DEVNULL, text=True
    )
    try:
        send_when(building, lambda: database.with_suffix(".duckdb.wal").exists(), signal.SIGSTOP)
        code, said = export(built_sample, environment, folder)
        assert code == 1
        assert "is in use by another program" in said and "wait until it ends" in said
        check_nothing_is_half_written(folder, exports)
    finally:
        building.send_signal(signal.SIGCONT)
    assert building.wait() == 0
    assert export(built_sample, environment, folder)[0] == 0
    check_that_it_completes(built_sample, folder, exports)


def test_a_build_during_an_export(
    built_sample: Build, folder: Path, exports: Exports, start: Starter, tmp_path: Path
) -> None:
    """The export holds the DuckDB file: run says so, and completes afterwards."""
    reading = start(built_sample, NEW, "export", "--out", str(folder))
    reading.go()
    send_when(reading.process, lambda: any(folder.glob(".probesheets-*")), signal.SIGSTOP)
    before = contents(folder)
    arguments = ["run", "--vars", VARIABLES, "--out", str(tmp_path / "other")]
    copying = [*arguments, "--source", str(built_sample.folder / "table_output.parquet")]
    result = probesheets(built_sample.folder, built_sample.environment, *copying)
    building = probesheets(built_sample.folder, built_sample.environment, *arguments)
    for said in (result, building):
        assert said.code == 1
        assert "is in use by another program" in said.err and "Close that program" in said.err
    assert contents(folder) == before
    reading.process.send_signal(signal.SIGCONT)
    assert reading.end()[0] == 0
    check_that_it_completes(built_sample, folder, exports)
