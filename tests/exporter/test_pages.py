"""Pages for a browser: their files, what a real Chromium shows of them, and that a hostile text stays text."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from probesheets.pages.read import read_page
from probesheets.pages.write import write_pages
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Column, Layout
from tests.browser import Browser, browser
from tests.build import Build, Source
from tests.conftest import Builder
from tests.engines import generate
from tests.engines.rules import FOLDER
from tests.exporter.command import Result, probesheets
from tests.exports import contents, delivered, export, read_manifest, write_manifest

CREATED = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
LAYOUT = Layout(
    "Texts",
    (
        Column("id", "Record ID"),
        Column("text", "Text"),
        Column("month", "Month", page="filter"),
        Column("model", "Model", page="filter"),
        Column("same", "Same as", page="record"),
        Column("probe", "Probe", page="title"),
    ),
    "text",
    pieces="pieces",
)
HEADERS = [column.header for column in LAYOUT.columns]
PNG = b"\x89PNG\r\n\x1a\n"
ELSEWHERE = "http://127.0.0.1:9/"  # where nothing listens: a request would still be seen
HOSTILE = [
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 1</script>",
    f"</div></article></main><img src={ELSEWHERE}a onerror=window.hit=1>",
    f'"><svg onload="window.hit=1"><use href="{ELSEWHERE}b"/></svg>',
    f"' onfocus='window.hit=1' autofocus tabindex=0 style='background:url({ELSEWHERE}c)",
    f"<style>@import '{ELSEWHERE}d';</style><link rel=stylesheet href={ELSEWHERE}e>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}f'><base href='{ELSEWHERE}'>",
    f"<iframe src={ELSEWHERE}g></iframe><object data={ELSEWHERE}h></object><form action={ELSEWHERE}><input>",
    "</title><script>window.hit = 1</script>",
    "</option></select><script>window.hit = 1</script>",
    "javascript:window.hit=1",
    "data:text/html,<script>window.hit=1</script>",
    "http://x.org/\" onclick=\"window.hit=1",
    "http://x.org/' onmouseover='window.hit=1",
    "{{ 7 * 7 }}{% raw %}{# #}${1+1}",
    "<!-- <![CDATA[ ]]> --> <plaintext> <textarea> <noscript> <template>",
    "&lt;script&gt; &amp;amp; &copy; &#x3c; &",
    "<output>COUNT</output>",
    "\u202eright-to-left override \u2066 isolate",
    "line\u2028paragraph\u2029next\x85\x7f",
    "  two  spaces\n\n\tand lines\n",
]  # fmt: skip


def hostile_texts(sample: Source) -> list[str]:
    """Every text of the sample, of the cases and of the generator, and HOSTILE, as far as a workbook could hold it."""
    found = [*HOSTILE, *(str(row["content"]) for row in sample.outputs)]
    for file in FOLDER.glob("*.jsonl"):
        found += strings([json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()])
    found += strings([value for name, value in vars(generate).items() if name.isupper()])
    gone = dict.fromkeys([*range(9), *range(11, 32), 0xFFFE, 0xFFFF])
    return [text for text in dict.fromkeys(text.translate(gone) for text in found) if text]


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def table(texts: list[str], stems: list[str] | None = None, **more: list[Any]) -> pa.Table:
    """Rows of LAYOUT; `more` replaces columns."""
    count = len(texts)
    columns: dict[str, list[Any]] = {"id": [f"T{number}" for number in range(1, count + 1)], "text": texts}
    columns |= {name: [None] * count for name in ("month", "model", "same", "pieces")}
    columns |= {"probe": ["A probe"] * count, **more, **({"stem": stems} if stems else {})}
    types = {name: pa.string() for name in columns}
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def write(rows: pa.Table, to: Path, cut: int = 1000, **more: Any) -> list[Written]:
    to.mkdir(exist_ok=True)
    group = "stem" if "stem" in rows.column_names else None
    batches = rows.combine_chunks().to_batches(max_chunksize=cut)
    return list(write_pages(batches, LAYOUT, to, group_by=group, default_name="all", created=CREATED, **more))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def shown(tab: Browser) -> list[str]:
    """The Record IDs of the texts that are not filtered out."""
    return list(tab.value("[...document.querySelectorAll('article')].filter(a => !a.hidden).map(a => a.id)"))


def said(tab: Browser) -> str:
    return str(tab.value("document.querySelector('output').textContent")).strip()


def search(tab: Browser, text: str) -> None:
    """Type into the search field, in place of what it has."""
    tab.value("document.querySelector('input').select()")
    tab.value("document.querySelector('input').focus()")
    tab.call("Input.insertText", text=text)


# --- files


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


# --- in the browser


def test_hostile_texts_stay_text(tab: Browser, sample: Source, tmp_path: Path) -> None:
    """Each text is also a link, a month, a model, a record that is named, and the title of a page."""
    texts = hostile_texts(sample)
    assert len(texts) > 1500
    links = [json.dumps(["see ", text, " and ", text]) for text in texts]
    rows = table(texts + ["x"] * len(texts), pieces=[None] * len(texts) + links)
    rows = rows.set_column(rows.column_names.index("model"), "model", pa.array(2 * texts))
    rows = rows.set_column(rows.column_names.index("same"), "same", pa.array(2 * texts))
    titles = table(texts[: len(HOSTILE)], [f"title-{number}" for number in range(len(HOSTILE))], probe=HOSTILE)
    assert len(write(titles, tmp_path)) == len(HOSTILE)
    for file, title, count in (
        *((tmp_path / f"title-{number}.html", title, 1) for number, title in enumerate(HOSTILE)),
        (write(rows, tmp_path)[0].path, "all", 2 * len(texts)),
    ):
        tab.requests.clear()
        tab.open(file)
        search(tab, "nothing is like that")
        assert said(tab) == f"0 of {count:,} texts"
        search(tab, "")
        assert said(tab) == f"{count:,} texts" and tab.value("document.querySelector('h1').textContent") == title
        assert (tab.requests, tab.said) == ([file.as_uri()], [])
        assert tab.value("[typeof window.hit, document.scripts.length, location.href]") == [
            "undefined",
            1,
            file.as_uri(),
        ]
        assert tab.picture().startswith(PNG)
    found = "[...document.querySelectorAll('article')].map(a => [a.querySelector('.text').textContent, "
    found += "...[...a.querySelectorAll('[data-filter=model], dd a')].map(e => e.textContent)])"
    every = [*texts, *(f"see {text} and {text}" for text in texts)]
    assert tab.value(found) == [[text, name, name] for text, name in zip(every, 2 * texts, strict=True)]
    attributes = "[...document.querySelectorAll('article, article *')].flatMap(e => e.getAttributeNames())"
    assert set(tab.value(attributes)) <= {"id", "class", "dir", "href", "target", "rel", "data-filter"}
    schemes = "[...new Set([...document.querySelectorAll('.text a')].map(a => a.protocol))].sort()"
    assert tab.value(schemes) == [":", "http:", "https:"]  # ":" is what http:/// has, which leads nowhere


def test_the_search_field_and_the_filters(tab: Browser, tmp_path: Path) -> None:
    texts = ["Un CAFÉ", "cafe\u0301 noir", "tea", "Tea\nfor two", "water"]
    months = ["March, 2020", "April, 2020", "April, 2020", "May,  2020", None]
    rows = table(texts, month=months, model=["m"] * 5, same=[None, None, None, "T3", "T99"])
    tab.open(write(rows, tmp_path)[0].path)
    before = tab.picture()
    assert said(tab) == "5 texts"
    for typed, expected in (("café", ["T1", "T2"]), ("t4", ["T4"]), ("for two", ["T4"]), (" ", shown(tab))):
        search(tab, typed)
        assert shown(tab) == expected
    search(tab, "tea")
    assert (shown(tab), said(tab)) == (["T3", "T4"], "2 of 5 texts")
    (tmp_path / "tea.png").write_bytes(tab.picture())
    assert tab.picture().startswith(PNG) and tab.picture() != before
    options = "[...document.querySelectorAll('select')].map(s => [s.hidden, ...[...s.options].map(o => o.value)])"
    assert tab.value(options) == [[False, "", "March, 2020", "April, 2020", "May,  2020"], [True, "", "m"]]
    for month, expected in (("April, 2020", ["T3"]), ("May,  2020", ["T4"]), ("", ["T3", "T4"])):
        chosen = f"(s => {{ s.value = {json.dumps(month)}; s.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
        tab.value(f"{chosen}(document.querySelector('select'))")
        assert shown(tab) == expected
    search(tab, "for two")
    tab.value("document.querySelector('#T4 dd a').click()")  # a text that is filtered out is shown again
    tab.value("new Promise(done => requestAnimationFrame(done))")
    assert (len(shown(tab)), tab.value("document.querySelector(':target').id")) == (5, "T3")
    assert tab.value("[...document.querySelectorAll('dd a')].map(a => a.getAttribute('href'))") == ["#T3", None]


def test_right_to_left_texts_are_right(tab: Browser, tmp_path: Path) -> None:
    texts = ["مرحبا بالعالم", "שלום and more\nan English line", "an English text", "\u202eturned", "123 שלום"]
    tab.open(write(table(texts, probe=["x"] * 5), tmp_path)[0].path)
    script = "[...document.querySelectorAll('.text')].map(e => getComputedStyle(e).direction)"
    assert tab.value(script) == ["rtl", "rtl", "ltr", "ltr", "rtl"]
    assert tab.value("getComputedStyle(document.querySelector('h2')).direction") == "ltr"


def test_ten_thousand_texts_stay_usable(tab: Browser, tmp_path: Path) -> None:
    [page, rest] = write(table([f"text number {number} " * 20 for number in range(10_001)]), tmp_path)
    assert (page.records, rest.records) == (10_000, 1)
    tab.open(page.path)
    rendered = "[...document.querySelectorAll('.text')].filter(e => e.checkVisibility({contentVisibilityAuto: true}))"
    assert 1 < tab.value(f"{rendered}.length") < 100
    search(tab, "number 4711 ")
    assert (shown(tab), said(tab)) == (["T4712"], "1 of 10,000 texts")


def test_a_page_is_readable_without_its_script(tab: Browser, tmp_path: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(write(table(["a text", "b"]), tmp_path)[0].path)
        tree = tab.call("DOM.getDocument", depth=-1, pierce=True)
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "a text" in json.dumps(tree) and "2 texts" in json.dumps(tree)


# --- exports


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
    assert result.code == 0 and "records were read from the workbooks instead" in result.err
    assert delivered(out) == known and "changed" not in result.err


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


def test_a_full_export_removes_the_pages_and_their_index(built_sample: Build, out: Path) -> None:
    assert export(built_sample, out).code == 0
    assert not (out / "pages").exists()
    assert verify(built_sample, out).code == 0


def test_a_manifest_with_a_format_that_does_not_exist(built_sample: Build, out: Path) -> None:
    told = read_manifest(out)
    for entry in told["files"]:
        if entry["kind"] == "pages":
            entry.pop("columns")
    write_manifest(out, told)
    assert "columns is missing" in verify(built_sample, out).out
