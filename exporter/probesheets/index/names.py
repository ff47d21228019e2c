"""The order of the probes in index.xlsx, and short names for where a whole probe has no room."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from probesheets.errors import shortened

_ROOM = 32  # characters of a name; a number may follow
_EARLIER, _WORD = 11, 12  # characters of an earlier difference; of a word that begins alike


def ranked(probes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The probes, the largest first, each with its short `name`."""
    rows = sorted(probes, key=lambda probe: (-int(probe["text_count"]), str(probe["probe"]), probe["file_stem"]))
    names = short_names([str(probe["probe"]) for probe in rows])
    return [{**probe, "name": name} for probe, name in zip(rows, names, strict=True)]


def short_names(texts: Sequence[str]) -> list[str]:
    """A distinct name for each text: its beginning, or … and what differs, if texts begin alike; or two differences."""
    starts = _differences(texts)
    parts = [_part(text, at[-1]) for text, at in zip(texts, starts, strict=True)]
    common, used, names = Counter(parts), Counter[str](), []
    for text, at, name in zip(texts, starts, parts, strict=True):
        if common[name] > 1 and len(at) > 1:
            name = _part(text, at[-2], _EARLIER) + shortened(text[at[-1] :], _ROOM - _EARLIER)
        distinct = name
        while used[distinct]:
            used[name] += 1
            distinct = f"{name} ({used[name]})"
        used[distinct] = 1
        names.append(distinct)
    return names


def _part(text: str, start: int, room: int = _ROOM) -> str:
    return shortened("…" * (start > 0) + text[start:], room)


def _differences(texts: Sequence[str]) -> list[list[int]]:
    """Where to read each text: from 0, then from where it differs from those that read alike from there, and so on."""
    starts, groups = [[0] for _ in texts], [list(range(len(texts)))]
    for group in groups:  # which grow here
        alike = defaultdict[str, list[int]](list)
        for place in group:
            alike[_part(texts[place], starts[place][-1])].append(place)
        for places in alike.values():
            first, last = min(texts[place] for place in places), max(texts[place] for place in places)
            if first != last:
                groups.append(places)
                same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
                for place in places:
                    starts[place].append(max(first.rfind(" ", 0, same) + 1, same - _WORD))
    return starts
