"""`export --shard`: together, the shards hold what one export holds, and each folder verifies by itself."""

import hashlib
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from probesheets.folder.manifest import Manifest, write
from probesheets.folder.shards import in_shard
from probesheets.pages.write import write_pages
from probesheets.project import kinds
from probesheets.workbooks.write import write_workbooks
from tests.build import Build, Source
from tests.conftest import Builder
from tests.exporter.command import Result, probesheets
from tests.exporter.test_kinds import with_meta
from tests.exports import contents, export, read_manifest, records
from tests.growth import GONE

OWN = {"manifest.json", "delivered.csv"}  # of each folder
EVERY = [f"--only={kind}" for kind in ("with_links", "links", "left_out", "pages", "qualcoder", "all_texts")]


def command(build: Build, *arguments: str) -> Result:
    """In the environment of the target."""
    if build.target == "duckdb":
        return probesheets(build.folder, build.environment, *arguments)
    done = build.probesheets(*arguments)
    return Result(done.returncode, done.stdout, done.stderr)


def verify(build: Build, out: Path) -> None:
    for arguments in ([], ["--target", build.target]):
        result = command(build, "verify", str(out), *arguments)
        assert (result.code, result.err) == (0, ""), result.out + result.err


def export_shards(build: Build, folder: Path, count: int, *arguments: str) -> dict[str, bytes]:
    """The files of all shards in one dictionary, without those that each folder has of its own."""
    union: dict[str, bytes] = {}
    for number in range(1, count + 1):
        out, shard = folder / f"{number}", f"{number}/{count}"
        result = command(build, "export", "--target", build.target, "--shard", shard, "--out", str(out), *arguments)
        assert result.code == 0, result.err
        verify(build, out)
        assert read_manifest(out)["shard"] == shard
        files = contents(out)
        assert files.keys() >= OWN
        books = [name.rpartition("/")[2] for name in files if name.startswith(("with_links/", "without_links/"))]
        probes = len({name.removesuffix(".xlsx").partition("-part")[0] for name in books})
        every = len(build.rows("probes", ["probe"]))
        assert f"Shard {shard} has {probes} of {every} probes." in result.err
        files = {name: content for name, content in files.items() if name not in OWN}
        assert files.keys().isdisjoint(union)
        union |= files
    return union


def export_whole(build: Build, out: Path, *arguments: str) -> dict[str, bytes]:
    result = command(build, "export", "--target", build.target, "--out", str(out), *arguments)
    assert result.code == 0, result.err
    return {name: content for name, content in contents(out).items() if name not in OWN}


def same(union: dict[str, bytes], whole: dict[str, bytes]) -> None:
    assert union.keys() == whole.keys()
    assert [name for name in whole if union[name] != whole[name]] == []


def test_the_shards_together_are_one_export(engine: str, built: Builder, sample: Source, tmp_path: Path) -> None:
    build = built(engine, sample)
    whole = export_whole(build, tmp_path / "whole")
    assert {"index.xlsx", "links.xlsx", "left_out.xlsx"} < whole.keys()
    same(export_shards(build, tmp_path, 10 if engine == "duckdb" else 2), whole)
    assert {*contents(tmp_path / "1")} > {"index.xlsx", "links.xlsx", "left_out.xlsx"}
    assert all("/" in name or name in OWN for name in contents(tmp_path / "2"))


def test_every_kind(built_sample: Build, tmp_path: Path) -> None:
    same(export_shards(built_sample, tmp_path, 3, *EVERY), export_whole(built_sample, tmp_path / "whole", *EVERY))


