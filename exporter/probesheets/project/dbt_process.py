"""dbt in a process that ends with its parent: `python -m probesheets.project.dbt_process ARGUMENTS`.

The parent holds the other end of stdin and writes nothing into it. However the parent ends, also by SIGKILL, the pipe
closes; a build that goes on alone would keep the DuckDB file locked.
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
