"""Rows of the seeds codings and codebook for the bundled sample, written by hand or by a fixed rule."""

import csv
import re
from hashlib import sha256
from typing import Any

from tests.servers import ROOT

CODES = ("Humour", "Don't \\ know", "100% %s", "😀 fun", "humour")  # quotes, escapes, and two that differ in case
UNKNOWN_CODE = "Humor"
LINES = "+ one new member\n+ two apologies\n+ the minutes of the last meeting, as read, as always, too fast"  # T939
LINKED = "mandatory in all indoor markets starting tomorrow, says the mayor's office"  # T24, with a link at its end
LINK = " https://t.co/Qm4TzX9bLd"

Row = dict[str, Any]


def plain_texts() -> dict[str, str]:
    """Texts of the sample that cleaning does not change: Record ID and text without its probe."""
    found = {}
    with (ROOT / "sample" / "table_output.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            text = row["content"].removeprefix("Masks are ")
            odd = re.search(r"  |http|www|\.[a-z]|['\"&`*<>_\\]", text) or not (text.isascii() and text.isprintable())
            if not odd and row["tag"] == "trimmed" and row["probe"] == "Masks are" and text != row["content"]:
                found[f"T{row['id']}"] = text
    return found


def seen(coder: str, place: str, record: str, text: str, batch: int = 1) -> Row:
    """The row of a text that a coder has seen."""
    digest = {"text_sha256": sha256(text.encode()).hexdigest(), "text_length": len(text)}
    row = {"coder": coder, "file": f"{coder}.qda", "place": place, "record": record, **digest, "round": batch}
    return {**row, "code": "", "start_position": 0, "end_position": 0}


def coded(text: Row, code: str, start: int, end: int) -> Row:
    """The row of a coding in a text that was seen."""
    return {**text, "text_sha256": "", "text_length": 0, "code": code, "start_position": start, "end_position": end}


def by_rule() -> list[Row]:
    """Three coders, two rounds, and codes by a fixed rule; Ben read QualCoder's survey import."""
    rows, texts = [], list(plain_texts().items())
    for coder, some in (("Ana", texts[:30]), ("Ben", texts[10:]), ("Cy", texts[20:40])):
        for place, (record, text) in enumerate(some):
            text_seen = f"[Text]:\n{text}" if coder == "Ben" else text
            document = seen(coder, f"source {record}", record, text_seen, 1 + place % 2)
            rows.append(document)
            for code in CODES:
                if sha256(f"{record} {code} {coder if place % 3 else ''}".encode()).digest()[0] < 90:
                    rows.append(coded(document, code, 8 * (coder == "Ben"), 9))
    return rows


def by_hand() -> list[tuple[Row, str, str | None]]:
    """Codings with the status that each must have, and the words that were coded."""
    windows = LINES.replace("\n", "\r\n")
    survey = f"[Text]:\r\n{windows}"
    cases = [
        ("T939", LINES, "three lines", "two apologies", "matched"),
        ("T939", windows, "CR LF", "two apologies", "matched"),
        ("T939", survey, "CR LF and an opening", "two apologies", "matched"),
        ("T24", LINKED + LINK, "with its link", "t.co", "matched"),
        ("T24", LINKED, "without its link", "office", "matched"),
        ("T24", LINKED + ".", "edited", None, "text differs"),
        ("T24", LINKED[:20], "cut off", None, "text differs"),
        ("T939", LINKED, "of another record", None, "text differs"),
        ("T999999", LINES, "of no record", None, "unknown record"),
        ("T9xx", LINES, "of no record", None, "unknown record"),
        ("T24-x", LINKED, "of no piece", None, "unknown record"),
        ("Interview 1", LINES, "another document", None, "unknown record"),
    ]
    found: list[tuple[Row, str, str | None]] = []
    for number, (record, text, what, words, status) in enumerate(cases):
        document = seen("Dora", f"source {number}, {what}", record, text)
        start = text.index(words) if words else 3
        found += [(document, status, None)]
        found += [(coded(document, CODES[0], start, start + len(words or "xyz")), status, words)]
    document = seen("Dora", "source unknown code", "T939", LINES)
    found += [(document, "matched", None), (coded(document, UNKNOWN_CODE, 2, 5), "unknown code", "one")]
    return found


def pieces() -> list[tuple[Row, str, str | None]]:
    """A text in three pieces, as in the rows of a workbook, and one in two pieces of which the second is missing."""
    found: list[tuple[Row, str, str | None]] = []
    for coder, opening in (("Eve", ""), ("Flo", "[Text]:\n")):
        for piece, (start, end) in enumerate(((0, 20), (20, 50), (50, len(LINES))), 1):
            record = f"T939-{piece}" if piece > 1 else "T939"
            document = seen(coder, f"row {piece}", record, opening + LINES[start:end])
            found += [(document, "matched", None)]
            words = LINES[start + 2 : start + 9]
            place = len(opening) + 2
            found += [(coded(document, CODES[0], place, place + 7), "matched", words)]
    document = seen("Gil", "row 1", "T939", LINES[:20])
    return [*found, (document, "text differs", None), (coded(document, CODES[0], 2, 5), "text differs", None)]


def seeds() -> dict[str, list[Row]]:
    codings = [*by_rule(), *(row for row, *_ in by_hand()), *(row for row, *_ in pieces())]
    return {"codings": codings, "codebook": [{"code": code, "description": ""} for code in CODES]}