def test_parts_of_files_that_other_shards_write(
    built_sample: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ending, writer, most in (("xlsx", write_workbooks, 21), ("html", write_pages, 20)):
        monkeypatch.setitem(kinds.WRITERS, ending, partial(writer, max_rows=most))
        monkeypatch.setitem(kinds.MOST_RECORDS, ending, 20)
    same(export_shards(built_sample, tmp_path, 3, *EVERY), export_whole(built_sample, tmp_path / "whole", *EVERY))
    assert list(tmp_path.glob("1/pages/*-part2.html")) and list(tmp_path.glob("3/with_links/*-part2.xlsx"))


def test_another_kind_in_the_same_folders(built_sample: Build, tmp_path: Path) -> None:
    export_shards(built_sample, tmp_path, 3)
    whole = export_whole(built_sample, tmp_path / "whole")
    more = ["--only", "pages", "--only", "links"]
    whole |= export_whole(built_sample, tmp_path / "whole", *more)
    same(export_shards(built_sample, tmp_path, 3, *more), whole)
    assert "links.xlsx" in contents(tmp_path / "1")
    result = export(built_sample, tmp_path / "2", "--shard", "2/3", "--only", "links")
    assert result.code == 0 and "Records: none. " in f"{result.err} ".replace("\n", " "), result.err


def test_what_is_not_split_by_probe_is_in_shard_1(built_sample: Build, tmp_path: Path) -> None:
    def by_match(meta: dict[str, Any]) -> None:
        meta |= {"one_file_per": "date_match", "format": "html"}
        for column in meta["columns"]:
            column.pop("page", None)  # a page of several probes has no probe as its title

    environment = with_meta(built_sample, tmp_path, "qualcoder", by_match)
    build = Build("duckdb", built_sample.folder, environment, "", 0)
    only = ["--only", "qualcoder", "--only", "with_links"]
    same(export_shards(build, tmp_path, 3, *only), export_whole(build, tmp_path / "whole", *only))
    assert (tmp_path / "1" / "qualcoder" / "exact.html").is_file()
    assert (tmp_path / "1" / "qualcoder" / "index.html").is_file()


def test_a_name_without_digits_is_in_one_shard_and_a_null_in_none_is_an_error(
    built_sample: Build, tmp_path: Path
) -> None:
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    environment = {**built_sample.environment, "PROBESHEETS_DUCKDB": str(database)}
    build = Build("duckdb", built_sample.folder, environment, "", 0)
    stems = sorted(row[0] for row in built_sample.rows("probes", ["file_stem"]))
    with duckdb.connect(str(database)) as connection:
        for name, stem in zip(("Zürich", "~", "A b", "-"), stems, strict=False):
            connection.execute("update texts set file_stem = ? where file_stem = ?", [name, stem])
    only = ["--only", "qualcoder", "--only", "without_links"]
    same(export_shards(build, tmp_path, 3, *only), export_whole(build, tmp_path / "whole", *only))
    assert len(list(tmp_path.glob("[123]/qualcoder/Z*.xlsx"))) == 1
    with duckdb.connect(str(database)) as connection:
        connection.execute("update texts set file_stem = null where file_stem = 'A b'")
    results = [export(build, tmp_path / "null", "--shard", f"{number}/2", *only) for number in (1, 2)]
    assert "is empty in some rows" in "".join(result.err for result in results if result.code == 1)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 999, 1000])
def test_shards_have_the_same_size(count: int) -> None:
    stems = [f"the-{number}-{hashlib.sha256(f'{number}'.encode()).hexdigest()[:16]}" for number in range(200)]
    shards = [f"{number}/{count}" for number in range(1, count + 1)]
    sizes = Counter(shard for stem in stems for shard in shards if in_shard(stem, shard))
    assert sum(sizes.values()) == len(stems)
    assert max(sizes.values()) < 3 * len(stems) / count + 5
    edges = [f"x-{edge * 16**14:016x}" for edge in range(0, 256, 4)]
    assert all(sum(in_shard(stem, shard) for shard in shards) == 1 for stem in edges)


def test_the_next_batch_of_a_shard(earlier: Build, later: Build, tmp_path: Path) -> None:
    export_shards(earlier, tmp_path, 2)
    export(earlier, tmp_path / "whole")
    whole = export(later, tmp_path / "whole", "--new")
    results = [export(later, tmp_path / number, "--new", "--shard", f"{number}/2") for number in "12"]
    assert [result.code for result in results] == [0, 0], results
    union = contents(tmp_path / "1") | contents(tmp_path / "2")
    same(
        {name: union[name] for name in union if "batch2" in name},
        {name: content for name, content in contents(tmp_path / "whole").items() if "batch2" in name},
    )
    assert "disappeared" in whole.err and sum("disappeared" in result.err for result in results) >= 1
    every = [record for number in "12" for record in records(tmp_path / number, "with_links/*.xlsx")]
    assert sorted(every) == sorted([GONE, *(row[0] for row in later.rows("texts", ["record_id"]))])
    book = openpyxl.load_workbook(tmp_path / "1" / "index.xlsx")
    linked = {cell.hyperlink.target for row in book["Probes"].iter_rows() for cell in row if cell.hyperlink}
    assert linked == {name for name in contents(tmp_path / "1") if "/" in name}
    again = [export(later, tmp_path / number, "--new", "--shard", f"{number}/2") for number in "12"]
    assert all(result.code == 0 and "There is nothing new" in result.err for result in again)


