"""Models that do not fit together never become spreadsheets: builds that were killed, partial, failing or overtaken.

Every case begins with complete models of a source and an export of them in out/.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from probesheets.source.copy import replace_copy
from tests.build import Build, Source, command, make_project, run
from tests.conftest import Builder
from tests.servers import ROOT, Server
from tests.trust.conftest import contents, send_when

MODELS = sorted(path.relative_to(ROOT / "models").as_posix() for path in (ROOT / "models").rglob("*.sql"))
UNREAD = "combined/combined_v1.sql"  # by any export: it may be old
TEXTS = "path:models/texts/texts.sql"  # the model; `texts` alone is its folder
COLUMNS = ("id", "experiment_id", "root_id", "tag", "depth", "probe", "content")
EXPOSURE = """
version: 2
models:
  - name: questions
    columns: [{name: record_id, tests: [unique]}]
exposures:
  - name: questions
    type: analysis
    owner: {name: an analyst, email: analyst@example.org}
    depends_on: [ref('questions')]
    config: {meta: {sheet: Questions, columns: [{name: record_id, header: Record ID}, {name: text, header: Text}]}}
"""


@dataclass(frozen=True)
class Case:
    build: Build
    new_rows: list[tuple[Any, ...]]  # that `grow` adds to the source

    @property
    def models(self) -> Path:
        """The project's models, a copy that may be changed."""
        models = self.build.folder / "models"
        if models.is_symlink():
            models.unlink()
            shutil.copytree(ROOT / "models", models)
        return models

    def dbt(self, *arguments: str) -> tuple[int, str]:
        """A command of dbt, typed by hand."""
        dbt = [str(command(self.build.target, "dbt")), "--no-use-colors", *arguments, *self.options]
        result = run(dbt, self.build.folder, self.build.environment)
        return result.returncode, result.stdout

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """A command that runs on; what it says can be read from it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
        return subprocess.Popen(
            [str(command(self.build.target, name)), *arguments],
            cwd=self.build.folder,
            env=clean | dict(self.build.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def options(self) -> list[str]:
        return ["--target", self.build.target, "--profiles-dir", "."]

    def killed_after(self, path: str) -> None:
        """A dbt build of everything that gets SIGKILL when it has built a model."""
        child = [str(command(self.build.target, "python")), str(Path(__file__).with_name("dbt_child.py")), path]
        result = run([*child, "build", *self.options], self.build.folder, self.build.environment)
        assert result.returncode == -signal.SIGKILL, result.stdout + result.stderr

    def probesheets(self, *arguments: str) -> tuple[int, str]:
        result = self.build.probesheets(*arguments, "--target", self.build.target)
        return result.returncode, result.stdout + result.stderr

    def grow(self) -> None:
        """The source gets one text more of every probe."""
        if self.build.server is None:
            later, experiments = (self.build.folder / name for name in ("later.parquet", "table_experiment.parquet"))
            replace_copy(self.build.folder / "probesheets.duckdb", str(later), experiments)
        else:
            table = self.build.environment["PROBESHEETS_SOURCE_SCHEMA"] + ".table_output"
            insert = f"insert into {table} ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"
            self.build.server.root.execute(insert, self.new_rows)

    def logs(self, event: str) -> Callable[[], bool]:
        """Whether the build log has got such an event since now."""
        log = f"{self.build.schema}.probesheets_builds"
        [(before,)] = self.build.query(f"select max(event_id) from {log}")
        return lambda: bool(self.build.query(f"select 1 from {log} where event_id > {before} and event = '{event}'"))

    def refused(self, *parts: str, arguments: tuple[str, ...] = ()) -> str:
        """Export and verify are refused, and out/ stays as it is; returns the command that the export advises."""
        before = contents(self.build.folder / "out")
        code, said = self.probesheets("verify", "out")
        assert code == 1 and "not ready" in said and "Traceback" not in said, said
        code, said = self.probesheets("export", *arguments)
        assert code == 1 and "not ready" in said and "Traceback" not in said, said
        assert all(part in said for part in parts), said
        assert contents(self.build.folder / "out") == before
        return said.partition(" Run: ")[2].splitlines()[0]

    def exported(self, *arguments: str) -> str:
        """The export goes through and the database agrees, cell by cell; returns what the export said."""
        code, said = self.probesheets("export", *arguments)
        assert code == 0, said
        code, compared = self.probesheets("verify", "out")
        assert code == 0, compared
        return said


@pytest.fixture(scope="module")
def plain(sample: Source) -> Source:
    """The sample without variables, so that dbt can be typed by hand."""
    return Source("builds", [{name: row[name] for name in COLUMNS} for row in sample.outputs], sample.experiments)


@pytest.fixture(scope="module")
def new_rows(plain: Source) -> list[tuple[Any, ...]]:
    texts = {row["probe"]: row for row in plain.outputs if row["tag"] == "trimmed"}
    new = {"content": "One more, see http://new.example.com"}
    return [tuple({**row, **new, "id": 20_000 + at}[name] for name in COLUMNS) for at, row in enumerate(texts.values())]


@pytest.fixture(scope="module")
def complete(
    built: Builder, plain: Source, new_rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Build]:
    """complete(target): the models built and exported, with what brings them back to this state."""

    @cache
    def get(target: str) -> Build:
        build = built(target, plain)
        result = build.probesheets("export", "--target", target)
        assert result.returncode == 0, result.stderr
        if build.server:
            for schema in (build.schema, build.environment["PROBESHEETS_SOURCE_SCHEMA"]):
                build.server.root.execute(f"create schema kept_{schema}")
                copy_tables(build.server, schema, f"kept_{schema}")
        else:
            with duckdb.connect() as connection:
                rows = ", ".join(["(" + ", ".join("?" * len(COLUMNS)) + ")"] * len(new_rows))
                connection.execute(
                    f"copy (select {', '.join(COLUMNS)} from '{build.folder}/table_output.parquet' union all "
                    f"select * from (values {rows})) to '{build.folder}/later.parquet'",
                    [None if value is None else str(value) for row in new_rows for value in row],
                )
        return build

    return get


def copy_tables(server: Server, source: str, target: str) -> None:
    """Make the tables of a schema those of another one."""
    tables = "select table_name from information_schema.tables where table_type = 'BASE TABLE' and table_schema = "
    for (name,) in server.root.execute(f"{tables}'{target}'"):
        server.root.execute(f"drop table {target}.{name}")
    for (name,) in server.root.execute(f"{tables}'{source}'"):
        server.root.execute(f"create table {target}.{name} like {source}.{name}")
        server.root.execute(f"insert into {target}.{name} select * from {source}.{name}")


@pytest.fixture(params=["duckdb", "mariadb"])
def case(
    request: pytest.FixtureRequest, complete: Callable[[str], Build], new_rows: list[tuple[Any, ...]], tmp_path: Path
) -> Case:
    build, folder = complete(request.param), tmp_path / "p"
    make_project(folder)
    shutil.copytree(build.folder / "out", folder / "out")
    environment = dict(build.environment)
    if build.server:
        for schema in (build.schema, environment["PROBESHEETS_SOURCE_SCHEMA"]):
            copy_tables(build.server, f"kept_{schema}", schema)
    else:
        for name in ("probesheets.duckdb", "later.parquet", "table_experiment.parquet"):
            shutil.copy(build.folder / name, folder / name)
        environment["PROBESHEETS_DUCKDB"] = str(folder / "probesheets.duckdb")
    return Case(replace(build, folder=folder, environment=environment), new_rows)


# --- killed


@pytest.mark.parametrize("path", MODELS)
def test_killed_after_a_model(case: Case, path: str) -> None:
    case.grow()
    case.killed_after(path)
    advice = f"dbt build --target {case.build.target}", f"dbt test --target {case.build.target}"
    assert case.refused() in advice


def test_what_is_advised_after_a_kill_helps(case: Case) -> None:
    case.grow()
    case.killed_after("texts/texts.sql")
    _, *arguments = case.refused().split()
    code, said = case.dbt(*arguments)
    assert code == 0, said
    case.exported()


def test_killed_before_any_model(case: Case) -> None:
    """A new copy, and a build that never came to a model: the models are of the copy before, and so refused."""
    if case.build.server:
        pytest.skip("a server's source is not copied")
    case.grow()
    case.refused("was built before the source was copied again")


# --- parts, by hand


def test_some_models_alone(case: Case) -> None:
    assert case.dbt("run", "--select", TEXTS)[0] == 0
    case.refused("is older than texts, which it reads")
    assert case.dbt("run", "--select", f"{TEXTS}+")[0] == 0
    assert case.refused("has not run since its models were built") == f"dbt test --target {case.build.target}"
    assert case.dbt("test")[0] == 0
    case.exported()


def test_tests_are_not_advised_where_they_would_fail(case: Case) -> None:
    """All that every kind needs is built and not tested, and one kind reads a model that is older."""
    assert case.dbt("run", "--exclude", "path:models/texts/texts_without_links.sql")[0] == 0
    advised = case.refused("has not run since its models were built")
    assert advised == f"dbt build --target {case.build.target}"
    assert case.dbt(*advised.split()[1:])[0] == 0
    case.exported()


def test_a_folder_of_models(case: Case) -> None:
    """`texts` names the folder: all its models, of the same source as those before it."""
    assert case.dbt("build", "--select", "texts")[0] == 0
    case.exported()
    case.grow()
    assert case.dbt("build", "--select", "texts")[0] == 0
    case.refused("source was copied again" if case.build.target == "duckdb" else "different states of table_output")


def test_other_variables(case: Case) -> None:
    assert case.dbt("build", "--select", "path:models/texts/links.sql", "--vars", "{bare_links: false}")[0] == 0
    advice = case.refused("and links were built with different variables")
    assert advice == f"dbt build --target {case.build.target} --vars '" + '{"bare_links": false}' + "'"


def test_another_version(case: Case) -> None:
    project = case.build.folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8")
    project.unlink()
    project.write_text(text.replace('version: &version "', 'version: &version "9'), encoding="utf-8")
    assert case.dbt("build", "--select", "path:models/texts/links.sql")[0] == 0
    case.refused("and links were built by different versions")


def test_models_of_version_1_0_0(case: Case) -> None:
    """They have no record."""
    if case.build.server:
        case.build.server.root.execute(f"drop table {case.build.schema}.probesheets_builds")
    else:
        with duckdb.connect(str(case.build.folder / "probesheets.duckdb")) as connection:
            connection.execute("drop table probesheets_builds")
    for arguments in (["export"], ["probes"], ["verify", "out"]):
        code, said = case.probesheets(*arguments)
        assert code == 1 and "There is no record of a build" in said
        assert f"Run: probesheets run --target {case.build.target}" in said


# --- tests that fail


def test_a_failing_model_of_ones_own_blocks_its_kind_alone(case: Case) -> None:
    question = "select record_id, text from {{ ref('texts') }} where text like '%?%'\n"
    (case.models / "exports" / "questions.sql").write_text(f"{question} union all {question}", encoding="utf-8")
    (case.models / "exports" / "questions.yml").write_text(EXPOSURE, encoding="utf-8")
    assert case.dbt("build", "--select", "questions")[0] == 1
    said = case.probesheets("export")[1]
    assert "The models of questions are not ready: The test unique_questions_record_id did not pass" in said
    others = said.partition("run: probesheets export ")[2].split()
    assert [name for name in others if name[0] != "-"] == [
        case.build.target, "with_links", "without_links", "links", "left_out",
    ]  # fmt: skip
    case.exported(*others[2:])
    (case.models / "exports" / "questions.sql").write_text(question, encoding="utf-8")
    assert case.dbt("build", "--select", "questions")[0] == 0
    case.exported()
    assert (case.build.folder / "out" / "questions.xlsx").is_file()


def test_retry(case: Case) -> None:
    """What failed or was skipped is run again; what was built in between counts, too."""
    model = case.models / "texts" / "texts.sql"
    before = model.read_text(encoding="utf-8")
    model.write_text("select 1 as nothing_of_it from nowhere\n", encoding="utf-8")
    assert case.dbt("build")[0] == 1
    case.refused()
    model.write_text(before, encoding="utf-8")
    assert case.dbt("retry")[0] == 0
    case.exported()


def test_fail_fast(case: Case) -> None:
    """dbt stops at the first test that fails, some models being new and some old."""
    model = case.models / "texts" / "texts.sql"
    before = model.read_text(encoding="utf-8")
    twice = "from (select * from marked union all select * from marked) as marked\n"
    model.write_text(before.replace("from marked\n", twice), encoding="utf-8")
    assert case.dbt("build", "--fail-fast")[0] == 1
    case.refused()
    model.write_text(before, encoding="utf-8")
    assert case.dbt("build", "--fail-fast")[0] == 0
    case.exported()


def test_a_misspelt_tag_builds_nothing(case: Case) -> None:
    """dbt 1.7 goes on after an error in on-run-start: each model refuses to be built then."""
    code, said = case.dbt("build", "--vars", "{text_tag: trimmd}")
    assert code != 0 and "No row of table_output has the tag 'trimmd'" in said
    case.exported()


# --- later commands of dbt


@pytest.mark.parametrize("arguments", [["parse"], ["docs", "generate"], ["compile"]])
def test_commands_that_build_nothing(case: Case, arguments: list[str]) -> None:
    """They overwrite dbt's manifest, here with other columns of the spreadsheets; an export does not read it."""
    before = contents(case.build.folder / "out")
    code, said = case.dbt(*arguments, "--vars", "{extra_tags: [location]}")
    assert code == 0, said
    case.exported()
    assert [name for name, data in contents(case.build.folder / "out").items() if data != before[name]] == []


