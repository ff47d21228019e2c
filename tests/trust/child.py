"""The command line in a process of its own that waits for a word before it begins: faults hit the export itself.

Started as `python child.py ARGUMENTS`. Says "ready" when everything is imported and begins when a line comes in. With
KILL_AT_RENAME=n it kills itself, as SIGKILL from outside would, just before its n-th file gets its final name.
"""

import os
import signal
import sys
from pathlib import Path

import exporter.export
import exporter.index
import exporter.warehouse  # noqa: F401
from exporter.cli import main

_renames = 0
_replace = Path.replace


def _counted_replace(self: Path, target: Path) -> Path:
    global _renames
    if Path(target).parent == self.parent:  # inside the staging folder
        return _replace(self, target)
    _renames += 1
    if _renames == int(os.environ["KILL_AT_RENAME"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return _replace(self, target)


if __name__ == "__main__":
    if "KILL_AT_RENAME" in os.environ:
        Path.replace = _counted_replace  # type: ignore[assignment,method-assign]
    # as at a terminal: what a shell starts in the background ignores Ctrl-C, and so do its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("ready", flush=True)
    sys.stdin.readline()
    main(sys.argv[1:])
