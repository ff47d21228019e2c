"""`probesheets check`: what it finds before anything is built, and that `run` agrees."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build import Build, Source, make_project, run
from tests.build import command as executable
from tests.conftest import Builder
from tests.exporter.command import Result, probesheets
from tests.servers import ROOT, Server

SAMPLE = ROOT / "sample" / "table_output.csv"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in which nothing has been built."""
    make_project(tmp_path / "p")
    return tmp_path / "p"


def check(folder: Path, *arguments: str) -> Result:
    return probesheets(folder, {}, "check", *arguments)


def test_it_counts_what_the_models_count(built_sample: Build) -> None:
    result = check(built_sample.folder)
    assert result.code == 0 and result.out.endswith("run would succeed.\n"), result.out
    texts = built_sample.rows("texts", ["text_id", "probe", "starts_with_probe", "date", "date_text"])
    whole = sum(1 for _, probe, starts, *_ in texts if not starts and probe != "(no probe)")
    assert f"Texts that begin with their probe, which is removed: {sum(1 for row in texts if row[2])}" in result.out
    assert f". Texts that do not: {whole}." in result.out
    probes = len({row[1] for row in texts})
    (blank,) = (row[0] for row in built_sample.query("select blank_texts from main.accounts"))
    assert f"{len(texts) + blank} text rows of {probes} probes; {blank} blank, " in result.out
    (dateless,) = (
        row[0] for row in built_sample.query("select count(*) from main.combined_v2 where date_match = 'none'")
    )
    assert f"Texts without a row with the tag 'date': {dateless} of {len(texts) + blank}." in result.out
    odd = {row[4] for row in texts if row[4] and row[3] is None}
    assert f"Dates that cannot be read: {len(odd)} of " in result.out and all(repr(text) in result.out for text in odd)
    assert "'Masks are', 'masks are'" in result.out and "'Date', 'Trimmed '" in result.out
    assert len(result.out.splitlines()) < 25  # one screen


def test_a_source_is_read_and_nothing_is_kept(project: Path) -> None:
    before = sorted(project.iterdir())
    result = check(project, "--source", str(SAMPLE))
    assert result.code == 0 and "1,073 rows" in result.out and "no table_experiment" in result.out
    assert sorted(project.iterdir()) == before
    assert check(project).out.count("will use the sample") == 1


def test_findings_as_json(project: Path) -> None:
    result = check(project, "--json", "--vars", "{date_tag: dates}")
    findings = json.loads(result.out)
    assert {finding["level"] for finding in findings} == {"ok", "look"}
    assert any("No row has the tag 'dates'" in finding["text"] for finding in findings)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--source", "none.csv"], ["STOP  none.csv does not exist"]),
        (["--vars", "{text_tag: trimmd}"], ["STOP  text_tag is 'trimmd', but no row", "trimmed (310)"]),
        (["--vars", "{extra_columns: [mood]}"], ["STOP  table_output has no column mood", "sent_label"]),
        (
            ["--vars", "{extra_tags: [probe, '', model]}"],
            [
                'STOP  extra_tags or extra_columns: the name "probe" is taken',
                'STOP  extra_tags or extra_columns: the name "" cannot be the name',
                'STOP  extra_tags or extra_columns: the name "model" is a header',
            ],
        ),
        (["--target", "mariadb"], ["STOP  Target mariadb needs dbt-mysql", "make .venv-mysql"]),
        (["--source", "mysql://nobody@127.0.0.1:1/x"], ["STOP  mysql://nobody@127.0.0.1:1/x cannot be read"]),
    ],
)
def test_run_would_fail(project: Path, arguments: list[str], parts: list[str]) -> None:
    result = check(project, *arguments)
    assert result.code == 1 and "run would fail" in result.out
    assert all(part in result.out for part in parts), result.out


def test_without_dbt_it_reads_the_source(project: Path) -> None:
    shutil.copy(SAMPLE, project / "table_output.csv")
    script = (
        "import sys; sys.modules['dbt'] = None\n"
        "from probesheets.cli import main\n"
        "main(['check', '--source', 'table_output.csv'])"
    )
    result = run([sys.executable, "-c", script], project, {"PYTHONPATH": str(ROOT)})
    assert "Read 1,073 rows" in result.stdout and "STOP  Target duckdb needs dbt-duckdb" in result.stdout, result.stderr


def test_help_is_quick() -> None:
    script = (
        "import sys\nfrom probesheets.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({'pandas', 'pyarrow', 'duckdb', 'openpyxl', 'dbt', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.stdout.endswith("[]\n"), result.stdout + result.stderr


def test_a_copy_imports_only_what_it_needs(project: Path) -> None:
    """DuckDB imports pandas for the first parameter of a query; this takes as long as the copy of 30 MB."""
    (project / "a.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")
    script = (
        "import sys\nfrom pathlib import Path\nfrom probesheets.source.asked import Source\n"
        "from probesheets.source.copy import copy_source\ncopy_source(Path('c.duckdb'), Source('a.jsonl'))\n"
        f"print('pyarrow' in sys.modules)\ncopy_source(Path('c.duckdb'), Source({str(SAMPLE)!r}))\n"
        "print('pyarrow' in sys.modules, 'pandas' in sys.modules)"
    )
    result = run([sys.executable, "-c", script], project, {"PYTHONPATH": str(ROOT)})
    assert result.stdout == "False\nTrue False\n", result.stdout + result.stderr


# --- servers


def server_check(server: Server, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run([str(executable(server.kind, "probesheets")), "check", "--target", server.kind], folder, environment)


def test_a_server_that_run_can_build_on(built: Builder, sample: Source, server_engine: str) -> None:
    build = built(server_engine, sample)
    before = build.query(f"show tables from {build.schema}")
    result = build.probesheets("check", "--target", server_engine)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"The user can build in the schema {build.schema}" in result.stdout
    local = check(built("duckdb", sample).folder).out.splitlines()
    assert [line for line in local if "copy of the source" not in line][1:] == result.stdout.splitlines()[3:]
    assert build.query(f"show tables from {build.schema}") == before


def test_rights_that_are_missing(request: pytest.FixtureRequest, server_engine: str, project: Path) -> None:
    server: Server = request.getfixturevalue(f"{server_engine}_server")
    server.root.execute("create schema check_source")
    server.root.execute("create schema check_target")
    environment = server.environment("check_source", "check_target")
    result = server_check(server, project, environment)
    said = "Missing rights: CREATE (the schema does not exist, or is hidden from the user)."
    assert result.returncode == 1 and said in result.stdout
    assert "There is no table `check_source`.`table_output`, or this user cannot read it" in result.stdout
    assert "The server says: " in result.stdout and "denied" in result.stdout
    server.root.execute("grant create, drop, insert, select on check_target.* to analyst@'%'")
    result = server_check(server, project, environment)
    assert result.returncode == 1 and "Missing rights: INDEX, CREATE VIEW, ALTER." in result.stdout, result.stdout
    assert server.root.execute("show tables from check_target") == []
    server.root.execute("revoke drop on check_target.* from analyst@'%'")
    result = server_check(server, project, environment)
    [left] = [line for line in result.stdout.splitlines() if "cannot drop" in line]
    tables = [name for (name,) in server.root.execute("show tables from check_target")]
    assert result.returncode == 1 and len(tables) == 2 and all(f"`{name}`" in left for name in tables), result.stdout
    result = server_check(server, project, {**environment, "PROBESHEETS_PASSWORD": "wrong"})
    assert result.returncode == 1 and "refuses user analyst" in result.stdout and "wrong" not in result.stdout
