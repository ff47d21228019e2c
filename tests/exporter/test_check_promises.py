"""What `check` promises, `run` does: both over bad inputs, and over odd ones that are good, on every engine.

Good or bad, neither gives a traceback; what stops `run` is what `check` has said.
"""

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from probesheets.project.build import find_faults
from probesheets.workbooks.layout import Column, Layout
from probesheets.workbooks.layout import check as check_layout
from tests.build import command as executable
from tests.build import dbt_build, make_project, run
from tests.conftest import SERVERS
from tests.exporter.command import Result, probesheets
from tests.exporter.test_export import sheet
from tests.servers import Server

COLUMNS = ["id", "experiment_id", "root_id", "depth", "tag", "probe", "content", "mood", "output_id", "column_1"]
ROWS = [
    (1, 1, 0, 0, "raw", "Say", "Say it all", "m1", "o1", "c1"),
    (2, 1, 1, 1, "trimmed", "Say", "Say one \\ www.example.com/a ''", "m2", "o2", "c2"),
    (3, 1, 1, 1, "date", "Say", "2020-03-05", "m3", "o3", "c3"),
    (4, 1, 1, 1, "text_key", "Say", "a key's \\ value", "m4", "o4", "c4"),
    (5, 1, 1, 2, "trimmed", "Say", "Say two", "m\\5", "o5", "c5"),
    (6, 1, 1, 2, "a'%s\\", "Say", "odd", "m6", "o6", "c6"),
]
# names that the SQL of the models has for its own, and names that SQL, dbt or Jinja might take for something else
ODD_BUT_GOOD = {
    "extra_tags": ["text_key", "a'%s\\", "tag_1", "extra_1", "is_blank", "é", "e", "{{ 1 }}", 7],
    "extra_columns": ["output_id", "column_1", "mood", "content", "depth"],
}


@dataclass(frozen=True)
class Case:
    """An input; `says` is a part of what both commands say of it, "" if it is good."""

    says: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] = lambda folder: None
    source: tuple[str, ...] = ("--source", "source.csv")


def write_source(file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *ROWS])


def as_yaml(variables: Mapping[str, Any]) -> str:
    """On one line, all but ASCII escaped: YAML takes no control characters, nor JSON's escapes of emoji."""
    return yaml.safe_dump(dict(variables), default_flow_style=True, width=10**9).strip()


def both(
    ask: Callable[..., Result], says: Sequence[str], variables: Mapping[str, Any], *arguments: str
) -> tuple[Result, Result]:
    """`check` and then `run`: the same end, no traceback, and what they must say."""
    options = [*arguments, "--vars", as_yaml(variables)]
    checked, ran = ask("check", *options), ask("run", *options)
    said = checked.out + checked.err + ran.out + ran.err
    assert (checked.code, ran.code) == ((1, 1) if says else (0, 0)), said
    assert "Traceback" not in said
    for part in says:
        assert part in checked.out + checked.err and part in ran.err, said
    return checked, ran


# --- DuckDB


def a_folder(folder: Path) -> None:
    (folder / "there.duckdb").mkdir()


def a_text(folder: Path) -> None:
    (folder / "there.duckdb").write_text("no database " * 500, encoding="utf-8")


def a_view(folder: Path) -> None:
    with duckdb.connect(str(folder / "there.duckdb")) as connection:
        connection.execute("create view table_output as select 1 as id")


def integers(folder: Path) -> None:
    with duckdb.connect(str(folder / "there.duckdb")) as connection:
        connection.execute(f"create table table_output as from read_csv('{folder / 'source.csv'}', all_varchar = true)")


def an_exposure(change: Callable[[dict[Any, Any]], object], model: str = "links") -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        models = (folder / "models").resolve()
        (folder / "models").unlink()
        shutil.copytree(models, folder / "models")
        file = folder / "models" / "exports" / "spreadsheets.yml"
        exports = yaml.safe_load(file.read_text(encoding="utf-8"))
        [exposure] = [exposure for exposure in exports["exposures"] if exposure["name"] == "links"]
        exposure["depends_on"] = [f"ref('{model}')"]
        change(exposure["config"]["meta"])
        file.write_text(yaml.safe_dump(exports, sort_keys=False), encoding="utf-8")

    return prepare