def test_a_new_kind_needs_no_build_of_its_model(case: Case) -> None:
    exposure = EXPOSURE[EXPOSURE.index("exposures:") :].replace("ref('questions')", "ref('texts')")
    (case.models / "exports" / "questions.yml").write_text(f"version: 2\n{exposure}", encoding="utf-8")
    assert case.dbt("test")[0] == 0
    case.exported("--only", "questions")
    assert (case.build.folder / "out" / "questions.xlsx").is_file()


def test_verify_against_another_build(case: Case) -> None:
    """It is said to be another, and compared: only a cell that differs is an error."""
    assert case.dbt("build")[0] == 0
    code, said = case.probesheets("verify", "out")
    assert code == 0 and "was exported from the build of" in said, said
    case.grow()
    assert case.dbt("build")[0] == 0
    code, said = case.probesheets("verify", "out")
    assert code == 1 and "was exported from the build of" in said and "has record T20000 here" in said, said
    assert "the build of" not in case.exported()
    assert "the build of" not in case.probesheets("verify", "out")[1]


# --- at the same time, on a server


@pytest.fixture
def on_server(case: Case) -> Case:
    if not case.build.server:
        pytest.skip("a DuckDB file is open for one process alone")
    return case


@pytest.mark.parametrize(
    ("module", "function"), [("export.job", "check_accounts"), ("index.chart_data", "read_figures")]
)
def test_built_again_during_an_export(on_server: Case, module: str, function: str) -> None:
    """All rows were read, or those of the index, and before the files get their names a model is built again."""
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
    assert result.returncode == 1 and "were built again while they were read" in result.stderr, result.stderr
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
    assert result.returncode == 1 and "were built again while they were read" in result.stderr, result.stderr


