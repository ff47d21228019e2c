"""dbt in a process that ends with its parent: `python -m probesheets.project.dbt_process ARGUMENTS`.

The parent holds the other end of stdin and writes nothing to it. However the parent ends, even by SIGKILL, the pipe
closes. Without this, a build would continue alone and keep the DuckDB file locked.
"""

import os
import sys
import threading


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    from dbt.cli.main import cli

    cli(sys.argv[1:], prog_name="dbt")