def test_a_shard_that_was_stopped_is_made_again(built_sample: Build, tmp_path: Path) -> None:
    def stop(file: Path, manifest: Manifest) -> None:
        if manifest.complete:
            raise KeyboardInterrupt
        write(file, manifest)

    for name, arguments in (("new", ["--new"]), ("plain", [])):
        options = ["--shard", "2/2", *arguments]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("probesheets.folder.manifest.write", stop)
            assert export(built_sample, tmp_path / name, *options).code == 130
        said = probesheets(built_sample.folder, built_sample.environment, "verify", str(tmp_path / name)).out
        assert f"probesheets export --shard 2/2 --out {tmp_path / name}" in said
        assert export(built_sample, tmp_path / name, *options).code == 0
        verify(built_sample, tmp_path / name)
    assert contents(tmp_path / "new").keys() == contents(tmp_path / "plain").keys()


@pytest.mark.parametrize("arguments", [[], ["--new"], ["--only", "links"]])
def test_a_shard_without_probes(built_sample: Build, arguments: list[str], tmp_path: Path) -> None:
    stems = [row[0] for row in built_sample.rows("probes", ["file_stem"])]
    shard = next(shard for shard in (f"{k}/500" for k in range(2, 500)) if not any(in_shard(s, shard) for s in stems))
    for _ in range(2):
        result = export(built_sample, tmp_path / "out", "--shard", shard, *arguments)
        assert result.code == 0 and f"Shard {shard} has 0 of {len(stems)} probes." in result.err, result.err
        assert contents(tmp_path / "out").keys() == OWN
        verify(built_sample, tmp_path / "out")


def test_a_lost_workbook_of_a_shard_is_noticed(built_sample: Build, tmp_path: Path) -> None:
    export_shards(built_sample, tmp_path, 2)
    told = read_manifest(tmp_path / "2")
    lost = next(file["path"] for file in told["files"] if file["kind"] == "with_links")
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    with duckdb.connect(str(database)) as connection:
        stem = Path(lost).stem
        new = "select * replace ('x' as record_id, ? as file_stem) from texts where file_stem = ?"
        connection.execute(f"insert into texts {new}", [f"new-{stem[-16:]}", stem])
    environment = {**built_sample.environment, "PROBESHEETS_DUCKDB": str(database)}
    said = [
        probesheets(built_sample.folder, environment, "verify", str(tmp_path / number), "--target", "duckdb").out
        for number in "12"
    ]
    assert f"with_links: new-{stem[-16:]} is in the database, but has no workbook." in said[1]
    assert "has no workbook" not in said[0]


@pytest.mark.parametrize("value", ["0/10", "11/10", "3", "a/b", "3/0", "1/2/3", " 3/10", "03/10", "", "-1/2"])
def test_wrong_shards(built_sample: Build, value: str, tmp_path: Path) -> None:
    result = export(built_sample, tmp_path / "out", "--shard", value)
    assert result.code == 2 and "--shard" in result.err and "3/10" in result.err, result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [["--probe", "Masks are"], ["--sample", "3"], ["--sample-total", "50"]])
def test_a_shard_is_of_all_texts(built_sample: Build, more: list[str], tmp_path: Path) -> None:
    result = export(built_sample, tmp_path / "out", "--shard", "1/2", *more)
    assert result.code == 1 and "Remove --shard" in result.err and not (tmp_path / "out").exists()


def test_shards_are_not_mixed(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path / "shard", "--shard", "1/2")
    export(built_sample, tmp_path / "whole")
    database = built_sample.database.read_bytes()
    for folder, command_, arguments, remedy in (
        ("shard", "export", ["--new", "--shard", "2/2"], "export with --shard 1/2"),
        ("shard", "export", ["--only", "pages", "--shard", "1/3"], "export with --shard 1/2"),
        ("shard", "export", ["--new"], "export with --shard 1/2"),
        ("shard", "export", ["--probe", "Masks are"], "export with --shard 1/2"),
        ("shard", "export", ["--shard", "2/2"], "export with --shard 1/2"),
        ("shard", "export", [], "export with --shard 1/2"),
        ("shard", "run", ["--new"], "export with --shard 1/2"),
        ("shard", "run", [], "export with --shard 1/2"),
        ("whole", "export", ["--new", "--shard", "1/2"], "remove --shard"),
        ("whole", "export", ["--only", "pages", "--shard", "1/2"], "remove --shard"),
        ("whole", "export", ["--shard", "1/2"], "remove --shard"),
    ):
        out = tmp_path / folder
        before = contents(out)
        result = probesheets(built_sample.folder, built_sample.environment, command_, *arguments, "--out", str(out))
        assert result.code == 1 and remedy in result.err and "--out" in result.err, result.err
        assert contents(out) == before
    assert built_sample.database.read_bytes() == database  # `run` is refused before it builds
