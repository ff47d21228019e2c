"""Errors that a user can act on. Only cli.py turns them into messages and exit codes."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

# characters that control a terminal, but for tab and line feed, or that turn the direction of a line around
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class ProbesheetsError(Exception):
    """Something that the user can fix; the text says what, which choices there are and what to type next."""


def printable(message: str) -> str:
    """A message without characters that control a terminal: they show as \\u001b, which JSON takes for the same."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", message)


def shown(text: str) -> str:
    """A text of the source as a part of a message: on one line, so that it cannot pass for a message of its own."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def near(name: str, choices: Iterable[str], most: int = 5) -> str:
    """`Valid: a, b, c`, the ones that look like `name` first; long lists are cut and counted."""
    every = list(map(shown, dict.fromkeys(choices)))
    if not every:
        return "There are none."
    alike = get_close_matches(name, every, n=most, cutoff=0.4)
    if len(every) <= 12:
        return "Valid: " + ", ".join(alike + [choice for choice in every if choice not in alike]) + "."
    return f"Nearest of {len(every)}: " + "; ".join(_short(choice) for choice in alike or every[:most]) + "."


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
