"""The models of coding: which codings count and where they are, on every engine; the measures, by other libraries."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.build import Build, Source, artifacts_of, command, make_project, run
from tests.coding.rows import CODES, by_hand, pieces
from tests.conftest import Builder
from tests.servers import Server

EXPECTED = Path(__file__).with_name("agreement.json")
VALUES = "round int, code varchar(9), text_id int, coder varchar(9), coders int, first_round int, is_coded int"


def test_each_coding_counts_or_says_why(engine: str, built: Builder, sample: Source) -> None:
    build = built(engine, sample)
    columns = ["coder", "place", "code", "status", "quote"]
    found = {row[:3]: row[3:] for row in build.rows("codings", columns)}
    texts = {row[:2]: row[2] for row in build.rows("seen_texts", ["coder", "place", "status"])}
    for row, status, words in [*by_hand(), *pieces()]:
        if row["code"]:
            assert found[row["coder"], row["place"], row["code"]] == (status, words), row
        else:
            assert texts[row["coder"], row["place"]] == status, row
    matched = {code for status, code in build.rows("codings", ["status", "code"]) if status == "matched"}
    assert matched == {*CODES}


def test_a_piece_is_part_of_its_record(built_sample: Build) -> None:
    rows = built_sample.rows("codings", ["coder", "place", "record_id", "start_position"])
    places = {row[1]: row[2:] for row in rows if row[0] == "Flo"}
    assert places == {"row 1": ("T939", 2), "row 2": ("T939", 22), "row 3": ("T939", 52)}
    assert ("T939", 3) in built_sample.rows("coded_texts", ["record_id", "stretches"])


def test_a_count_is_of_texts(built_sample: Build) -> None:
    """By hand from the codings that count: whoever coded a text, and however often."""
    counts = built_sample.rows("code_counts", ["code", "file_stem", "month", "text_count", "texts_seen", "share"])
    texts = built_sample.by_key("texts", "text_id", ["file_stem", "month"])
    seen = {row[0] for row in built_sample.rows("seen_texts", ["text_id", "status"]) if row[1] == "matched"}
    coded = {row[:2] for row in built_sample.rows("codings", ["code", "text_id", "status"]) if row[2] == "matched"}
    assert len(counts) == len({row[:3] for row in counts}) > 20
    for code, stem, month, count, of, share in counts:
        here = {text for text in seen if (texts[text]["file_stem"], texts[text]["month"]) == (stem, month)}
        assert (count, of) == (len({text for text in here if (code, text) in coded}), len(here))
        assert share == pytest.approx(count / of)
    assert sum(row[4] for row in counts) == len(seen) * len({row[0] for row in counts})


def test_agreement_has_a_row_for_each_round_and_code(built_sample: Build) -> None:
    names = ["round", "code", "coders", "units", "coders_without_code", "alpha_low", "alpha", "alpha_high"]
    rows = built_sample.by_key("agreement", "agreement_id", names)
    assert {row["round"] for row in rows.values()} == {0, 1, 2}
    assert len(rows) == 3 * 6 and rows["100% %s, round 2"]["code"] == "100% %s"
    assert all(row["alpha_low"] < row["alpha"] < row["alpha_high"] for row in rows.values())
    humour, every = rows["Humour"], rows["(all codes)"]
    assert every["units"] == 5 * humour["units"] and every["coders_without_code"] == 0
    assert rows["Humour, round 1"]["units"] + rows["Humour, round 2"]["units"] == humour["units"]
    assert humour["coders"] == 6 and rows["humour"]["coders_without_code"] == 3  # Dora, Eve and Flo read one text
    pairs = built_sample.rows("agreement_pairs", ["code", "coder_a", "coder_b", "texts"])
    assert ("Humour", "Ana", "Ben", 20) in pairs and all(one < other for _, one, other, _ in pairs)


def test_dbt_run_works_before_the_seeds_are_loaded(tmp_path: Path) -> None:
    """As after an upgrade: `dbt run` does not load seeds."""
    make_project(tmp_path / "p", coding=True)
    environment = {"PROBESHEETS_DUCKDB": str(tmp_path / "new.duckdb")}
    done = run([str(command("duckdb", "dbt")), "run", "--profiles-dir", "."], tmp_path / "p", environment)
    assert done.returncode == 0, done.stdout
    assert Build("duckdb", tmp_path / "p", environment, "", 0).rows("agreement", ["code"]) == []


@pytest.fixture(scope="module")
def tables() -> list[dict[str, Any]]:
    return list(json.loads(EXPECTED.read_text(encoding="utf-8")))


@pytest.mark.parametrize("target", ["duckdb", "mariadb", "mysql"])
def test_measures_are_those_of_other_libraries(
    target: str, tables: list[dict[str, Any]], built: Builder, sample: Source, request: pytest.FixtureRequest
) -> None:
    """1,000 random tables; make_agreement.py says how they were made."""
    build = built(target, sample)
    server: Server | None = build.server
    connection = duckdb.connect()

    def run(statement: str) -> list[tuple[Any, ...]]:
        return server.root.execute(statement) if server else connection.execute(statement).fetchall()

    schema = "agreement_test"
    if server:
        server.create_schemas(schema, f"{schema}_2")
    else:
        run(f"create schema {schema}")
    run(f"create table {schema}.code_values ({VALUES})")
    run(f"create index by_text_id on {schema}.code_values (text_id)")
    values = list(values_of(tables))
    for start in range(0, len(values), 1_000):
        run(f"insert into {schema}.code_values values {', '.join(values[start : start + 1_000])}")
    compiled = artifacts_of(build.folder, target, build.environment) / "compiled" / "probesheets" / "models" / "coding"
    for model in ("agreement_pairs", "agreement"):
        query = (compiled / f"{model}.sql").read_text(encoding="utf-8")
        query = re.sub(r"""(["`]\w+["`]\.)*["`](code_values|agreement_pairs)["`]""", rf"{schema}.\2", query)
        run(f"create table {schema}.{model} as {query}")
    names = "alpha, alpha_low, alpha_high, ac1, ac1_low, ac1_high"
    measured = {row[0]: row[1:] for row in run(f"select code, {names} from {schema}.agreement")}
    pairs = run(f"select code, concat(coder_a, coder_b), kappa from {schema}.agreement_pairs")
    kappas = {row[:2]: row[2] for row in pairs}
    for number, table in enumerate(tables):
        alpha, alpha_low, alpha_high, ac1, ac1_low, ac1_high = measured[f"t{number}"]
        expected = [(alpha, table["alpha"]), (ac1, table["ac1"])]
        expected += zip((alpha_low, alpha_high), bounds(table["alpha"], table["alpha_error"]), strict=True)
        if "ac1_error" in table:
            expected += zip((ac1_low, ac1_high), bounds(table["ac1"], table["ac1_error"]), strict=True)
        expected += [(kappas[f"t{number}", pair], kappa) for pair, kappa in table["kappas"].items()]
        for ours, theirs in expected:
            assert (ours is None) == (theirs is None) and (ours is None or abs(ours - theirs) < 1e-9), (number, table)


def values_of(tables: list[dict[str, Any]]) -> Any:
    """The rows of code_values, as SQL: each table is a code."""
    text = 0
    for number, table in enumerate(tables):
        for row in table["table"].split():
            text += 1
            coders = {coder: value for coder, value in enumerate(row) if value != "-"}
            for coder, value in coders.items():
                yield f"(0, 't{number}', {text}, '{coder}', {len(coders)}, null, {value})"


def bounds(estimate: float | None, error: float | None) -> tuple[float | None, float | None]:
    if estimate is None or error is None:
        return None, None
    return max(-1.0, estimate - 1.96 * error), min(1.0, estimate + 1.96 * error)
