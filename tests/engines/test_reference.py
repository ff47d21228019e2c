"""The models against the reference: what an independent reading of the rules makes of the same rows."""

from typing import Any

import pytest

from tests.build import Source
from tests.conftest import Builder
from tests.engines.differences import first_difference
from tests.engines.reference import Models, clean, day, models, split_off

RELATIONS = {"combined": ("combined_v2", "text_id"), "texts": ("texts", "text_id")}
RELATIONS |= {"probes": ("probes", "file_stem"), "left_out": ("left_out", "output_id")}


@pytest.fixture(scope="module")
def expected(generated: Source) -> Models:
    return models(generated.outputs, generated.variables["extra_tags"], generated.variables["extra_columns"])


@pytest.mark.parametrize("name", RELATIONS)
def test_models_are_as_the_reference_says(name: str, expected: Models, generated: Source, built: Builder) -> None:
    ours: dict[Any, dict[str, Any]] = getattr(expected, name)
    columns = list(next(iter(ours.values())))
    theirs = built("duckdb", generated).by_key(*RELATIONS[name], columns)
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
