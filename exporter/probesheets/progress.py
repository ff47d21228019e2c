"""How far a command is, for a person at a terminal: what is being done, how much of it, how long still.

On stderr, and only where that is a terminal: nobody else reads bars.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
Track = Callable[[str, int | None], Advance]  # name of a task and its steps (None: not known) -> what counts them


def silent(_name: str, _total: int | None) -> Advance:
    """No progress at all, for scripts."""
    return lambda _steps: None


@contextmanager
def progress(*, quiet: bool) -> Iterator[Track]:
    """A `track(name, total)` that shows a bar; the `advance(steps)` that it returns may be called from any thread."""
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
