"""The text rules once more, in slow and plain Python, read from their text and never from the SQL.

Links are left out: the text here is the one that keeps them. `models(source)` gives what test_reference compares.
"""

import hashlib
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Row = Mapping[str, Any]

ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&#39;": "'",
    "&#x27;": "'",
    "&apos;": "'",
    "&nbsp;": "\u00a0",
    "&amp;": "&",
}
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
MONTHS += ["September", "October", "November", "December"]


def windows_1252(character: str) -> str:
    """(a) U+0080 to U+009F as what windows-1252 means by them; nothing for the five that it leaves undefined."""
    return bytes([ord(character)]).decode("cp1252", errors="ignore") if 0x80 <= ord(character) <= 0x9F else character


def is_deleted(character: str) -> bool:
    """(d)"""
    code = ord(character)
    return (
        code <= 0x08
        or code in (0x0B, 0x0C, 0x7F, 0x200B, 0xFEFF, 0xFFFE, 0xFFFF)
        or 0x0E <= code <= 0x1F
        or 0xFDD0 <= code <= 0xFDEF
    )


def is_space(character: str) -> bool:
    """(e)"""
    code = ord(character)
    return code in (0x20, 0x09, 0xA0, 0x1680, 0x202F, 0x205F, 0x3000) or 0x2000 <= code <= 0x200A


def clean(text: str | None) -> str:
    if text is None:
        return ""
    text = "".join(windows_1252(character) for character in text)
    for entity, meaning in ENTITIES.items():
        text = text.replace(entity, meaning)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return tidy("".join(character for character in text if not is_deleted(character)))


def tidy(text: str) -> str:
    """(e) to (g)"""
    kept: list[str] = []
    for character in text:
        if not is_space(character):
            kept.append(character)
        elif not (kept and kept[-1] == " "):
            kept.append(" ")
    lines = "".join(kept).split("\n")
    lines = [line.strip(" ") if 0 < number < len(lines) - 1 else line for number, line in enumerate(lines)]
    lines[0], lines[-1] = lines[0].rstrip(" "), lines[-1].lstrip(" ") if len(lines) > 1 else lines[-1].rstrip(" ")
    text = "\n".join(lines)
    text = re.sub("\n\n\n+", "\n\n", text)
    return text.strip(" \n")


def flat(text: str | None) -> str:
    return re.sub("[ \n]+", " ", clean(text))


def shown_probe(probe: str | None) -> str:
    return flat(probe) or "(no probe)"


def split_off(probe: str | None, content: str | None) -> tuple[str, bool]:
    """The text without the probe, and whether it began with it."""
    for meaning in (clean, flat):
        beginning, text = meaning(probe), meaning(content)
        if beginning and text[: len(beginning)] == beginning:
            return text[len(beginning) :].lstrip(" \n"), True
    return clean(content), False


