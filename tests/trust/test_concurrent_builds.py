"""Builds, exports and verify at the same time on a server, and dbt when its parent is gone: nothing is mixed up."""

import signal

import pytest

from tests.build import command, own_part, run
from tests.exports import contents
from tests.servers import ROOT
from tests.trust.build_case import TEXTS, Case
from tests.trust.processes import send_when


@pytest.mark.parametrize(
    ("module", "function"), [("export.export", "check_accounts"), ("index.chart_data", "read_chart_data")]
)
def test_built_again_during_an_export(on_server: Case, module: str, function: str) -> None:
    """After all rows (or those of the index) were read and before the files get their names, a model is built again."""
    script = (
        "import subprocess, sys\n"
        f"import probesheets.{module} as module\n"
        "from probesheets.cli import main\n"
        f"before = module.{function}\n"
        "def late(*arguments):\n"
        f"    subprocess.run({[str(command('mariadb', 'dbt')), 'build', '--select', TEXTS, *on_server.options]},"
        " check=True, stdout=2)\n"
        "    return before(*arguments)\n"
        f"module.{function} = late\n"
        "main(sys.argv[1:])"
    )
    before = contents(on_server.build.folder / "out")
    python = [str(command("mariadb", "python")), "-c", script, "export", "--target", "mariadb"]
    environment = {**on_server.build.environment, "PYTHONPATH": str(ROOT)}
    result = run(python, on_server.build.folder, environment)
    assert result.returncode == 1 and "were rebuilt while they were being read" in result.stderr, result.stderr
    assert contents(on_server.build.folder / "out") == before


def test_built_again_while_verify_reads(on_server: Case) -> None:
    script = (
        "import subprocess, sys\n"
        "from probesheets.folder import verify\n"
        "from probesheets.cli import main\n"
        "other = verify.other_build\n"
        "def late(*arguments):\n"
        f"    subprocess.run({[str(command('mariadb', 'dbt')), 'build', '--select', TEXTS, *on_server.options]},"
        " check=True, stdout=2)\n"
        "    return other(*arguments)\n"
        "verify.other_build = late\n"
        "main(sys.argv[1:])"
    )
    python = [str(command("mariadb", "python")), "-c", script, "verify", "out", "--target", "mariadb"]
    result = run(python, on_server.build.folder, {**on_server.build.environment, "PYTHONPATH": str(ROOT)})
    assert result.returncode == 1 and "were rebuilt while they were being read" in result.stderr, result.stderr


def test_a_schema_that_is_not_there(on_server: Case) -> None:
    """This user may not see whether it exists."""
    environment = {**on_server.build.environment, "PROBESHEETS_SCHEMA": "nowhere"}
    result = run(
        [str(command("mariadb", "probesheets")), "export", "--target", "mariadb"], on_server.build.folder, environment
    )
    assert result.returncode == 1 and "`nowhere` has no record of a build" in result.stderr, result.stderr


def test_two_builds_at_once(on_server: Case) -> None:
    """The older one stops at its next model."""
    older = on_server.start("dbt", "--no-use-colors", "build", *on_server.options)
    send_when(older, on_server.logs("started"), signal.SIGSTOP)
    code, said = on_server.dbt("build")
    assert code == 0, said
    older.send_signal(signal.SIGCONT)
    said = older.communicate(timeout=120)[0]
    assert older.returncode != 0 and "Another dbt build of this schema started at" in said
    on_server.exported()


def test_the_source_changes_during_a_build(on_server: Case) -> None:
    building = on_server.start("dbt", "--no-use-colors", "build", *on_server.options)
    send_when(building, on_server.logs("building"), signal.SIGSTOP)
    on_server.grow()
    building.send_signal(signal.SIGCONT)
    said = building.communicate(timeout=120)[0]
    rows = int(on_server.build.query(f"select count(*) from {on_server.build.source}")[0][0])
    assert f"it had {rows - len(on_server.new_rows):,} rows, now it has {rows:,}" in said, said


def test_two_runs_at_once(on_server: Case) -> None:
    """The second one names the first, whose lock lasts although the server soon ends idle connections."""
    assert on_server.build.server
    on_server.build.server.root.execute("set global wait_timeout = 1")
    try:
        first = on_server.start("probesheets", "run", "--target", "mariadb")
        send_when(first, on_server.logs("ended"), signal.SIGSTOP)
        code, said = on_server.probesheets("run")
        first.send_signal(signal.SIGCONT)
        _, first_said = first.communicate(timeout=120)
    finally:
        on_server.build.server.root.execute("set global wait_timeout = 28800")
    assert code == 1 and "Another `probesheets run` is building in" in said and "kill " in said
    assert first.returncode == 0, first_said
    on_server.exported()


def test_a_table_that_another_connection_holds(on_server: Case) -> None:
    """dbt waits a second here instead of a minute; the message names the connection."""
    assert on_server.build.server
    macros = own_part(on_server.build.folder, "macros")
    [macro] = [file for file in macros.rglob("*.sql") if "return(60)" in file.read_text(encoding="utf-8")]
    macro.write_text(macro.read_text(encoding="utf-8").replace("return(60)", "return(1)"), encoding="utf-8")
    holder = on_server.build.server.analyst
    [(number,)] = holder.execute("select connection_id()")
    holder.execute(f"lock tables {on_server.build.schema}.links write")
    try:
        code, said = on_server.dbt("run", "--select", "path:models/texts/links.sql")
    finally:
        holder.execute("unlock tables")
    assert code == 1 and f"connection {number} of analyst, for " in said, said
    on_server.refused()


# --- whoever started dbt is gone


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_dbt_ends_with_its_parent(case: Case, sent: signal.Signals) -> None:
    """The signal comes at dbt's first model, seconds before its end: the build is unfinished, and nothing is locked."""
    running = case.start("probesheets", "run", "--target", case.build.target)
    log_file = case.build.folder / "probesheets.duckdb.wal"  # nobody else can read the database meanwhile

    def has_begun() -> bool:
        """The row `started` has been written: it holds the graph of the project, and nothing before it is as long."""
        return log_file.exists() and log_file.stat().st_size > 8_000

    send_when(running, case.logs("building") if case.build.server else has_begun, sent)
    running.communicate(timeout=60)  # stderr is dbt's, too: it ends with the last of both
    assert case.probesheets("run")[0] == 0
    log = f"{case.build.schema}.probesheets_builds"
    ended = f"select invocation_id from {log} where event = 'ended'"
    unfinished = f"select count(*) from {log} where event = 'started' and invocation_id not in ({ended})"
    assert case.build.query(unfinished) == [(1,)]
    case.exported()
