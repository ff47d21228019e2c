"""`export --sample`: which texts are drawn, on every engine, and what the folder says about them."""

import hashlib
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.export.sampling import divide
from tests.build import Build, Source
from tests.conftest import Builder
from tests.exports import contents, export, read_manifest, sheet


def expected(
    build: Build, size: int, seed: str, month: bool = False, delivered: frozenset[str] = frozenset()
) -> set[str]:
    """By the rule: of each probe's texts that are not duplicates, those with the smallest SHA-256 of seed:text_id."""
    columns = ["record_id", "text_id", "file_stem", "month", "duplicate_of"]
    groups: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    for record, text_id, stem, name, duplicate_of in build.rows("texts", columns):
        if duplicate_of is None and record not in delivered:
            digest = hashlib.sha256(f"{seed}:{text_id}".encode()).hexdigest()
            groups[stem, name if month else ""].append((digest, record))
    return {record for group in groups.values() for _, record in sorted(group)[:size]}


def drawn(out: Path, pattern: str = "with_links/*.xlsx") -> set[str]:
    return {row[0] for file in out.glob(pattern) for row in sheet(file)[1:] if "-" not in row[0]}


def test_so_many_texts_of_every_probe(built_sample: Build, tmp_path: Path) -> None:
    result = export(built_sample, tmp_path, "--sample", "10", "--seed", "red")
    assert result.code == 0 and "10 texts of every probe, seed red" in result.err
    assert drawn(tmp_path) == drawn(tmp_path, "without_links/*.xlsx") == expected(built_sample, 10, "red")
    assert not (tmp_path / "left_out.xlsx").exists()
    links = {row[0] for row in built_sample.rows("links", ["record_id"]) if row[0].split("-")[0] in drawn(tmp_path)}
    assert {row[0] for row in sheet(tmp_path / "links.xlsx")[1:]} == links != set()


def test_so_many_of_every_probe_and_month(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "2", "--per", "month")
    assert drawn(tmp_path) == expected(built_sample, 2, "0", month=True)
    assert drawn(tmp_path) != expected(built_sample, 2, "0")


def test_duplicates_are_not_drawn(built_sample: Build, tmp_path: Path) -> None:
    repeated = {row[0] for row in built_sample.rows("texts", ["record_id", "duplicate_of"]) if row[1]}
    export(built_sample, tmp_path, "--sample", "1000")
    assert repeated and drawn(tmp_path) == {row[0] for row in built_sample.rows("texts", ["record_id"])} - repeated


def test_a_smaller_sample_is_part_of_a_larger_one(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "5")
    small = drawn(tmp_path)
    assert export(built_sample, tmp_path, "--sample", "9").code == 0  # it takes the smaller one's place
    assert small < drawn(tmp_path)
    assert export(built_sample, tmp_path, "--sample", "5", "--seed", "1").code == 0
    assert drawn(tmp_path) != small and len(drawn(tmp_path)) == len(small)


def test_the_same_texts_on_every_engine(built: Builder, sample: Source, engine: str, tmp_path: Path) -> None:
    build = built(engine, sample)
    result = build.probesheets("export", "--target", engine, "--sample", "7", "--out", str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr
    assert drawn(tmp_path / "out") == expected(built("duckdb", sample), 7, "0")


def test_with_new_it_is_the_next_texts(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "6")
    first = frozenset(drawn(tmp_path))
    assert export(built_sample, tmp_path, "--sample", "4", "--new").code == 0
    second = drawn(tmp_path, "with_links/*-batch2.xlsx")
    assert second == expected(built_sample, 4, "0", delivered=first) and not second & first
    assert first | second == expected(built_sample, 10, "0")
    export(built_sample, tmp_path, "--new")  # and all the others
    assert drawn(tmp_path) == {row[0] for row in built_sample.rows("texts", ["record_id"])}


def test_manifest_and_index_say_what_was_drawn(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "6", "--seed", "red")
    export(built_sample, tmp_path, "--sample", "4", "--seed", "red", "--new")
    told = read_manifest(tmp_path)
    assert [batch["sample"] for batch in told["batches"]] == [
        {"size": 6, "per": "probe", "seed": "red"},
        {"size": 4, "per": "probe", "seed": "red"},
    ]
    texts = {probe["probe"]: (probe["drawn"], probe["texts"]) for probe in told["drawn"]}
    assert texts["Masks are"] == (10, 78) and sum(count for count, _ in texts.values()) == len(drawn(tmp_path))
    book = openpyxl.load_workbook(tmp_path / "index.xlsx")
    rows = [[cell.value for cell in row] for row in book["Probes"].iter_rows()]
    at = rows[0].index("Drawn")
    assert rows[0][at + 1] == "Share drawn"
    probe, count = rows[0].index("Probe"), rows[0].index("Texts")
    assert {row[probe]: (row[at], row[count]) for row in rows[1:]} == texts
    masks = next(row for row in rows if row[0] == "Masks are")
    assert masks[at + 1] == pytest.approx(10 / 78)
    facts = {row[0].value: row[1].value for row in book["Overview"].iter_rows(max_col=2)}
    assert facts["Sample, batch 2"] == "4 texts of every probe, seed red"
    assert facts["Share drawn"].startswith(f"{len(drawn(tmp_path))} of {told['totals']['texts']} texts")


def test_all_texts_and_a_sample_are_not_mixed(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path / "all")
    export(built_sample, tmp_path / "some", "--sample", "3")
    for folder, arguments in (
        ("all", ["--sample", "3"]),
        ("all", ["--sample", "3", "--only", "links"]),
        ("some", []),
        ("some", ["--probe", "Masks are"]),
        ("some", ["--probe", "Masks are", "--sample", "4"]),
    ):
        before = contents(tmp_path / folder)
        result = export(built_sample, tmp_path / folder, *arguments)
        assert result.code == 1 and "--new" in result.err and "--out" in result.err, arguments
        assert contents(tmp_path / folder) == before
    assert export(built_sample, tmp_path / "some", "--sample", "3", "--only", "qualcoder").code == 0
    assert drawn(tmp_path / "some") == drawn(tmp_path / "some", "qualcoder/*.xlsx")


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--sample", "0"], 2, "--sample"),
        (["--seed", "7"], 1, "--per and --seed need a sample"),
        (["--sample", "5", "--per", "week"], 1, "Valid: probe, month"),
        (["--sample", "5", "--only", "left_out"], 1, "left_out has no column text_id"),
    ],
)
def test_wrong_arguments(built_sample: Build, tmp_path: Path, arguments: list[str], code: int, part: str) -> None:
    result = export(built_sample, tmp_path / "x", *arguments)
    assert result.code == code and part in result.err