def at(place: str) -> Mapping[str, str]:
    return {"PROBESHEETS_DUCKDB": place}


THERE, BUNDLED = at("there.duckdb"), ()
ON_DUCKDB = {
    "null in a list": Case("extra_tags must be a list of texts", {"extra_tags": [None]}),
    "a list in a list": Case("extra_tags must be a list of texts", {"extra_tags": [["a"]]}),
    "a mapping in a list": Case("extra_columns must be a list of texts", {"extra_columns": [{"a": "b"}]}),
    "true in a list": Case("extra_tags must be a list of texts", {"extra_tags": [True]}),
    "a truth value": Case("date_tag must be a text", {"date_tag": True}),
    "a column that is missing": Case("has no column nope", {"extra_columns": ["mood", "nope"]}),
    "a text tag with an escape": Case("text_tag names", {"text_tag": "\x1b[2Jtrimmed"}),
    "a folder": Case("there.duckdb cannot be opened for writing", {}, THERE, a_folder),
    "a folder, the sample": Case("there.duckdb cannot be opened for writing", {}, THERE, a_folder, BUNDLED),
    "a text file": Case("there.duckdb cannot be opened for writing", {}, THERE, a_text),
    "a text file, the sample": Case("there.duckdb cannot be opened for writing", {}, THERE, a_text, BUNDLED),
    "a view": Case("table_output is a view in it", {}, THERE, a_view),
    "no folder": Case("no is no folder that can be written", {}, at("no/there.duckdb")),
    "an empty name": Case("PROBESHEETS_DUCKDB must name a file", {}, at("")),
    "a catalog of DuckDB": Case("PROBESHEETS_DUCKDB must name a file", {}, at("main.duckdb")),
    "a quotation mark": Case("PROBESHEETS_DUCKDB must name a file", {}, at("o'b.duckdb"), source=BUNDLED),
    "no file": Case("PROBESHEETS_DUCKDB must name a file", {}, at(":memory:")),
    "a table of texts": Case("table_output.id is of the type VARCHAR", {}, THERE, integers, BUNDLED),
    "an order that is no column": Case(
        "Exposure links (models/exports/spreadsheets.yml): order_by must be a column or a list of columns, and not 1.",
        prepare=an_exposure(lambda meta: meta.update(order_by=[1])),
    ),
    "a project that dbt cannot read": Case("no_such_model", prepare=an_exposure(lambda _: None, "no_such_model")),
}


