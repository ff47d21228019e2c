"""DuckDB, MariaDB and MySQL make the same rows, character for character, of generated and of real sources."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from tests.build import Build, Source
from tests.conftest import Builder
from tests.copies import replace_copy
from tests.engines.differences import compare_rows, first_difference
from tests.servers import PASSWORD, USER

# the public models, and how many of their first columns name a row
MODELS = {
    "combined_v2": ["text_id"],
    "texts": ["text_id"],
    "texts_without_links": ["text_id"],
    "links": ["text_id", "link_number"],
    "probes": ["file_stem"],
    "left_out": ["output_id"],
    "tags": ["tag", "row_count"],
    "accounts": ["text_rows"],
}
CODING = {
    "seen_texts": ["coder", "file", "place"],
    "codings": ["coding_id"],
    "coded_texts": ["text_id", "code", "coder"],
    "code_counts": ["count_id"],
    "code_values": ["round", "code", "text_id", "coder"],
    "agreement": ["agreement_id"],
    "agreement_pairs": ["pair_id"],
}
SOURCES = ("generated", "sample", "corpus")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    source: Source = request.getfixturevalue(request.param)
    return source


@pytest.mark.parametrize("model", MODELS)
def test_same_rows(model: str, source: Source, other_engine: str, built: Builder) -> None:
    compare(model, built("duckdb", source), built(other_engine, source))


@pytest.mark.parametrize("model", CODING)
def test_same_codings(model: str, sample: Source, other_engine: str, built: Builder) -> None:
    """Of the source that has some."""
    compare(model, built("duckdb", sample), built(other_engine, sample))


def compare(model: str, ours: Build, theirs: Build) -> None:
    key = (MODELS | CODING)[model]
    columns = key + sorted(set(ours.columns(model)) - set(key))
    assert sorted(theirs.columns(model)) == sorted(columns)
    rows = {build.target: [*map(plain, build.rows(model, columns))] for build in (ours, theirs)}
    differences = compare_rows(model, columns, len(key), rows)
    assert not differences, "\n" + "\n".join(differences)


def plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row without truth values, which the servers do not have."""
    return tuple(int(value) if isinstance(value, bool) else value for value in row)


def test_generated_rows_hold_what_they_should(generated: Source, built: Builder) -> None:
    """So that the comparison above is not one of next to nothing."""
    assert len(generated.outputs) >= 20_000
    build = built("duckdb", generated)
    texts = build.rows(
        "texts", ["date_match", "starts_with_probe", "link_count", "duplicate_of", "date", "text", "location"]
    )
    matches = Counter(row[0] for row in texts)
    assert all(matches[name] > 300 for name in ("exact", "by depth", "borrowed", "none")), matches
    assert sum(row[1] for row in texts) > 2_000
    assert sum(row[2] > 0 for row in texts) > 2_000
    assert sum(row[3] is not None for row in texts) > 300
    assert sum(row[4] is not None for row in texts) > 2_000
    assert len(set().union(*(row[5] for row in texts))) > 5_000, "different characters"
    assert sum(len(row[5]) > 100_000 for row in texts) >= 5
    assert sum(bool(row[6]) for row in texts) > 50
    assert dict(Counter(row[0] for row in build.rows("left_out", ["reason"]))).keys() == {"blank text", "no text row"}


def test_copy_of_a_server_is_the_source(
    server_engine: str, built: Builder, generated: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--source mysql://…` reads every row and character as the file does."""
    server = built(server_engine, generated).server
    assert server
    monkeypatch.setenv("PROBESHEETS_PASSWORD", PASSWORD)
    file = tmp_path / "copy.duckdb"
    replace_copy(file, f"mysql://{USER}@127.0.0.1:{server.port}/source_generated", None)
    columns = generated.columns
    with duckdb.connect(str(file), read_only=True) as connection:
        copied = connection.execute(f"select {', '.join(columns)} from table_output").fetchall()
    ours = [tuple(row.get(name) for name in columns) for row in generated.outputs]
    differences = compare_rows("table_output", columns, 1, {"the source": ours, "the copy": copied})
    assert not differences, "\n" + "\n".join(differences)


def test_differences_are_found() -> None:
    """The comparison itself: what it says about a character, a missing row and a row that repeats."""
    assert "character 1 of 3 and 3 is U+0062 and U+1F600" in first_difference("abc", "a\U0001f600c")
    assert "character 1 of 1 and 2 is the end and U+200D" in first_difference("a", "a\u200d")
    rows = [(1, "a"), (1, "b"), (2, None)]
    assert compare_rows("m", ["id", "x"], 1, {"one": rows, "other": list(reversed(rows))}) == []
    assert len(compare_rows("m", ["id", "x"], 1, {"one": rows, "other": rows[1:]})) == 2
    assert len(compare_rows("m", ["id", "x"], 1, {"one": rows, "other": [*rows[:2], (2, "")]})) == 1
