"""A project with complete models and an export of them: where tests of builds begin, and what they do to it."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.build import Build, command, own_environment, own_part, run
from tests.copies import replace_copy
from tests.exports import contents
from tests.servers import Server

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
        return own_part(self.build.folder, "models")

    def dbt(self, *arguments: str) -> tuple[int, str]:
        """A dbt command, as a user runs it."""
        dbt = [str(command(self.build.target, "dbt")), "--no-use-colors", *arguments, *self.options]
        result = run(dbt, self.build.folder, self.build.environment)
        return result.returncode, result.stdout

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """A command that keeps running; its output can be read from it."""
        return subprocess.Popen(
            [str(command(self.build.target, name)), *arguments],
            cwd=self.build.folder,
            env=own_environment(self.build.environment, self.build.folder),
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
        """Add one text of every probe to the source."""
        if self.build.server is None:
            later, experiments = (self.build.folder / name for name in ("later.parquet", "table_experiment.parquet"))
            replace_copy(self.build.folder / "probesheets.duckdb", str(later), experiments)
        else:
            table = self.build.environment["PROBESHEETS_SOURCE_SCHEMA"] + ".table_output"
            insert = f"insert into {table} ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"
            self.build.server.root.execute(insert, self.new_rows)

    def logs(self, event: str) -> Callable[[], bool]:
        """A function that tells whether the build log has got such an event since this call."""
        log = f"{self.build.schema}.probesheets_builds"
        [(before,)] = self.build.query(f"select max(event_id) from {log}")
        return lambda: bool(self.build.query(f"select 1 from {log} where event_id > {before} and event = '{event}'"))

    def refused(self, *parts: str, arguments: tuple[str, ...] = ()) -> str:
        """Export and verify are refused, and out/ stays unchanged; returns the command that the export advises."""
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


def copy_tables(server: Server, source: str, target: str) -> None:
    """Replace the tables of the schema `target` by copies of those of `source`."""
    tables = "select table_name from information_schema.tables where table_type = 'BASE TABLE' and table_schema = "
    for (name,) in server.root.execute(f"{tables}'{target}'"):
        server.root.execute(f"drop table {target}.{name}")
    for (name,) in server.root.execute(f"{tables}'{source}'"):
        server.root.execute(f"create table {target}.{name} like {source}.{name}")
        server.root.execute(f"insert into {target}.{name} select * from {source}.{name}")
