"""Names and texts as parts of SQL."""


def quoted(name: str, mark: str = '"') -> str:
    """A name as an identifier."""
    return mark + name.replace(mark, 2 * mark) + mark


def literal(text: str) -> str:
    """A text as a string, for engines in which a backslash has no meaning in strings."""
    return "'" + text.replace("'", "''") + "'"
