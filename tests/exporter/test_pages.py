"""Pages for a browser: their files, their links, and their place in an export."""

import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from probesheets.pages.read import read_page
from probesheets.pages.write import write_pages
from probesheets.workbooks.layout import Column, Layout
from tests.browser import Browser
from tests.build import Build, Source
from tests.conftest import Builder
from tests.exporter.command import Result, probesheets
from tests.exporter.page_rows import CREATED, HEADERS, LAYOUT, table, write
from tests.exports import contents, delivered, export, read_manifest, records, write_manifest


@pytest.mark.parametrize("cut", [1, 2, 3, 100])
def test_each_group_is_a_page_in_parts_however_the_batches_are_cut(tmp_path: Path, cut: int) -> None:
    stems = ["one"] + ["two"] * 7 + ["three"] * 2
    made = write(table([*"abcdefghij"], stems), tmp_path / "cut", cut=cut, max_rows=3, suffix="-batch2")
    assert [(page.path.name, page.group, page.part, page.rows, page.records) for page in made] == [
        ("one-batch2.html", "one", 1, 1, 1),
        ("two-batch2.html", "two", 1, 3, 3),
        ("two-batch2-part2.html", "two", 2, 3, 3),
        ("two-batch2-part3.html", "two", 3, 1, 1),
        ("three-batch2.html", "three", 1, 2, 2),
    ]
    texts = [row[1] for page in made for row in read_page(page.path, HEADERS)]
    assert texts == [*"abcdefghij"]
    whole = write(table([*"abcdefghij"], stems), tmp_path / "whole", max_rows=3, suffix="-batch2")
    assert [page.sha256 for page in made] == [page.sha256 for page in whole]
    assert [page.path.read_bytes() for page in made] == [page.path.read_bytes() for page in whole]


def test_parts_lead_to_each_other(tmp_path: Path, tab: Browser) -> None:
    write(table([*"abcde"], ["s s"] * 5), tmp_path, max_rows=2)
    links = "[...document.querySelectorAll('header a, footer a')].map(a => decodeURI(a.href).split('/').pop())"
    for name, expected in (
        ("s s.html", ["index.html", "s s-part2.html"]),
        ("s s-part2.html", ["index.html", "s s.html", "s s-part3.html"]),
        ("s s-part3.html", ["index.html", "s s-part2.html"]),
    ):
        tab.open(tmp_path / name)
        assert tab.value(links) == expected


def test_what_cannot_be_a_page_is_an_error_and_leaves_complete_pages_only(tmp_path: Path) -> None:
    for name, rows, message in (
        ("control", table(["a", "b\x0b"], ["s", "t"]), r"column text, record T2: a workbook cannot contain U\+000B"),
        ("column", table(["a"]).drop_columns(["model"]), "no column model; the columns are id"),
        ("name", table(["a"], ["../up"]), "cannot name a file"),
        ("index", table(["a", "b"], ["s", "Index"]), "'Index' cannot name a page: index.html is the index"),
        ("group", table(["a", "b"], ["s", None]), "column stem, which names the files, is empty"),  # type: ignore[list-item]
    ):
        with pytest.raises(ValueError, match=message):
            write(rows, tmp_path / name, cut=1)
        assert {file.name for file in (tmp_path / name).iterdir()} <= {"s.html"}
        assert not (tmp_path / "up.html").exists()
    with pytest.raises(FileExistsError):
        write(table([*"abc"], ["a", "b", "a"]), tmp_path)
    assert write(table([]), tmp_path) == [] and not (tmp_path / "all.html").exists()


def test_a_kind_without_long_text_has_every_value(tmp_path: Path) -> None:
    layout = Layout("Rows", tuple(Column(name, name.upper()) for name in ("key", "day", "count", "truth", "nothing")))
    days = [date(1850, 1, 2), None]
    rows = {"key": [7, 8], "day": days, "count": [2**60, None], "truth": [True, False], "nothing": ["", None]}
    made = write_pages(
        pa.table(rows).to_batches(), layout, tmp_path, group_by=None, default_name="rows", created=CREATED
    )
    assert [page.path.name for page in made] == ["rows.html"]
    found = list(read_page(tmp_path / "rows.html", [column.header for column in layout.columns]))
    assert found == [["7", "1850-01-02", str(2**60), "TRUE", ""], ["8", "", "", "FALSE", ""]]


