"""Check what a build on Spark needs: Java, the master or the Thrift server, memory, and a folder for the tables."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.settings import setting
from probesheets.warehouse.spark import files

_JAVA = ("17", "21")  # that Spark 4 runs on


def check_spark(target: str) -> str:
    """What Spark will run on, as a sentence. Raises ProbesheetsError if a build would fail."""
    schema, host, port = (setting(target, name) for name in ("schema", "host", "port"))
    if not re.fullmatch("[a-z0-9_]+", schema):
        raise ProbesheetsError(f"PROBESHEETS_SCHEMA may have letters, digits and _ only on Spark; it is {schema!r}.")
    if re.match(r"~|\w+:/", setting(target, "files")):
        raise ProbesheetsError(f"PROBESHEETS_SPARK_FILES must be a path, such as /data/spark, not {files(target)}.")
    _check_folder(files(target))
    if setting(target, "method") == "thrift":
        todo = "Check PROBESHEETS_HOST and PROBESHEETS_PORT. To run Spark on this machine, unset PROBESHEETS_HOST."
        _check_listens(host, port, todo, "Thrift server of Spark")
        return f"The Thrift server at {host}:{port} answers."
    memory = os.environ.get("PROBESHEETS_MEMORY") or "2GB"
    if not re.fullmatch("[0-9]+ ?[MGT]B", memory, re.IGNORECASE):
        raise ProbesheetsError(f"PROBESHEETS_MEMORY must be a whole number for Spark, such as 3GB; it is {memory!r}.")
    master = os.environ.get("PROBESHEETS_SPARK_MASTER") or "local[*]"
    if not re.fullmatch(r"local(\[[0-9*, ]+\])?|spark://.+:[0-9]+", master):
        raise ProbesheetsError(
            f"PROBESHEETS_SPARK_MASTER must be spark://host:port of a cluster, or local[4] for four cores of this "
            f"machine; it is {master!r}. For a cluster of another kind, use its Thrift server: set PROBESHEETS_HOST."
        )
    java = _java()
    for place in master.removeprefix("spark://").split(",") if "://" in master else ():
        host, _, port = place.rpartition(":")
        _check_listens(host, port, "Start it, or correct PROBESHEETS_SPARK_MASTER.", "master of Spark")
    return f"Java {java}, master {master}, {memory} of memory for the driver and for each executor."


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    found = re.search(r'version "(([0-9]+)[^"]*)"', said)
    if not found or found[2] not in _JAVA:
        what = f"Java {found[1]}" if found else "no Java"
        where = f"JAVA_HOME ({home})" if home else "the PATH"
        raise ProbesheetsError(
            f"Spark needs Java {' or '.join(_JAVA)}; {where} has {what}.\n"
            "Install it, for example with: apt-get install openjdk-17-jre-headless\n"
            "If it is installed, set JAVA_HOME to its folder."
        )
    return found[1]


def _check_listens(host: str, port: str, todo: str, what: str) -> None:
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ProbesheetsError(f"No {what} answers at {host}:{port}: {error}.\n{todo}") from None


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ProbesheetsError(
            f"The folder {folder} for Spark's tables cannot be written: {error.strerror}.\n"
            "Set PROBESHEETS_SPARK_FILES to a folder that you can write to, and that all workers see."
        ) from None
