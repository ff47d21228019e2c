"""What `check` promises, `run` does: both for bad inputs on the servers, and for odd but good ones everywhere."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.build import command as executable
from tests.build import make_project, run
from tests.conftest import SERVERS
from tests.exporter.command import Result, probesheets
from tests.exporter.promises import COLUMNS, ODD_BUT_GOOD, ROWS, at, both, write_source
from tests.exports import sheet
from tests.servers import Server

TYPES = dict.fromkeys(COLUMNS[:4], "int") | {"tag": "varchar(50)", "probe": "longtext", "content": "longtext"}
TYPES |= {"id": "int primary key", **dict.fromkeys(COLUMNS[7:], "varchar(50)")}


@dataclass(frozen=True)
class OnServer:
    """`settings` are global variables of the server, `types` other types of table_output, `sql` changes its rows."""

    says: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    sql: str = "do 0"
    environment: Mapping[str, str] = field(default_factory=dict)
    only: str = ""  # on this engine


def mode(name: str) -> Mapping[str, str]:
    return {"sql_mode": f"'{name}'"}


UNREADABLE = "update source.table_output set content = unhex('c328') where id = 5"
TOO_LONG = "update source.table_output set content = repeat('\"\\n', 50000) where id = 5"
ON_SERVERS = {
    "ORACLE": OnServer("sql_mode includes ORACLE", settings=mode("ORACLE"), only="mariadb"),
    "modes": OnServer(
        "includes NO_BACKSLASH_ESCAPES, EMPTY_STRING_IS_NULL",
        settings=mode("NO_BACKSLASH_ESCAPES,EMPTY_STRING_IS_NULL"),
        only="mariadb",
    ),
    "a small packet": OnServer(
        "max_allowed_packet is 65,536 bytes", settings={"max_allowed_packet": "65536"}, only="mariadb"
    ),
    "a long text": OnServer(
        "max_allowed_packet is 262,144 bytes", settings={"max_allowed_packet": "262144"}, sql=TOO_LONG
    ),
    "one schema": OnServer("are both source", environment={"PROBESHEETS_SCHEMA": "source"}, only="mariadb"),
    "a depth of text": OnServer(
        "table_output.depth is of the type varchar", types={"depth": "varchar(9)"}, only="mysql"
    ),
    "bits": OnServer(
        "table_output.mood is of the type bit", {"extra_columns": ["mood"]}, types={"mood": "bit(50)"}, only="mariadb"
    ),
    "an id twice": OnServer(
        "table_output has 2 rows with the id 5",
        types={"id": "int"},
        sql="update source.table_output set id = 5 where id = 6",
        only="mariadb",
    ),
    "no UTF-8": OnServer("table_output.content: 1 values are not UTF-8", types={"content": "longblob"}, sql=UNREADABLE),
    "emoji": OnServer('the name "a😀" cannot be', {"extra_tags": ["a😀"]}, only="mysql"),
    "a primary key": OnServer("primary key", settings={"sql_require_primary_key": "on"}, only="mysql"),
    "read only": OnServer("read", settings={"read_only": "on"}, only="mariadb"),
}


@contextmanager
def prepared(
    server: Server, case: OnServer, source: str = "source", target: str = "target"
) -> Iterator[dict[str, str]]:
    """The environment of two schemas that are there, with the rows, under the settings of a case."""
    for schema in (source, target):
        server.root.execute(f"create schema `{schema}` default character set utf8mb4")
    server.root.execute(f"grant select on `{source}`.* to analyst@'%'")
    server.root.execute(f"grant all on `{target}`.* to analyst@'%'")
    types = ", ".join(f"{name} {kind}" for name, kind in (TYPES | dict(case.types)).items())
    server.root.execute(f"create table `{source}`.table_output ({types})")
    places = ", ".join(["%s"] * len(COLUMNS))
    server.root.execute(f"insert into `{source}`.table_output values ({places})", ROWS)
    server.root.execute(case.sql)
    before = {name: server.root.execute(f"select @@global.{name}")[0][0] for name in case.settings}
    try:
        for name, value in case.settings.items():
            server.root.execute(f"set global {name} = {value}")
        yield {**server.environment(source, target), **case.environment}
    finally:
        for name, value in before.items():
            server.root.execute(f"set global {name} = {value if isinstance(value, int) else repr(value)}")
        for schema in (source, target):
            server.root.execute(f"drop schema `{schema}`")


def asking(folder: Path, target: str, environment: Mapping[str, str]) -> Callable[..., Result]:
    def ask(command: str, *arguments: str) -> Result:
        result = run(
            [str(executable(target, "probesheets")), command, "--target", target, *arguments], folder, environment
        )
        return Result(result.returncode, result.stdout, result.stderr)

    return ask


PAIRS = [(engine, name) for engine in SERVERS for name, case in ON_SERVERS.items() if case.only in ("", engine)]


@pytest.mark.parametrize(("server_engine", "name"), PAIRS)
def test_what_stops_run_on_a_server(
    server_engine: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    case = ON_SERVERS[name]
    server: Server = request.getfixturevalue(f"{server_engine}_server")
    make_project(tmp_path / "p")
    with prepared(server, case) as environment:
        both(asking(tmp_path / "p", server_engine, environment), [case.says], case.variables)
        assert not server.root.execute("show tables from target like 'texts'")  # nothing of use was built
    assert not list((tmp_path / "p").glob("out/**/*.xlsx"))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    """What DuckDB makes of the good names: the rows of each workbook."""
    folder = tmp_path_factory.mktemp("good") / "p"
    make_project(folder)
    write_source(folder / "source.csv")
    environment = at(str(folder / "probesheets.duckdb"))
    both(lambda *arguments: probesheets(folder, environment, *arguments), [], ODD_BUT_GOOD, "--source", "source.csv")
    return read(folder / "out")


def read(out: Path) -> dict[str, list[list[Any]]]:
    return {file.relative_to(out).as_posix(): sheet(file) for file in out.glob("*_links/*.xlsx")}


def test_names_that_the_models_use_themselves(cells: dict[str, list[list[Any]]]) -> None:
    [rows] = [rows for name, rows in cells.items() if name.startswith("with_links")]
    found = dict(zip(rows[0], rows[1], strict=True))
    assert found["text_key"] == "a key's \\ value" and found["a'%s\\"] == "odd"
    assert (found["output_id"], found["column_1"], found["mood"], found["depth"]) == ("o2", "c2", "m2", "1")
    assert found["content"] == "Say one \\ www.example.com/a ''" and found["Text"] == "one \\ www.example.com/a ''"
    assert rows[2][rows[0].index("mood")] == "m\\5"


def test_odd_names_schemas_and_modes_are_no_matter_on_a_server(
    cells: dict[str, list[list[Any]]], server_engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Schemas whose names need quotes, a view with names in capitals, and an SQL mode in which `"` quotes a name."""
    server: Server = request.getfixturevalue(f"{server_engine}_server")
    make_project(tmp_path / "p")
    modes = "MSSQL,PAD_CHAR_TO_FULL_LENGTH" if server_engine == "mariadb" else "ANSI,PAD_CHAR_TO_FULL_LENGTH"
    view = "create view `a source`.as_it_is as select * from `a source`.table_output"
    with prepared(server, OnServer("", settings=mode(modes), sql=view), "a source", "my-models") as environment:
        server.root.execute("rename table `a source`.table_output to `a source`.kept")
        server.root.execute("drop view `a source`.as_it_is")
        capitals = ", ".join(f"{name} as {name.upper()}" for name in COLUMNS[:7])
        others = ", ".join(COLUMNS[7:])  # the names of extra columns stay as they are
        server.root.execute(f"create view `a source`.table_output as select {capitals}, {others} from `a source`.kept")
        both(asking(tmp_path / "p", server_engine, environment), [], ODD_BUT_GOOD)
    assert read(tmp_path / "p" / "out") == cells
