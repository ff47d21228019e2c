"""Plain text: a kind of format txt writes one line per record, for programs that read transcripts."""

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from probesheets.plain_text.lines import write_lines
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Column, Layout
from tests.build import Build
from tests.exporter.command import Result, probesheets
from tests.exporter.test_kinds import with_meta
from tests.exports import contents, delivered, read_manifest

LAYOUT = Layout("Lines", (Column("id", "Record ID"), Column("line", "Line")), "line")
LINES = ["Ana: Hello", "Böhm: 'Yes'\t#1", "", None, "Ana: Hello", "x" * 100_000, "=1+1", "_x0041_ &amp; <b>"]
Change = Callable[[dict[str, Any]], object]


def table(lines: list[str | None], groups: list[str] | None = None) -> pa.Table:
    ids = [f"U{number}" for number in range(1, len(lines) + 1)]
    columns = {"id": ids, "line": pa.array(lines, pa.string()), **({"debate": groups} if groups else {})}
    return pa.table(columns)


def write(rows: pa.Table, to: Path, cut: int = 1000, **more: Any) -> list[Written]:
    to.mkdir(exist_ok=True)
    group, created = "debate" if "debate" in rows.column_names else None, datetime(2024, 2, 29, tzinfo=UTC)
    batches = rows.combine_chunks().to_batches(max_chunksize=cut)
    return list(write_lines(batches, LAYOUT, to, group_by=group, default_name="all", created=created, **more))


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_a_record_is_a_line_however_the_batches_are_cut(tmp_path: Path, cut: int) -> None:
    [made] = write(table(LINES), tmp_path, cut)
    data = (tmp_path / "all.txt").read_bytes()
    assert data == "".join(f"{line or ''}\n" for line in LINES).encode()
    assert made == Written(tmp_path / "all.txt", None, 1, 8, 8, 0, 0, 0, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_each_group_has_files_of_its_own(tmp_path: Path, cut: int) -> None:
    made = write(table([*"abcdef"], ["one", *["two"] * 3, *["three"] * 2]), tmp_path, cut, suffix="-batch2")
    found = [(file.path.name, file.group, file.part, file.records, file.path.read_text("utf-8")) for file in made]
    assert found == [
        ("one-batch2.txt", "one", 1, 1, "a\n"),
        ("two-batch2.txt", "two", 1, 3, "b\nc\nd\n"),
        ("three-batch2.txt", "three", 1, 2, "e\nf\n"),
    ]
    assert write(table([]), tmp_path / "none") == [] and not [*(tmp_path / "none").iterdir()]


def test_an_error_leaves_complete_files_only(tmp_path: Path) -> None:
    # the file s.txt is complete when a record of another group follows
    for name, rows, message in (
        ("break", table(["a", "b", "b\nc"], ["s", "t", "t"]), "column line, record U3: a line of text cannot contain"),
        ("control", table(["a", "b\x0b"], ["s", "t"]), r"column line, record U2: .* cannot contain U\+000B"),
        ("name", table(["a", "b"], ["s", "../up"]), "cannot name a file"),
        ("group", table(["a", "b"], ["s", None]), "column debate, which names the files, is empty"),  # type: ignore[list-item]
    ):
        with pytest.raises(ValueError, match=message):
            write(rows, tmp_path / name, cut=1)
        assert {file.name for file in (tmp_path / name).iterdir()} <= {"s.txt"}
    with pytest.raises(FileExistsError):
        write(table([*"abc"], ["one", "two", "one"]), tmp_path / "again")
    assert (tmp_path / "again" / "one.txt").read_text("utf-8") == "a\n"


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    batch = table([f"{number:x} a line " * 20 for number in range(2000)]).to_batches()[0]

    def held(batches: int) -> int:
        seen = []

        def source() -> Iterator[pa.RecordBatch]:
            for _ in range(batches):
                seen.append(pa.total_allocated_bytes() + tracemalloc.get_traced_memory()[0])
                yield batch

        made = write_lines(
            source(), LAYOUT, tmp_path, group_by=None, default_name=f"{batches}", created=datetime.now(UTC)
        )
        assert [file.records for file in made] == [2000 * batches]
        return int(max(seen) - seen[0])

    tracemalloc.start()
    try:
        assert held(16) < 1.5 * held(4)
    finally:
        tracemalloc.stop()


# --- exports: the hosts of the sample's links as lines, many of them equal, in an order in which new ones mix with old


def as_lines(meta: dict[str, Any]) -> None:
    meta.update(format="txt", file="hosts", long_text="host", order_by=["host", "text_id", "link_number"])


def by_probe(meta: dict[str, Any]) -> None:
    meta.update(format="txt", long_text="date_match")


Run = Callable[..., Result]


@pytest.fixture
def runs(built_sample: Build, earlier: Build, tmp_path: Path) -> Callable[..., Run]:
    """runs(kind, change): a function that runs commands with a sample whose kind is changed so."""

    def get(kind: str, change: Change, build: Build = built_sample) -> Run:
        folder = tmp_path / f"{build.folder.name}-{change.__name__}"
        folder.mkdir()
        environment = with_meta(build, folder, kind, change)

        def run(command: str, *arguments: str) -> Result:
            place = [str(tmp_path / "out")] if command == "verify" else ["--out", str(tmp_path / "out")]
            return probesheets(build.folder, environment, command, *place, *arguments)

        return run

    return get


def lines(build: Build) -> list[tuple[str, str]]:
    """Record ID and host of the links in the order of `as_lines`."""
    rows = build.rows("links", ["host", "text_id", "link_number", "record_id"])
    return [(record, host or "") for host, *_, record in sorted(rows, key=lambda row: (row[0] is None, *row))]


def test_a_kind_of_lines(runs: Callable[..., Run], built_sample: Build, tmp_path: Path) -> None:
    run, out = runs("links", as_lines), tmp_path / "out"
    assert run("export").code == 0
    expected = lines(built_sample)
    assert len({host for _, host in expected}) < len(expected) > 40
    assert (out / "hosts.txt").read_bytes() == "".join(f"{host}\n" for _, host in expected).encode()
    assert not (out / "links.xlsx").exists() and (out / "left_out.xlsx").exists()
    [entry] = [entry for entry in read_manifest(out)["files"] if entry["kind"] == "links"]
    assert (entry["path"], entry["columns"]) == ("hosts.txt", ["Record ID", "Host"])
    assert entry["rows"] == entry["records"] == len(expected)
    assert {row[3] for row in delivered(out) if row[0] == "links"} == {record for record, _ in expected}
    for arguments in ([], ["--target", "duckdb"]):
        assert run("verify", *arguments).code == 0
    before = contents(out)
    assert run("export").code == 0  # the same again, without one more file
    assert contents(out).keys() == before.keys() and (out / "hosts.txt").read_bytes() == before["hosts.txt"]
    (out / "hosts.txt").write_text("mine\n", encoding="utf-8")
    result = run("export", "--only", "links")
    assert result.code == 1 and "hosts.txt: changed after it was exported" in result.err


def test_verify_finds_each_difference(runs: Callable[..., Run], built_sample: Build, tmp_path: Path) -> None:
    run, file = runs("links", as_lines), tmp_path / "out" / "hosts.txt"
    assert run("export", "--only", "links").code == 0
    (record, host), count, text = lines(built_sample)[4], len(lines(built_sample)), file.read_text("utf-8")
    some = text.splitlines(keepends=True)
    for changed, by_manifest, by_database in (
        (
            [*some[:4], "other.example\n", *some[5:]],
            "was changed after",
            f"record {record}, Host: 'other.example'",
        ),
        ([*some[:4], f"{host} \n", *some[5:]], "was changed after", f"; the database has '{host}'."),
        ([*some[:4], *some[5:]], f"has {count - 1} records; the manifest says {count}.", None),
        ([*some, "more\n"], f"has {count + 1} records; the manifest says {count}.", None),
        ([text.replace("\n", "\r\n")], "was changed after", "\\r'; the database has"),
    ):
        file.write_text("".join(changed), encoding="utf-8", newline="")
        result = run("verify")
        assert result.code == 1 and result.out.startswith(f"hosts.txt: {by_manifest}"), result.out
        compared = run("verify", "--target", "duckdb")
        assert compared.code == 1 and compared.out.startswith(result.out)
        # of lines that moved, no more is said than their number
        assert by_database in compared.out if by_database else compared.out == result.out
    file.unlink()
    assert "hosts.txt: is missing." in run("verify").out


def test_a_batch_of_new_lines(runs: Callable[..., Run], earlier: Build, built_sample: Build, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert runs("links", as_lines, earlier)("export").code == 0
    first = (out / "hosts.txt").read_bytes()
    old, run = {record for record, _ in lines(earlier)}, runs("links", as_lines)
    result = run("export", "--new")
    assert result.code == 0, result.err
    new = [(record, host) for record, host in lines(built_sample) if record not in old]
    places = [record in old for record, _ in lines(built_sample)]
    assert new and places != sorted(places, reverse=True)  # they are not the last
    assert {host for _, host in new} & {host for _, host in lines(earlier)}
    assert (out / "hosts-batch2.txt").read_text("utf-8") == "".join(f"{host}\n" for _, host in new)
    assert (out / "hosts.txt").read_bytes() == first
    said = [line for line in run("verify", "--target", "duckdb").out.splitlines() if line.startswith("hosts")]
    gone = old - {record for record, _ in lines(built_sample)}
    assert len(said) == len(gone)  # nothing else differs
    assert "There is nothing new" in run("export", "--new").err


def test_a_sample_of_lines(runs: Callable[..., Run], built_sample: Build, tmp_path: Path) -> None:
    run, out = runs("links", as_lines), tmp_path / "out"
    assert run("export", "--only", "links", "--sample", "5").code == 0
    assert 0 < (drawn := len((out / "hosts.txt").read_bytes().splitlines())) < len(lines(built_sample))
    assert run("verify", "--target", "duckdb").code == 0
    assert run("export", "--only", "links", "--new").code == 0
    assert len((out / "hosts-batch2.txt").read_bytes().splitlines()) == len(lines(built_sample)) - drawn
    assert run("verify", "--target", "duckdb").code == 0


def test_lost_record_ids(runs: Callable[..., Run], tmp_path: Path) -> None:
    """Only delivered.csv knows the records of lines: without it, no export continues them, but a whole one does."""
    run, out = runs("links", as_lines), tmp_path / "out"
    assert run("export").code == 0
    known = delivered(out)
    (out / "delivered.csv").unlink()
    before = contents(out)
    for arguments in (["--new"], ["--only", "left_out"]):
        result = run("export", *arguments)
        assert result.code == 1 and "only 0 of " in result.err and "hosts.txt" in result.err
        assert "Restore delivered.csv, or choose another folder" in result.err and contents(out) == before
    said = run("verify", "--target", "duckdb").out.splitlines()
    assert "delivered.csv: is missing." in said
    assert any(
        line.startswith("hosts.txt, row 1: is not in delivered.csv; the database has record T") for line in said
    ), said
    assert run("export").code == 0 and delivered(out) == known
    assert run("verify", "--target", "duckdb").code == 0


def test_one_file_of_lines_per_probe(runs: Callable[..., Run], built_sample: Build, tmp_path: Path) -> None:
    run, out = runs("with_links", by_probe), tmp_path / "out"
    assert run("export", "--only", "with_links", "--probe", "Masks are").code == 0
    [file] = (out / "with_links").iterdir()
    rows = built_sample.rows("texts", ["file_stem", "date", "text_id", "date_match"])
    of = sorted((date is None, date, number, match) for stem, date, number, match in rows if stem == file.stem)
    assert file.suffix == ".txt" and file.read_text("utf-8").splitlines() == [match for *_, match in of]
    assert run("export", "--only", "with_links").code == 0
    assert {one.stem for one in (out / "with_links").iterdir()} == {row[0] for row in rows}
    assert run("verify", "--target", "duckdb").code == 0


def test_a_file_with_another_name_replaces_the_earlier_one(runs: Callable[..., Run], tmp_path: Path) -> None:
    def renamed(meta: dict[str, Any]) -> None:
        as_lines(meta)
        meta.update(file="renamed")

    assert runs("links", as_lines)("export", "--only", "links").code == 0
    lines_before = (tmp_path / "out" / "hosts.txt").read_bytes()
    run = runs("links", renamed)
    result = run("export", "--only", "links")
    assert result.code == 0 and "Removed 1 file that this export does not write: hosts.txt" in result.err
    assert {name for name in contents(tmp_path / "out") if name.endswith(".txt")} == {"renamed.txt"}
    assert (tmp_path / "out" / "renamed.txt").read_bytes() == lines_before
    assert run("verify", "--target", "duckdb").code == 0


def test_a_text_of_several_lines_is_refused(runs: Callable[..., Run], built_sample: Build, tmp_path: Path) -> None:
    broken = {record for record, text in built_sample.rows("texts", ["record_id", "text"]) if "\n" in text}

    def texts(meta: dict[str, Any]) -> None:
        meta.update(format="txt")

    result = runs("all_texts", texts)("export", "--only", "all_texts")
    assert broken and result.code == 1
    assert any(f"column text, record {record}: a line of text" in result.err for record in broken), result.err
    assert not [*(tmp_path / "out").rglob("*.*")]


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"format": "txt"}, ["format txt needs long_text"]),
        ({"format": "txt", "long_text": "hosts"}, ["long_text 'hosts' must be one of the columns"]),
        ({"file": "a/b"}, ["Exposure links", "'a/b' cannot name a file"]),
        ({"file": "Index"}, ["Exposure links", "every export writes an index.xlsx"]),
        ({"file": "All_Texts"}, ["all_texts and links would both write All_Texts.xlsx"]),
        ({"file": "x", "one_file_per": "host"}, ["Exposure links", "Remove file or one_file_per"]),
    ],
)
def test_wrong_files_are_named(
    change: dict[str, Any], parts: list[str], runs: Callable[..., Run], tmp_path: Path
) -> None:
    def changed(meta: dict[str, Any]) -> None:
        meta.update(change)

    result = runs("links", changed)("export", "--only", "links")
    assert result.code == 1 and all(part in result.err for part in parts), result.err
    assert not [*(tmp_path / "out").rglob("*.*")]


def test_the_same_name_with_another_ending(runs: Callable[..., Run], tmp_path: Path) -> None:
    def beside(meta: dict[str, Any]) -> None:
        meta.update(format="txt", file="left_out", long_text="host")

    assert runs("links", beside)("export").code == 0
    assert {"left_out.txt", "left_out.xlsx"} <= contents(tmp_path / "out").keys()