def day(text: str | None) -> date | None:
    """The date that a stored date text names."""
    line = flat(text)
    match = re.match(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(?=[ T]|\Z)", line)
    parts = match.group(1, 3, 4) if match else ()
    if not match and (match := re.match(r"([0-9]{4})([0-9]{2})([0-9]{2})(?=[ T]|\Z)", line)):
        parts = match.groups()
    if not parts:
        return None
    year, month, number = map(int, parts)
    if year < 1000 or not 1 <= month <= 12 or not 1 <= number <= monthrange(year, month)[1]:
        return None
    return date(year, month, number)


def month_name(found: date | None) -> str | None:
    return f"{MONTHS[found.month - 1]}, {found.year:d}" if found else None


def file_stem(shown: str) -> str:
    readable = re.sub("[^a-z0-9]+", "-", re.sub("[A-Z]", lambda letter: letter[0].lower(), shown[:240])).strip("-")
    return f"{readable[:60].strip('-') or 'probe'}-{hashlib.sha256(shown.encode()).hexdigest()[:16]}"


def in_order(row: Row) -> tuple[bool, int, int]:
    """Null depth last, then the lowest id."""
    return row["depth"] is None, row["depth"] or 0, row["id"]


class Attributes:
    """The rows of one tag, by experiment and root (nulls equal), and which of them belongs to a text."""

    def __init__(self, rows: Sequence[Row], tag: str, texts: Sequence[Row]) -> None:
        self.texts = self._grouped(texts)
        self.candidates = self._grouped([row for row in rows if row["tag"] == tag])

    def _grouped(self, rows: Sequence[Row]) -> dict[Any, list[Row]]:
        groups: dict[Any, list[Row]] = {}
        for row in rows:
            groups.setdefault((row["experiment_id"], row["root_id"]), []).append(row)
        return groups

    def of(self, text: Row) -> tuple[Row | None, str]:
        group = text["experiment_id"], text["root_id"]
        candidates = self.candidates.get(group, [])
        if not candidates:
            return None, "none"
        same = [row for row in candidates if row["depth"] is not None and row["depth"] == text["depth"]]
        if not same:
            return min(candidates, key=in_order), "borrowed"
        as_many = len(candidates) == len(self.texts[group])
        return min(same, key=lambda row: row["id"]), "exact" if as_many else "by depth"


@dataclass
class Models:
    """What the models must hold: rows by text_id, file_stem and output_id."""

    combined: dict[int, dict[str, Any]]
    texts: dict[int, dict[str, Any]]
    probes: dict[str, dict[str, Any]]
    left_out: dict[int, dict[str, Any]]


def models(rows: Sequence[Row], extra_tags: Sequence[str], extra_columns: Sequence[str]) -> Models:
    text_rows = [row for row in rows if row["tag"] == "trimmed"]
    attributes = {tag: Attributes(rows, tag, text_rows) for tag in ("date", *extra_tags)}
    combined, texts, left_out = {}, {}, {}
    for row in sorted(text_rows, key=lambda row: row["id"]):
        date_row, match = attributes["date"].of(row)
        stored_date = date_row["content"] if date_row else None
        found = day(stored_date)
        dated = {"date": found, "date_match": match, "month": month_name(found)}
        same = {name: row[name] for name in ("root_id", "experiment_id")}
        shown = shown_probe(row["probe"])
        stored = {"probe_text": row["probe"], "date_text": stored_date, "text": row["content"]}
        combined[row["id"]] = same | dated | stored | {"probe": shown}
        if not clean(row["content"]):
            left_out[row["id"]] = same | {"tag": "trimmed", "probe": shown, "reason": "blank text"}
            continue
        text, starts = split_off(row["probe"], row["content"])
        flat_date = None if stored_date is None else flat(stored_date)
        texts[row["id"]] = same | dated | {"record_id": f"T{row['id']}", "date_text": flat_date, "text": text}
        texts[row["id"]] |= {"probe": shown, "file_stem": file_stem(shown), "starts_with_probe": starts}
        for tag in extra_tags:
            chosen, _ = attributes[tag].of(row)
            texts[row["id"]][tag] = _cleaned(chosen["content"] if chosen else None)
        texts[row["id"]] |= {name: _cleaned(row[name]) for name in extra_columns}
    _name_duplicates(texts)
    left_out |= dict(_raw_rows_without_text(rows, {row["root_id"] for row in text_rows}))
    return Models(combined, texts, dict(_probes(texts)), left_out)


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _name_duplicates(texts: dict[int, dict[str, Any]]) -> None:
    first: dict[tuple[str, str], str] = {}
    for _, text in sorted(texts.items()):
        record = first.setdefault((text["probe"], text["text"]), text["record_id"])
        text["duplicate_of"] = None if record == text["record_id"] else record


def _raw_rows_without_text(rows: Sequence[Row], roots: set[int | None]) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in rows:
        if row["tag"] == "raw" and row["id"] not in roots:
            same = {name: row[name] for name in ("root_id", "experiment_id", "tag")}
            yield row["id"], same | {"probe": shown_probe(row["probe"]), "reason": "no text row"}


def _probes(texts: dict[int, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for stem in {text["file_stem"] for text in texts.values()}:
        some = [text for text in texts.values() if text["file_stem"] == stem]
        days = [text["date"] for text in some if text["date"]]
        assert len({text["probe"] for text in some}) == 1, "two probes with one file_stem"
        limits = {"first_date": min(days, default=None), "last_date": max(days, default=None)}
        yield stem, limits | {"probe": some[0]["probe"], "text_count": len(some)}
