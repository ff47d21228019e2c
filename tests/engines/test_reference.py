"""The models against the reference: what an independent reading of the rules makes of the same rows."""

import re
from collections import defaultdict
from typing import Any

import pytest

from tests.build import Source
from tests.conftest import Builder
from tests.engines.differences import first_difference
from tests.engines.generate import generated_source
from tests.engines.reference import Models, clean, day, models, split_off, tidy

RELATIONS = {"combined": ("combined_v2", "text_id"), "texts": ("texts", "text_id")}
RELATIONS |= {"probes": ("probes", "file_stem"), "left_out": ("left_out", "output_id")}


@pytest.fixture(scope="module")
def many() -> Source:
    """20,000 roots."""
    return generated_source("many", 20_000)


@pytest.fixture(scope="module")
def expected(many: Source) -> Models:
    return models(many.outputs, many.variables["extra_tags"], many.variables["extra_columns"])


def test_links_and_texts_are_read_from_one_marking(many: Source, built: Builder) -> None:
    """By Python, from the marked texts: the links, the texts with them, and the texts in which each is a space."""
    build = built("duckdb", many)
    urls = defaultdict(list)
    for text_id, _, url in sorted(build.rows("links", ["text_id", "link_number", "url"])):
        urls[text_id].append(url)
    texts, without = (dict(build.rows(model, ["text_id", "text"])) for model in ("texts", "texts_without_links"))
    for text_id, marked in build.rows("marked_texts", ["text_id", "marked_text"]):
        if text_id in texts:
            pieces = re.split("[\ufdd0\ufdd1]", marked)
            assert (texts[text_id], urls[text_id]) == ("".join(pieces), pieces[1::2])
            expected = tidy(" ".join(pieces[::2])) if urls[text_id] else marked
            assert without[text_id] == expected, first_difference(without[text_id], expected)
    assert sum(map(len, urls.values())) > 10_000


@pytest.mark.parametrize("name", RELATIONS)
def test_models_are_as_the_reference_says(name: str, expected: Models, many: Source, built: Builder) -> None:
    ours: dict[Any, dict[str, Any]] = getattr(expected, name)
    columns = list(next(iter(ours.values())))
    theirs = built("duckdb", many).by_key(*RELATIONS[name], columns)
    assert ours.keys() == theirs.keys(), sorted(ours.keys() ^ theirs.keys(), key=str)[:10]
    differences = [
        f"{name} {key}, {column}: {first_difference(row[column], theirs[key][column])} for reference and model"
        for key, row in ours.items()
        for column in columns
        if row[column] != theirs[key][column]
    ]
    assert not differences, f"\n{len(differences)} differences\n" + "\n".join(differences[:10])


def test_reference_by_hand() -> None:
    """A few rows, so that the reference is not trusted blindly either."""
    assert clean(" a\t\u3000b \r\n\r\n \r\nc&amp;lt;\x92\x81 ") == "a b\n\nc&lt;\u2019"
    assert clean("  ") == clean(" \n ") == clean("\x00") == clean(None) == ""
    assert split_off("a\nb", "a b c\nd") == ("c d", True)
    assert split_off("%", "abc") == ("abc", False)
    assert str(day("2020-3-5 12:00")) == "2020-03-05"
    assert day("2020-02-30") is day("2020-03/05") is day("0999-01-01") is day("2020-03-05x") is None