def test_a_failing_source_leaves_only_complete_pages(tmp_path: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from table([*"abc"], ["a", "b", "b"]).to_batches()
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        list(write_pages(batches(), LAYOUT, tmp_path, group_by="stem", default_name="x", created=CREATED))
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_memory_does_not_grow_with_the_texts_of_a_page(tmp_path: Path) -> None:
    batch = table([f"{n * n * n:x} text " * 9 for n in range(500)]).to_batches()[0]

    def held(batches: int) -> int:
        seen = []

        def source() -> Iterator[pa.RecordBatch]:
            for _ in range(batches):
                seen.append(pa.total_allocated_bytes() + tracemalloc.get_traced_memory()[0])
                yield batch

        made = write_pages(source(), LAYOUT, tmp_path, group_by=None, default_name=f"{batches}", created=CREATED)
        assert [page.records for page in made] == [500 * batches]
        return int(max(seen) - seen[0])

    tracemalloc.start()
    try:
        assert held(16) < 1.5 * held(4)
    finally:
        tracemalloc.stop()


@pytest.fixture
def out(built_sample: Build, tmp_path: Path) -> Path:
    assert export(built_sample, tmp_path / "out", "--only", "pages").code == 0
    return tmp_path / "out"


def verify(build: Build, out: Path, *arguments: str) -> Result:
    return probesheets(build.folder, build.environment, "verify", str(out), *arguments)


def read_ids(out: Path, pattern: str) -> list[str]:
    files = [file for file in sorted(out.glob(pattern)) if file.name != "index.html"]
    return [record for file in files for [record] in read_page(file, ["Record ID"])]


def test_links_that_open_are_those_of_the_model(built: Builder, rules: Source, tab: Browser, tmp_path: Path) -> None:
    build = built("duckdb", rules)
    assert export(build, tmp_path, "--only", "pages").code == 0
    expected: dict[str, list[str]] = {}
    for record, _, url in sorted(build.rows("links", ["text_record_id", "link_number", "url"])):
        if url.lower().startswith(("http://", "https://")) and not url.endswith("…"):
            expected.setdefault(record, []).append(url)
    found: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    script = "[...document.querySelectorAll('article')].map(a => [a.id, a.querySelector('.text').textContent, "
    script += "[...a.querySelectorAll('.text a')].map(l => [l.textContent, l.getAttribute('href')])])"
    for file in sorted(tmp_path.glob("pages/*-*.html")):
        tab.open(file)
        for record, text, links in tab.value(script):
            texts[record] = text
            if links:
                assert all(link == href for link, href in links)
                found[record] = [link for link, _ in links]
    assert found == expected and len(expected) > 100
    assert texts == dict(build.rows("texts", ["record_id", "text"]))


def test_every_engine_writes_the_same_pages(server_engine: str, built: Builder, rules: Source, tmp_path: Path) -> None:
    written = []
    for engine in ("duckdb", server_engine):
        arguments = ["export", "--target", engine, "--only", "pages", "--out", str(tmp_path / engine)]
        result = built(engine, rules).probesheets(*arguments)
        assert result.returncode == 0, result.stderr
        written.append({name: data for name, data in contents(tmp_path / engine).items() if name.endswith(".html")})
    assert written[0] == written[1] and len(written[0]) > 20
    arguments = ["verify", str(tmp_path / server_engine), "--target", server_engine]
    assert built(server_engine, rules).probesheets(*arguments).returncode == 0


def test_the_index_leads_to_every_page(out: Path, built_sample: Build, tab: Browser) -> None:
    tab.requests.clear()
    tab.open(out / "pages" / "index.html")
    rows = tab.value("[...document.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))")
    probes = built_sample.rows("probes", ["probe", "text_count", "first_date", "last_date"])
    expected = [[p, f"{n:,}", str(first or ""), str(last or "")] for p, n, first, last in probes]
    assert sorted(row[1:] for row in rows) == sorted(row[1:] for row in expected)
    assert {row[0] for row in rows} == {row[0].strip() for row in expected}
    counts = [int(row[1]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    links = tab.value("[...document.querySelectorAll('a')].map(a => decodeURI(a.href).split('/').pop())")
    assert sorted(links) == sorted(file.name for file in out.glob("pages/*-*.html"))
    assert (tab.requests, tab.said) == ([(out / "pages" / "index.html").as_uri()], [])


def test_pages_are_in_the_manifest_and_verified(out: Path, built_sample: Build) -> None:
    entries = {entry["path"]: entry for entry in read_manifest(out)["files"]}
    assert "columns" not in entries["pages/index.html"]
    page = next(name for name in entries if name.startswith("pages/masks-are-9"))
    assert (entries[page]["rows"], entries[page]["records"], entries[page]["kind"]) == (78, 78, "pages")
    for arguments in ([], ["--target", "duckdb"]):
        result = verify(built_sample, out, *arguments)
        assert (result.code, result.err) == (0, ""), result.out
    text = (out / page).read_text("utf-8")
    for name, old, new, by_manifest, by_database in (
        (page, "knotted into a rope", "cut into a rope", "was changed after", ", record T120, Text: 'cut into a rope"),
        (page, ">2020-03-08<", ">2020-03-09<", "was changed after", ", record T120, Date: '2020-03-09'; the database"),
        (page, '<article id="T120">', "<div>", "has 77 records; the manifest says 78", "the database has record T120"),
        ("pages/index.html", "Masks", "Tasks", "was changed after", ""),
    ):
        before = (out / name).read_text("utf-8")
        assert old in before
        (out / name).write_text(before.replace(old, new, 1), encoding="utf-8", newline="")
        result = verify(built_sample, out)
        assert result.code == 1 and result.out.startswith(f"{name}: ") and by_manifest in result.out
        assert by_database in verify(built_sample, out, "--target", "duckdb").out
        (out / name).write_text(before, encoding="utf-8", newline="")
    (out / page).unlink()
    assert f"{page}: is missing." in verify(built_sample, out).out and text


def test_a_batch_of_new_texts_and_a_sample(built_sample: Build, tmp_path: Path) -> None:
    out, kind = tmp_path / "out", ["--only", "pages"]
    assert export(built_sample, out, *kind, "--sample", "5").code == 0
    first = read_ids(out, "pages/*.html")
    assert export(built_sample, out, *kind, "--new").code == 0
    every = read_ids(out, "pages/*.html")
    assert 9 < len(first) <= 9 * 5
    assert sorted(every) == sorted(row[0] for row in built_sample.rows("texts", ["record_id"]))
    index = (out / "pages" / "index.html").read_text("utf-8")
    assert all(file.name in index for file in out.glob("pages/*-batch2.html")) and ">batch 2</a>" in index
    assert verify(built_sample, out, "--target", "duckdb").code == 0
    known = delivered(out)
    (out / "delivered.csv").unlink()
    result = export(built_sample, out, *kind, "--new")
    assert result.code == 0 and "records read from the workbooks and pages instead" in result.err
    assert delivered(out) == known and "changed" not in result.err


def test_new_texts_come_in_one_batch_of_all_kinds_that_the_folder_has(built_sample: Build, tmp_path: Path) -> None:
    for only in ("with_links", "pages"):
        assert export(built_sample, tmp_path, "--only", only, "--sample", "2").code == 0
    done = export(built_sample, tmp_path, "--new")
    assert done.code == 0 and "Wrote batch 2: " in done.err, done.err
    assert read_ids(tmp_path, "pages/*-batch2.html") == records(tmp_path, "with_links/*-batch2.xlsx")


def test_an_index_of_somebody_else_is_kept(built_sample: Build, out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "pages").mkdir(parents=True)
    (other / "pages" / "index.html").write_text("mine", encoding="utf-8")
    result = export(built_sample, other, "--only", "pages")
    assert result.code == 1 and "pages/index.html: not written by probesheets" in result.err
    assert contents(other) == {"pages/index.html": b"mine"}
    (out / "pages" / "index.html").write_text("changed", encoding="utf-8")
    result = export(built_sample, out, "--only", "pages")
    assert result.code == 0 and "It was renamed to pages/index-edited.html" in result.err
    assert (out / "pages" / "index-edited.html").read_text("utf-8") == "changed"


def test_a_full_export_writes_the_pages_and_their_index_again(built_sample: Build, out: Path) -> None:
    before = {name: data for name, data in contents(out).items() if name.startswith("pages/")}
    assert export(built_sample, out).code == 0
    assert before == {name: data for name, data in contents(out).items() if name.startswith("pages/")}
    assert verify(built_sample, out).code == 0


def test_only_the_index_of_pages_has_no_columns(built_sample: Build, out: Path) -> None:
    told = read_manifest(out)
    for entry in told["files"]:
        if entry["kind"] == "pages":
            entry.pop("columns")
    write_manifest(out, told)
    assert "columns is missing" in verify(built_sample, out).out