def test_a_sample_says_its_total_before_it_writes(built_sample: Build, tmp_path: Path) -> None:
    said = export(built_sample, tmp_path, "--sample", "3").err
    count = len(expected(built_sample, 3, "0"))
    assert said.index(f"3 texts of every probe, seed 0. This draws {count} texts in all.") < said.index("Wrote ")


SIZES = {("a", ""): 60, ("b", ""): 30, ("c", ""): 10}


def test_a_total_is_divided_in_proportion_and_nobody_gets_nothing() -> None:
    assert list(divide(SIZES, 10).values()) == [6, 3, 1]
    assert list(divide({**SIZES, ("d", ""): 1}, 10).values()) == [5, 3, 1, 1]
    assert list(divide(SIZES, 3).values()) == [1, 1, 1]
    assert list(divide(SIZES, 1000).values()) == [60, 30, 10]
    with pytest.raises(ProbesheetsError, match="Give at least 3"):
        divide(SIZES, 2)


def test_a_smaller_total_is_part_of_a_larger_one() -> None:
    shares = [divide(SIZES, total) for total in range(3, 101)]
    for smaller, larger in pairwise(shares):
        more = [larger[group] - smaller[group] for group in SIZES]
        assert min(more) == 0 and sum(more) == 1


def test_so_many_texts_in_all(built_sample: Build, tmp_path: Path) -> None:
    done = export(built_sample, tmp_path / "50", "--sample-total", "50", "--seed", "red")
    assert done.code == 0 and "50 texts in all, at least 1 of every probe, seed red" in done.err, done.err
    export(built_sample, tmp_path / "90", "--sample-total", "90", "--seed", "red")
    small, large = drawn(tmp_path / "50"), drawn(tmp_path / "90")
    assert (len(small), len(large)) == (50, 90) and small < large
    assert all(len(sheet(file)) > 1 for file in (tmp_path / "50").glob("with_links/*.xlsx"))
    assert len(list((tmp_path / "50").glob("with_links/*.xlsx"))) == len(built_sample.rows("probes", ["probe"]))
    assert export(built_sample, tmp_path / "50", "--sample-total", "90", "--seed", "red").code == 0
    assert drawn(tmp_path / "50") == large
    new = export(built_sample, tmp_path / "50", "--sample-total", "30", "--new", "--seed", "red")
    assert new.code == 0 and len(drawn(tmp_path / "50", "with_links/*-batch2.xlsx")) == 30
    assert not drawn(tmp_path / "50", "with_links/*-batch2.xlsx") & large


def test_a_total_per_month(built_sample: Build, tmp_path: Path) -> None:
    done = export(built_sample, tmp_path / "few", "--sample-total", "9", "--per", "month")
    needed = len(expected(built_sample, 1, "0", month=True))
    assert done.code == 1 and f"Give at least {needed}." in done.err and not (tmp_path / "few").exists()
    export(built_sample, tmp_path / "some", "--sample-total", str(needed), "--per", "month")
    assert drawn(tmp_path / "some") == expected(built_sample, 1, "0", month=True)


def test_a_sample_in_one_workbook_counts_in_the_index(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "2", "--only", "all_texts")
    assert {row[0] for row in sheet(tmp_path / "all_texts.xlsx")[1:]} == expected(built_sample, 2, "0")
    assert all(probe["drawn"] > 0 for probe in read_manifest(tmp_path)["drawn"])
