"""Errors that a user can act on. Only cli.py turns them into messages and exit codes."""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches

# characters that control a terminal (except tab and line feed) or reverse the direction of a line
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class ProbesheetsError(Exception):
    """A problem that the user can fix. The text names the problem, the valid choices and the next command."""


def printable(message: str) -> str:
    """A message in which characters that control a terminal appear as \\u001b, as JSON also writes them."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", message)


def shown(text: str) -> str:
    """A text of the source for use in a message: on one line, so that it cannot look like a separate message."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def near(name: str, choices: Iterable[str], most: int = 5) -> str:
    """`Valid: a, b, c.`, with those that resemble `name` first; long lists are shortened and counted."""
    every = list(map(shown, dict.fromkeys(choices)))
    if not every:
        return "There are none."
    alike = get_close_matches(name, every, n=most, cutoff=0.4)
    if len(every) <= 12:
        return "Valid: " + ", ".join(map(shortened, alike + [some for some in every if some not in alike])) + "."
    examples = "; ".join(shortened(choice) for choice in alike or every[:most])
    return f"{len(every)} are valid, for example: {examples}."


def counted(number: int, noun: str) -> str:
    """`1 row` or `2,550 rows`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def shortened(text: str, most: int = 60) -> str:
    """A text of at most `most` characters; … replaces the rest."""
    return text if len(text) <= most else text[: most - 1] + "…"


def hide_password(message: str) -> str:
    """A message of a library without the password of the environment."""
    password = os.environ.get("PROBESHEETS_PASSWORD")
    return message.replace(password, "***") if password else message
