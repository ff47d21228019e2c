"""A damaged manifest.json or delivered.csv: a sentence says what is wrong, no traceback, and no file changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build import Build
from tests.exporter.command import Result, probesheets
from tests.exports import contents, read_manifest, write_manifest
from tests.trust.folders import NEW, Exports, edit, everything, export, fill, first_workbook, forgive

Change = Callable[[dict[str, Any]], object]
COMMANDS = (["export"], ["export", "--new"], ["verify"])


def command(build: Build, folder: Path, arguments: list[str]) -> Result:
    name, *options = arguments
    where = ["--out", str(folder)] if name == "export" else [str(folder)]
    return probesheets(build.folder, {**build.environment, **NEW}, name, *options, *where)


@pytest.fixture
def folder(tmp_path: Path, exports: Exports) -> Path:
    fill(tmp_path / "out", exports.new)
    return tmp_path / "out"


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "manifest.json"),
    "no JSON": (b"{", "manifest.json"),
    "no UTF-8": (b'{"files": "\xff"}', "manifest.json"),
    "NUL bytes": (bytes(1000), "manifest.json"),
    "a BOM": (b"\xef\xbb\xbf{}", "manifest.json"),
    "a list": (b"[]", "manifest.json"),
    "null": (b"null", "manifest.json"),
    "a text": (b'"files"', "manifest.json"),
    "nested deeply": (b'{"files":' * 100_000, "manifest.json"),
    "a number of 5,000 digits": (b'{"files": ' + b"9" * 5000 + b"}", "manifest.json"),
    "an empty object": (b"{}", "was not written by probesheets"),
    "another tool's": (b'{"files": [{"path": "links.xlsx"}]}', "was not written by probesheets"),
    "another tool's, with hashes": (b'{"files": [{"path": "x", "sha256": "0"}]}', "was not written by probesheets"),
    "dbt's": (b'{"metadata": {"adapter_type": "duckdb"}, "nodes": {}}', "was not written by probesheets"),
}


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_file_that_is_no_manifest(arguments: list[str], case: str, built_sample: Build, folder: Path) -> None:
    data, part = FILES[case]
    (folder / "manifest.json").write_bytes(data)
    check_refused(built_sample, folder, arguments, part)


def check_refused(build: Build, folder: Path, arguments: list[str], *parts: str) -> None:
    before = everything(folder.parent)
    result = command(build, folder, arguments)
    said = result.out if arguments == ["verify"] else result.err
    assert result.code == 1
    assert all(part in said for part in ("manifest.json", *parts)), said
    assert "--out" in said or "newer version of probesheets" in said
    assert said.count("\n") == 1
    assert everything(folder.parent) == before


def at(*keys: str | int) -> Callable[[object], Change]:
    """at("files", 0, "path")("x"): a change that puts x there; without a value the key is taken away."""

    def put(value: object = ...) -> Change:
        def change(manifest: dict[str, Any]) -> None:
            *outer, last = keys
            place: Any = manifest
            for key in outer:
                place = place[key]
            if value is ...:
                del place[last]
            else:
                place[last] = value

        return change

    return put


def entry(key: str) -> Callable[[object], Change]:
    return at("files", 3, key)


def batch(key: str) -> Callable[[object], Change]:
    return at("batches", 0, key)


TOP = ("target", "project_version", "created", "totals", "selected", "batches", "files", "full", "complete")
ENTRY = ("path", "kind", "probe", "group", "batch", "part", "columns", "rows", "records", "sha256")
NO_PATHS = ("", "/tmp/x", "../x", "a/../../x", "a/./x", "a//x", "..\\x", "C:x", "a\0b", "a\nb", "x/", ".", "a/b/c/d")
DAMAGES: dict[str, tuple[Change, str]] = {
    **{f"no {key}": (at(key)(...), key) for key in TOP},
    **{f"no {key} of a file": (entry(key)(...), key) for key in ENTRY},
    **{f"no {key} of a batch": (batch(key)(...), key) for key in ("batch", "created", "sample", "records")},
    **{f"{key} of another type": (at(key)(7), key) for key in TOP},
    **{f"{key} of a file of another type": (entry(key)([7]), key) for key in ENTRY},
    **{f"{key} of a batch of another type": (batch(key)([7]), key) for key in ("batch", "created", "sample")},
    **{f"the path {path!r}": (entry("path")(path), "path") for path in NO_PATHS},
    "the path of the manifest": (entry("path")("Manifest.json"), "path"),
    "the path of the lock": (entry("path")(".probesheets.lock"), "path"),
    "a path twice": (lambda told: told["files"].append(told["files"][3]), "path"),
    "another format": (at("format")("csv"), "was not written by probesheets"),
    "no format": (at("format")(...), "was not written by probesheets"),
    "no version": (at("format_version")(...), "format_version"),
    "the version as text": (at("format_version")("2"), "format_version"),
    "the version true": (at("format_version")(True), "format_version"),
    "a newer version": (at("format_version")(3), "newer version of probesheets"),
    "files is null": (at("files")(None), "files"),
    "files is an object": (at("files")({}), "files"),
    "a file is null": (at("files", 3)(None), "files[3]"),
    "a file is a text": (at("files", 3)("links.xlsx"), "files[3]"),
    "rows are negative": (entry("rows")(-1), "rows"),
    "rows are true": (entry("rows")(True), "rows"),
    "rows are a fraction": (entry("rows")(1.5), "rows"),
    "rows are text": (entry("rows")("7"), "rows"),
    "rows are infinite": (entry("rows")(float("inf")), "rows"),
    "records are null": (entry("records")(None), "records"),
    "a batch of 30 digits": (entry("batch")(10**30), "batch"),
    "columns are null": (entry("columns")(None), "columns"),
    "no columns at all": (entry("columns")([]), "columns"),
    "columns are numbers": (entry("columns")([1]), "columns"),
    "columns are a text": (entry("columns")("Text"), "columns"),
    "the hash is short": (entry("sha256")("0"), "sha256"),
    "the hash is null": (entry("sha256")(None), "sha256"),
    "the hash is no hash": (entry("sha256")("x" * 64), "sha256"),
    "half a character in a probe": (entry("probe")("\ud800"), "manifest.json"),
    "a batch is null": (at("batches", 0)(None), "batches[0]"),
    "a sample without its size": (batch("sample")({"per": "probe", "seed": "0"}), "sample"),
    "a sample per 7": (batch("sample")({"size": 5, "per": 7, "seed": "0"}), "per"),
    "a seed that is a number": (batch("sample")({"size": 5, "per": "probe", "seed": 0}), "seed"),
    "unwritten is a text": (at("unwritten")("links.xlsx"), "unwritten"),
    "replaced is an object": (at("replaced")({}), "replaced"),
    "a replaced file is null": (at("replaced")([None]), "replaced[0]"),
    "drawn is a text": (at("drawn")("all"), "drawn"),
    "builds is a text": (at("builds")("today"), "builds"),
    "a build is a text": (at("builds")({"x": "today"}), "builds"),
    "a build has no time": (at("builds")({"x": {}}), "builds"),
}


@pytest.mark.parametrize("case", DAMAGES)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_damaged_manifest(arguments: list[str], case: str, built_sample: Build, folder: Path) -> None:
    change, part = DAMAGES[case]
    manifest = read_manifest(folder)
    change(manifest)
    write_manifest(folder, manifest)
    check_refused(built_sample, folder, arguments, part)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", ["folder", "link", "dangling link"])
def test_a_manifest_that_is_no_file(kind: str, arguments: list[str], built_sample: Build, folder: Path) -> None:
    path = folder / "manifest.json"
    path.rename(folder.parent / "elsewhere.json")
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(folder.parent / ("elsewhere.json" if kind == "link" else "nowhere.json"))
    check_refused(built_sample, folder, arguments)


def test_further_keys_are_not_damage(built_sample: Build, folder: Path) -> None:
    """A later version may add some; this version does not keep them."""
    manifest = read_manifest(folder)
    more = {"new": 1, "unwritten": [7, [], "nowhere.xlsx"], "build": {"of": "today"}}
    write_manifest(folder, {**manifest, **more, "files": [{**file, "new": 1} for file in manifest["files"]]})
    assert command(built_sample, folder, ["verify"]).code == 0
    assert command(built_sample, folder, ["export"]).code == 0
    assert read_manifest(folder) == manifest


def test_twenty_thousand_files(built_sample: Build, folder: Path) -> None:
    manifest = read_manifest(folder)
    stored = next(file for file in manifest["files"] if file["path"].startswith("with_links/"))
    manifest["files"] += [{**stored, "path": f"with_links/{number}.xlsx"} for number in range(20_000)]
    write_manifest(folder, manifest)
    result = command(built_sample, folder, ["verify"])
    assert result.code == 1 and result.out.startswith("with_links/0.xlsx: is missing")


# --- delivered.csv

HEADER = b'"kind","batch","workbook","record_id","fingerprint"\n'
LISTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "header only": lambda data: data[: data.index(b"\n") + 1],
    "no header": lambda data: data[data.index(b"\n") + 1 :],
    "cut in a line": lambda data: data[: len(data) // 2 - 3],
    "the last line is missing": lambda data: data[: data.rstrip(b"\n").rindex(b"\n") + 1],
    "a line twice": lambda data: data + data.splitlines(keepends=True)[-1],
    "a column less": lambda data: b"\n".join(line.rpartition(b",")[0] for line in data.splitlines()),
    "a column more": lambda data: b"\n".join(line + b",1" for line in data.splitlines()),
    "other columns": lambda data: data.replace(b"fingerprint", b"finger"),
    "columns swapped": lambda data: data.replace(b"kind", b"x").replace(b"batch", b"kind").replace(b"x", b"batch"),
    "a batch that is text": lambda data: data.replace(b",1,", b",one,", 1),
    "no batch": lambda data: data.replace(b",1,", b",,", 1),
    "no fingerprint": lambda data: data.rstrip(b"\n").rpartition(b",")[0] + b",\n",
    "a fingerprint of 30 digits": lambda data: data.rstrip(b"\n") + b"0" * 30 + b"\n",
    "no UTF-8": lambda data: data.replace(b"with_links", b"with\xfflinks", 1),
    "NUL bytes": lambda data: bytes(len(data)),
    "something else": lambda data: b"PK\3\4" + bytes(range(256)) * 9,
    "a quote that does not end": lambda data: data.replace(b"\n", b'\n"', 3),
}


@pytest.mark.parametrize("case", LISTS)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("by", ["accident", "the export itself"])
def test_a_damaged_record_of_deliveries(
    by: str, arguments: list[str], case: str, built_sample: Build, folder: Path, exports: Exports
) -> None:
    """Its contents are read from the workbooks, even if the manifest has the damaged file's hash."""
    file = folder / "delivered.csv"
    damaged = LISTS[case](file.read_bytes())
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    if by == "the export itself":
        forgive(folder, file)
    result = command(built_sample, folder, arguments)
    if arguments == ["verify"]:
        assert result.code == (by == "accident") and ("delivered.csv" in result.out) == (by == "accident")
        assert file.read_bytes() == damaged
        return
    assert result.code == 0, result.err
    assert ("read from the workbooks and pages instead" in result.err) == (arguments != ["export"])
    assert sorted(file.read_bytes().splitlines()) == sorted(exports.new["delivered.csv"].splitlines())
    found = contents(folder)
    assert found.pop("delivered-edited.csv", None) == (damaged if by == "accident" else None)
    assert found.keys() == exports.new.keys()


