"""Errors that a user can act on. Only cli.py turns them into messages and exit codes."""

from collections.abc import Iterable
from difflib import get_close_matches


class ProbesheetsError(Exception):
    """Something that the user can mend; the text says what, which choices there are and what to type next."""


def near(name: str, choices: Iterable[str], most: int = 5) -> str:
    """`Valid: a, b, c`, the ones that look like `name` first; long lists are cut and counted."""
    every = list(dict.fromkeys(choices))
    if not every:
        return "There are none."
    alike = get_close_matches(name, every, n=most, cutoff=0.4)
    if len(every) <= 12:
        return "Valid: " + ", ".join(alike + [choice for choice in every if choice not in alike]) + "."
    shown = alike or every[:most]
    return f"Nearest of {len(every)}: " + "; ".join(_short(choice) for choice in shown) + "."


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
