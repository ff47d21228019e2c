"""The command line in its own process, which waits for a line before it begins, so that faults hit the export itself.

Started as `python child.py ARGUMENTS`. Says "ready" when everything is imported and begins when a line comes in. With
SIGKILL_AT_RENAME=n or SIGINT_AT_RENAME=n it gets that signal, as from outside, just before its n-th file gets its final
name.
"""

import os
import signal
import sys
from pathlib import Path

import probesheets.export.export
import probesheets.index.sheet
import probesheets.warehouse  # noqa: F401
from probesheets.cli import main

_renames = 0
_replace = Path.replace


def _counted_replace(self: Path, target: Path) -> Path:
    global _renames
    if Path(target).parent == self.parent:  # inside the staging folder
        return _replace(self, target)
    _renames += 1
    for sent in (signal.SIGKILL, signal.SIGINT):
        if os.environ.get(f"{sent.name}_AT_RENAME") == str(_renames):
            os.kill(os.getpid(), sent)
    return _replace(self, target)


if __name__ == "__main__":
    Path.replace = _counted_replace  # type: ignore[assignment,method-assign]
    # as at a terminal: what a shell starts in the background ignores Ctrl-C, and so do its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("ready", flush=True)
    sys.stdin.readline()
    main(sys.argv[1:])
