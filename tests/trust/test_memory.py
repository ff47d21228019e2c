"""The most memory that reading takes, with a tenth or a twentieth of the data of benchmarks/soak.py.

The limits lie between what it takes and what it took when it counted rows, not bytes. None depends on time.
"""

import re
from pathlib import Path

import pytest

from benchmarks import soak
from tests.conftest import need


@pytest.mark.parametrize(
    ("part", "scale", "most", "said"),
    [
        ("files", 0.1, (900, 450), "Read 1,"),
        ("answers", 0.03, (850, 850), "Read 144,000 rows of answers"),
        ("long-cell", 0.05, (450, 450), "Read 1 row "),
        ("long-cell", 0.2, (600, 600), "31 MB|rows that are too long"),
        ("long-rows", 0.05, (1_050, 1_050), "Read 125 rows"),
        ("long-rows", 0.1, (1_050, 1_050), "rows that are too long: 2,048 of them contain 27[0-9] MB"),
        ("long-texts", 0.3, (1_900, 900), ""),
        ("servers", 0.05, (450, 350), "Read 75,000 rows|4 batches, the largest of 3[0-9] MB"),
    ],
)
def test_memory_taken(part: str, scale: float, most: tuple[int, ...], said: str, tmp_path: Path) -> None:
    if part == "servers":
        need("mariadb")
    for measured, megabytes in zip(soak.PARTS[part](tmp_path, scale), most, strict=True):
        assert measured.cost.megabytes < megabytes, str(measured)
        assert re.search(said, measured.said), measured.said


def test_many_texts_are_built_and_exported(tmp_path: Path) -> None:
    """300,000 texts, with a quarter of the memory."""
    built, exported = soak.texts(tmp_path, 0.03, "500MB")
    assert built.cost.megabytes < 900, str(built)
    assert exported.cost.megabytes < 900, str(exported)