# --- the workbooks, where delivered.csv cannot be used


def cut(length: int) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[:length])


def edited(change: Callable[[Any], object]) -> Callable[[Path], object]:
    return lambda path: edit(path, change)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    **{f"cut at {length}": cut(length) for length in (0, 1, 100, 5000, -1, -22, -60)},
    "missing": lambda path: path.unlink(),
    "no sheet": lambda path: path.write_bytes(b"PK\5\6" + bytes(18)),
    "an empty sheet": edited(lambda sheet: sheet.delete_rows(1, 100)),
    "a row less": edited(lambda sheet: sheet.delete_rows(5)),
    "a row more": edited(lambda sheet: sheet.append(["T9"])),
    "no record IDs": edited(lambda sheet: sheet.delete_cols(1)),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("arguments", [["export", "--new"], ["export", "--only", "links"]], ids=" ".join)
@pytest.mark.parametrize("by", ["accident", "the export itself"])
def test_a_workbook_whose_records_cannot_be_known(
    by: str, arguments: list[str], case: str, built_sample: Build, folder: Path
) -> None:
    """The export might deliver them twice, so it delivers nothing."""
    UNREADABLE[case](first_workbook(folder))
    (folder / "delivered.csv").unlink()
    if by == "the export itself" and case != "missing":
        forgive(folder, first_workbook(folder))
    before = everything(folder.parent)
    result = command(built_sample, folder, arguments)
    assert result.code == 1
    assert first_name(folder) in result.err and "delivered.csv" in result.err and "--out" in result.err
    assert everything(folder.parent) == before


def first_name(folder: Path) -> str:
    return next(str(file["path"]) for file in read_manifest(folder)["files"] if "with_links/masks-are" in file["path"])


@pytest.mark.parametrize("place", [1, 5, 17])
def test_a_column_that_a_reader_added_hides_no_record(
    place: int, built_sample: Build, folder: Path, exports: Exports
) -> None:
    edit(first_workbook(folder), lambda sheet: sheet.insert_cols(place))
    (folder / "delivered.csv").unlink()
    code, said = export(built_sample, NEW, folder, "--new")
    assert code == 0 and "There is nothing new" in said and "changed since delivery" not in said
    records = [line.rpartition(b",")[0] for line in (folder / "delivered.csv").read_bytes().splitlines()]
    assert sorted(records) == sorted(line.rpartition(b",")[0] for line in exports.new["delivered.csv"].splitlines())
