"""dbt in a process that is killed as soon as it has built a certain model, as when a machine stops.

Started as `python dbt_child.py PATH ARGUMENTS`; PATH is the model's, below models/. SIGKILL leaves no time for hooks.
"""

import os
import signal
import sys
from typing import Any

from dbt.cli.main import dbtRunner


def main(path: str, *arguments: str) -> None:
    def watch(event: Any) -> None:
        if event.info.name == "LogModelResult" and event.data.node_info.node_path == path:
            os.kill(os.getpid(), signal.SIGKILL)

    dbtRunner(callbacks=[watch]).invoke(list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
