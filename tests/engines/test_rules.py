"""Every row of tests/cases/*.jsonl, through the real models, on every engine: a new case is a new line there."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from tests.build import Build, Source
from tests.conftest import ENGINES, Builder
from tests.engines.rules import Case, cases

COLUMNS = (
    "probe",
    "file_stem",
    "date",
    "date_text",
    "date_match",
    "month",
    "text",
    "starts_with_probe",
    "duplicate_of",
)


@dataclass(frozen=True)
class Outcome:
    """What one engine made of all cases."""

    texts: dict[int, dict[str, Any]]
    left_out: dict[int, str]


@pytest.fixture(scope="session", params=ENGINES)
def outcome(request: pytest.FixtureRequest, built: Builder, rules: Source) -> Outcome:
    return read(built(request.param, rules))


def read(build: Build) -> Outcome:
    texts = build.by_key("texts", "text_id", COLUMNS)
    without = build.by_key("texts_without_links", "text_id", ["text"])
    urls: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for text_id, *link in build.rows("links", ["text_id", "link_number", "url", "host"]):
        urls[text_id].append(tuple(link))
    for text_id, columns in texts.items():
        links = sorted(urls[text_id])
        assert [number for number, *_ in links] == list(range(1, len(links) + 1))
        columns |= {"without": without[text_id]["text"], "urls": [link[1] for link in links]}
        columns |= {"hosts": [link[2] for link in links], "date": iso(columns["date"])}
    return Outcome(texts, dict(build.rows("left_out", ["output_id", "reason"])))


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@pytest.mark.parametrize("case", cases(), ids=str)
def test_rule(case: Case, outcome: Outcome) -> None:
    got = {}
    for text_id, columns in case.texts.items():
        assert text_id in outcome.texts, "no such text in the model texts"
        got[text_id] = {name: outcome.texts[text_id][name] for name in columns}
    assert got == case.texts
    assert {
        key: outcome.left_out[key] for key in [row["id"] for row in case.rows] if key in outcome.left_out
    } == case.left_out