@pytest.mark.parametrize("case", ON_DUCKDB.values(), ids=ON_DUCKDB)
def test_what_stops_run_is_what_check_has_said(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    make_project(folder)
    write_source(folder / "source.csv")
    case.prepare(folder)
    environment = at(str(folder / "probesheets.duckdb")) | dict(case.environment)

    def ask(command: str, *arguments: str) -> Result:
        return probesheets(folder, environment, command, *arguments)

    both(ask, [case.says], case.variables, *case.source)
    assert not (folder / "out").exists() or not list((folder / "out").rglob("*.xlsx"))


BAD_NAMES = {
    "a-b": "appears twice",
    "A b": "appears twice",
    "日本!": "appears twice",
    "---": "cannot be the name of a column",
    "_x0041_": "cannot be the name of a column",
    "x\\u001b[2J": "cannot be the name of a column",
    "x\\u202ey": "cannot be the name of a column",
    "x\\u00a0y": "cannot be the name of a column",
    "x ": "cannot be the name of a column",
    'a\\"b'.replace("\\", ""): "cannot be the name of a column",
    "ſame as": "is a header of the spreadsheets",
    "ID": "is a header of the spreadsheets",
    "Text_İd": "is taken",
    "file_stem": "is taken",
}


def test_every_name_that_is_no_column_is_named_by_both(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    write_source(tmp_path / "p" / "source.csv")
    given = [json.loads(f'"{name}"') if "\\u" in name else name for name in BAD_NAMES]
    says = [f'the name "{name}" {fault}' for name, fault in BAD_NAMES.items()]
    environment = at(str(tmp_path / "probesheets.duckdb"))
    both(
        lambda *arguments: probesheets(tmp_path / "p", environment, *arguments),
        says,
        {"extra_tags": ["a b", "日本", "fine", *given]},
        "--source",
        "source.csv",
    )
    with duckdb.connect(environment["PROBESHEETS_DUCKDB"], read_only=True) as connection:
        assert connection.execute("show tables").fetchall() == [("table_output",)]  # nothing was built


def test_a_name_that_dbt_takes_is_a_header_that_the_export_takes(tmp_path: Path) -> None:
    """Two rules, one in Jinja and one in Python: what the first lets through must not stop the export after it."""
    make_project(tmp_path / "p")
    make = [chr(code) for code in [*range(1, 0x180), 0x2028, 0x200B, 0x3000, 0xFB01, 0xFFFF, 0x1F600]]
    names = [f"x{character}{number}" for number, character in enumerate(make)]
    names += [f"{character}y{number}" for number, character in enumerate(make)]
    names += ["z" * 63, "z" * 64, "_", "٣", "漢字", "Ⅷ", "x_x00e9_", "x_x00g9_"]
    answer = find_faults(
        tmp_path / "p", "duckdb", as_yaml({"extra_tags": names}), at(str(tmp_path / "probesheets.duckdb"))
    )
    refused = {name for name in names if any(f'"{shown_by_jinja(name)}" cannot' in fault for fault in answer["faults"])}
    assert refused == {name for name in names if not fits(name)}
    assert 50 < len(refused) < len(names) / 2


def shown_by_jinja(name: str) -> str:
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in name)


def fits(name: str) -> bool:
    try:
        check_layout(Layout("Sheet", (Column("record_id", "Record ID"), Column(name, name))))
    except ValueError:
        return False
    return '"' not in name and "`" not in name  # which end a name in SQL


def test_dbt_by_hand_refuses_the_same(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    variables = {"extra_tags": [None], "date_tag": True, "bare_links": "no", "text_tga": "x"}
    result = dbt_build(tmp_path / "p", "duckdb", at(str(tmp_path / "probesheets.duckdb")), variables)
    assert result.returncode
    said = ["extra_tags must be a list of texts", "date_tag must be a text", "bare_links must be true or false"]
    for part in [*said, "There is no variable 'text_tga'", "Valid: text_tag, date_tag"]:
        assert part in result.stdout
    with duckdb.connect(str(tmp_path / "probesheets.duckdb"), read_only=True) as connection:
        assert connection.execute("show tables").fetchall() == []


# --- servers

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
    "ORACLE": OnServer("sql_mode holds ORACLE", settings=mode("ORACLE"), only="mariadb"),
    "backslashes": OnServer("holds NO_BACKSLASH_ESCAPES", settings=mode("NO_BACKSLASH_ESCAPES"), only="mariadb"),
    "empty is null": OnServer("holds EMPTY_STRING_IS_NULL", settings=mode("EMPTY_STRING_IS_NULL"), only="mariadb"),
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
    "too many columns": OnServer(
        "extra_tags and extra_columns list 151 names", {"extra_tags": [f"tag {n}" for n in range(151)]}, only="mysql"
    ),
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
    """Schemas whose names need quotes, a view instead of a table, and an SQL mode in which `"` quotes a name."""
    server: Server = request.getfixturevalue(f"{server_engine}_server")
    make_project(tmp_path / "p")
    modes = "MSSQL,PAD_CHAR_TO_FULL_LENGTH" if server_engine == "mariadb" else "ANSI,PAD_CHAR_TO_FULL_LENGTH"
    view = "create view `a source`.as_it_is as select * from `a source`.table_output"
    with prepared(server, OnServer("", settings=mode(modes), sql=view), "a source", "my-models") as environment:
        server.root.execute("rename table `a source`.table_output to `a source`.kept")
        server.root.execute("drop view `a source`.as_it_is")
        server.root.execute("create view `a source`.table_output as select * from `a source`.kept")
        both(asking(tmp_path / "p", server_engine, environment), [], ODD_BUT_GOOD)
    assert read(tmp_path / "p" / "out") == cells
