"""Show how far a command is: on stderr, and only if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
Track = Callable[[str, int | None], Advance]  # (name of a task, number of steps or None if unknown) -> counts steps


def silent(_name: str, _total: int | None) -> Advance:
    """Shows no progress."""
    return lambda _steps: None


@contextmanager
def progress(*, quiet: bool) -> Iterator[Track]:
    """A `track(name, total)` that shows a bar. Any thread may call the `advance(steps)` that it returns."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        def track(name: str, total: int | None) -> Advance:
            task = shown.add_task(name, total=total)
            return lambda steps: shown.advance(task, steps)

        yield track