def test_a_schema_that_is_not_there(on_server: Case) -> None:
    """Nor may this user see whether it is."""
    environment = {**on_server.build.environment, "PROBESHEETS_SCHEMA": "nowhere"}
    result = run(
        [str(command("mariadb", "probesheets")), "export", "--target", "mariadb"], on_server.build.folder, environment
    )
    assert result.returncode == 1 and "There is no record of a build in `nowhere`" in result.stderr, result.stderr


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
    """Here for a second instead of a minute; the message names the connection."""
    assert on_server.build.server
    macros = on_server.build.folder / "macros"
    macros.unlink()
    shutil.copytree(ROOT / "macros", macros)
    macro = macros / "project" / "record_model.sql"
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
    """At its first model, so that it would build on for seconds; the build stays unfinished, and nothing is locked."""
    running = case.start("probesheets", "run", "--target", case.build.target)
    database = case.build.folder / "probesheets.duckdb.wal"
    send_when(running, case.logs("building") if case.build.server else database.exists, sent)
    running.communicate(timeout=60)  # stderr is dbt's, too: it ends with the last of both
    assert case.probesheets("run")[0] == 0
    log = f"{case.build.schema}.probesheets_builds"
    ended = f"select invocation_id from {log} where event = 'ended'"
    unfinished = f"select count(*) from {log} where event = 'started' and invocation_id not in ({ended})"
    assert case.build.query(unfinished) == [(1,)]
    case.exported()
