"""Two engines' rows of a model side by side: the first differences, said so that one can find the character."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Row = tuple[Any, ...]
_MOST = 8


def compare_rows(model: str, columns: Sequence[str], key: int, one: Mapping[str, Sequence[Row]]) -> list[str]:
    """The differences between the rows of two engines ({engine: rows}); the first `key` columns name a row."""
    (left_name, left), (right_name, right) = one.items()
    found: list[str] = []
    left_keyed, right_keyed = _by_key(left, key), _by_key(right, key)
    for place in sorted(left_keyed.keys() | right_keyed.keys(), key=repr):
        ours, theirs = left_keyed.get(place), right_keyed.get(place)
        if ours is None or theirs is None:
            found.append(f"{model} {place}: only on {left_name if ours else right_name}: {ours or theirs!r}"[:500])
            continue
        for name, mine, yours in zip(columns, ours, theirs, strict=True):
            if mine != yours:
                where = first_difference(mine, yours)
                found.append(f"{model} {place}, {name}: {where} on {left_name} and {right_name}")
    return found if len(found) <= _MOST else [*found[:_MOST], f"{model}: {len(found) - _MOST} more differences"]


def _by_key(rows: Sequence[Row], key: int) -> dict[Any, Row]:
    """Rows by their first columns; where those repeat, a number tells the rows apart."""
    seen: Counter[Row] = Counter()
    keyed = {}
    for row in sorted(rows, key=repr):
        place = row[:key]
        seen[place] += 1
        keyed[(*place, f"again {seen[place]}") if seen[place] > 1 else place] = row
    return keyed


def first_difference(one: Any, other: Any) -> str:
    """Where two values begin to differ: for texts the index, both characters and what is near."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return f"{_short(one)} and {_short(other)}"
    pairs = zip(one, other, strict=False)
    index = next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    characters = " and ".join(_character(text, index) for text in (one, other))
    near = " and ".join(ascii(text[max(0, index - 20) : index + 20]) for text in (one, other))
    return f"character {index} of {len(one)} and {len(other)} is {characters}, in {near},"


def _character(text: str, index: int) -> str:
    return f"U+{ord(text[index]):04X}" if index < len(text) else "the end"


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:79] + "…"
