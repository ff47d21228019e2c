"""Run dbt in a separate process. No other module starts dbt or knows how it is installed."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from probesheets.errors import ProbesheetsError, printable
from probesheets.progress import Track
from probesheets.settings import artifacts, find_root, how_to_install, setting

# a fault that macros/project/prepare_source.sql found, in an error message of dbt
_FAULT = re.compile(r"(?:operation probesheets-on-run-start-0 \(.*\)|on-run-start failed, error:)\n((?:.*\S.*\n?)+)")
OFFERED = "PROBESHEETS_INCOMING"  # the variable that offers a copy to a build
_TEXT = "Text"  # the name of the event for a line that is no event of dbt
Event = dict[str, Any]  # a line of dbt's JSON log: {"info": {"name", "level", "msg"}, "data": {...}}


def build(
    target: str,
    variables: str,
    environment: Mapping[str, str],
    *,
    quiet: bool,
    verbose: bool,
    track: Track,
    select: Sequence[str] = (),
) -> str:
    """Build the models and run their tests, but no unit tests; returns a line that says so and where dbt's log is.

    `select` names some models in dbt's syntax.

    Errors and, unless `quiet`, the notes and warnings of this project's macros go to stderr; with `verbose`, all
    that dbt says. Raises ProbesheetsError if a check or the build fails.
    """
    folder = artifacts(target)
    log = (folder / "dbt.log").relative_to(find_root())
    command = ["build", "--target-path", str(folder), "--log-path", str(folder)]
    if not version("dbt-core").startswith("1.7."):
        command += ["--exclude-resource-type", "unit_test"]
    command += ["--select", *select] if select else []
    fault, advance, code, done = None, None, 0, Counter[str]()
    with closing(_run_dbt(target, variables, command, environment)) as events:
        for event in _told(events, quiet=quiet, verbose=verbose):
            data = event["data"]
            if found := _FAULT.search(str(event["info"]["msg"])):
                fault = fault or "\n".join(line.strip() for line in found[1].splitlines())
            elif _is_step(data):
                advance = advance or track("models and tests", data.get("total") or data.get("num_models"))
                finished = data["node_info"]["node_status"] != "started"
                advance(int(finished))
                done[data["node_info"]["resource_type"]] += finished
            code = data.get("exit_code", 0)
    if fault:
        raise ProbesheetsError(fault + ("\nThe previous copy is unchanged." if OFFERED in environment else ""))
    if code:
        raise ProbesheetsError(
            "dbt build failed; see the messages above. Nothing was exported; earlier exports are unchanged.\n"
            f"dbt's log: {log}\n"
            f"To see what would stop a build before it starts, run: probesheets check --target {target}"
        )
    return f"Built {done['model']} models and ran {done['test']} tests. dbt's log: {log}"


def _told(events: Iterable[Event], *, quiet: bool, verbose: bool) -> Iterator[Event]:
    """The events; prints what is for users, up to a fault.

    Other lines, such as a traceback or the notes of Spark's JVM, are printed only if dbt fails without an error.
    """
    lines, faulty, failed = [], False, False
    for event in events:
        info, message = event["info"], str(event["info"]["msg"])
        faulty = faulty or bool(_FAULT.search(message))
        if info["name"] == _TEXT and not verbose:
            lines.append(message)
        elif not faulty and message.strip() and (verbose or _is_for_users(info, quiet)):
            print(printable(message), file=sys.stderr)
            failed = failed or info.get("level") == "error"
        if event["data"].get("exit_code") and not faulty and not failed:
            print(printable("\n".join(lines)), file=sys.stderr)
        yield event


def _is_for_users(info: Mapping[str, Any], quiet: bool) -> bool:
    """Whether an event is an error, or a message of a macro of this project: a note, a warning or advice."""
    if info["name"] == "JinjaLogInfo":
        return not quiet or str(info["msg"]).startswith(("FAIL", "ERROR"))
    return bool(info.get("level", "error") == "error") and info["name"] != "MainStackTrace"


def _is_step(data: Mapping[str, Any]) -> bool:
    """Whether an event is about a model, seed or test that dbt has begun or finished."""
    return bool(data.get("index")) and data.get("node_info", {}).get("resource_type") not in (None, "operation")


def inspect_source(target: str, variables: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The answer of the macro inspect_source: what would stop a build before it starts, and what the source contains.

    Builds nothing. Raises ProbesheetsError if dbt or the adapter is missing, or if dbt cannot read the project.
    """
    check_dbt(target, variables)
    with TemporaryDirectory(prefix="probesheets-") as folder:
        # dbt 1.7 accepts the first two only before the command
        command = ["--quiet", "--print", "run-operation", "inspect_source"]
        command += ["--target-path", folder, "--log-path", folder]
        found = [event["info"] for event in _run_dbt(target, variables, command, environment)]
    for info in found:
        if str(info["msg"]).startswith('{"faults": '):
            return dict(json.loads(info["msg"]))
    messages = [info["msg"] for info in found if info["name"] != _TEXT] or [info["msg"] for info in found]
    raise ProbesheetsError("dbt cannot read the project or reach the database:\n" + "\n".join(messages).strip())


def _run_dbt(
    target: str, variables: str, command: list[str], environment: Mapping[str, str]
) -> Generator[Event, None, None]:
    """Run dbt and yield the events of its log, then an event whose data has its exit code.

    dbt gets a separate session: Ctrl-C reaches only this process, which then ends dbt without dbt's own traceback.
    """
    root = find_root()
    command = ["--log-format", "json", "--no-use-colors", *command]
    command += ["--target", target, "--vars", variables, "--profiles-dir", str(root)]
    with subprocess.Popen(
        [sys.executable, "-m", "probesheets.project.dbt_process", *command],
        cwd=root,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "ignore", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                yield _event(line)
            yield {"info": {"name": "Ended", "msg": ""}, "data": {"exit_code": process.wait()}}
        except BaseException:
            process.kill()
            raise


def _event(line: str) -> Event:
    """A line of dbt's log; what is not JSON, such as a traceback, becomes an event with this message."""
    try:
        event = json.loads(line)
        return {"info": event["info"], "data": event["data"]}
    except (ValueError, LookupError, TypeError):
        return {"info": {"name": _TEXT, "msg": line.rstrip("\n")}, "data": {}}


def check_dbt(target: str, variables: str) -> None:
    """Raises ProbesheetsError if dbt or the adapter is missing, or --vars is not a YAML mapping of names."""
    if not (find_spec("dbt") and find_spec("dbt.adapters") and find_spec(f"dbt.adapters.{setting(target, 'type')}")):
        raise ProbesheetsError(how_to_install(target))
    check_variables(variables)


def check_variables(variables: str) -> None:
    """Raises ProbesheetsError if --vars is not a YAML mapping of names."""
    try:
        given = yaml.safe_load(variables)
    except yaml.YAMLError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(name, str) and name.isidentifier() for name in given):
        raise ProbesheetsError(
            f"--vars {variables!r} is not a YAML mapping. Write it like this: --vars '{{extra_tags: [author]}}'"
        )
