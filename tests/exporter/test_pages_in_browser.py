"""What a real Chromium shows of a page: a hostile text stays text, and 10,000 texts can be searched."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.browser import Browser
from tests.build import Source
from tests.engines import generate
from tests.engines.rules import FOLDER
from tests.exporter.page_rows import said, search, shown, table, write

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
        counted = "1 text" if count == 1 else f"{count:,} texts"
        assert said(tab) == f"No matches in {counted}"
        search(tab, "")
        assert said(tab) == counted and tab.value("document.querySelector('h1').textContent") == title
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


def test_a_search_marks_what_it_found_and_scrolls_to_the_first_hit(tab: Browser, tmp_path: Path) -> None:
    long = "".join(f"line {number}\n" for number in range(400))
    rows = table([f"{long}Amber {long}", "amber, AMBER and İ amber", "none"])
    tab.open(write(rows, tmp_path)[0].path)
    search(tab, "amber")
    marked = "[...(CSS.highlights.get('hit') ?? [])].map(r => [r.startContainer.parentElement.closest('article').id, "
    marked += "r.toString()])"
    assert tab.value(marked) == [["T1", "Amber"], ["T2", "amber"], ["T2", "AMBER"], ["T2", "amber"]]
    visible = "[...CSS.highlights.get('hit')].map(r => r.getBoundingClientRect()).filter(r => "
    visible += "r.top >= document.querySelector('header').offsetHeight && r.bottom <= innerHeight).length"
    assert tab.value(visible) >= 1
    search(tab, "")
    assert tab.value(marked) == []


def test_marks_in_either_form_and_not_too_many(tab: Browser, tmp_path: Path) -> None:
    tab.open(write(table(["caf\u00e9 and cafe\u0301", "a" * 150_000, "a (b) [c]"]), tmp_path)[0].path)
    for typed, expected in (("Cafe\u0301", 2), ("a", 1000), ("(b) [c", 1), ("x", 0)):
        search(tab, typed)
        assert tab.value("CSS.highlights.get('hit').size") == expected, typed
    assert tab.said == []


def test_a_search_for_a_record_stays_with_it(tab: Browser, tmp_path: Path) -> None:
    """A later text that contains the ID does not draw the reader away."""
    tab.open(write(table(["line\n" * 200, "see T1\n" * 200]), tmp_path)[0].path)
    search(tab, "T1")
    assert (shown(tab), tab.value("scrollY")) == (["T1", "T2"], 0)


def test_a_record_that_is_opened_is_below_the_header_of_a_long_probe(tab: Browser, tmp_path: Path) -> None:
    texts = [f"text {number}\n" * 9 for number in range(50)]
    file = write(table(texts, ["a"] * 50, probe=["word " * 400] * 50), tmp_path)[0].path
    tab.call("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1, mobile=False)
    tab.open(file)
    tab.value("location.hash = '#T20'")
    assert -1 < below_the_header(tab, "#T20") < 40
    tab.call("Emulation.clearDeviceMetricsOverride")
    tab.open(file.rename(tmp_path / "b.html"), "#T30")
    assert -1 < below_the_header(tab, "#T30") < 40


def below_the_header(tab: Browser, element: str) -> float:
    tab.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    rectangle = "document.querySelector('{}').getBoundingClientRect().{}"
    top, height = (tab.value(rectangle.format(*what)) for what in ((element, "top"), ("header", "height")))
    return float(top) - float(height)


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
