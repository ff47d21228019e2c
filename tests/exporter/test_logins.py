"""A login that fails: each cause has advice of its own, in `check` and in `run`, and no password is shown."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.build import make_project
from tests.exporter.command import Result, probesheets
from tests.exporter.promises import both
from tests.exporter.test_check_promises_on_servers import OnServer, asking, prepared
from tests.servers import PASSWORD, USER

NOWHERE = "no-such-host.invalid"
NOT_SET = "PROBESHEETS_PASSWORD is not set. Set it, as in: export PROBESHEETS_PASSWORD=…"
SOURCES = {  # by the part of the URL that is changed: another value, and what both say
    "host": (NOWHERE, "There is no such host. Check the host in --source."),
    "port": ("1", "Check the host and the port in --source, and make sure that the server is running."),
    "user": ("nobody", "Check the user in --source, and the password in PROBESHEETS_PASSWORD."),
    "password": ("not this one", "Check the user in --source, and the password in PROBESHEETS_PASSWORD."),
    "no password": ("", NOT_SET),
    "schema": ("nowhere", "Check the schema in --source. Schemas with a table_output that this user can read: source"),
}
TARGETS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "host": ({"PROBESHEETS_HOST": NOWHERE}, "There is no such host. Check PROBESHEETS_HOST."),
    "port": (
        {"PROBESHEETS_PORT": "1"},
        "Check PROBESHEETS_HOST and PROBESHEETS_PORT, and make sure that the server is running.",
    ),
    "no port": ({"PROBESHEETS_PORT": "65536"}, "PROBESHEETS_PORT must be a number such as 3306; it is '65536'."),
    "user": ({"PROBESHEETS_USER": "nobody"}, "Check PROBESHEETS_USER, and the password in PROBESHEETS_PASSWORD."),
    "password": (
        {"PROBESHEETS_PASSWORD": "not this one"},
        "Check PROBESHEETS_USER, and the password in PROBESHEETS_PASSWORD.",
    ),
    "no password": ({"PROBESHEETS_PASSWORD": ""}, NOT_SET),
    "schema": (
        {"PROBESHEETS_SCHEMA": "nowhere"},
        "Check PROBESHEETS_SCHEMA, or ask the administrator to create nowhere and to grant ALL on it to this user.",
    ),
    "source schema": ({"PROBESHEETS_SOURCE_SCHEMA": "nowhere"}, "Set PROBESHEETS_SOURCE_SCHEMA to the schema that"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture
def environment(request: pytest.FixtureRequest, server_engine: str) -> Iterator[dict[str, str]]:
    with prepared(request.getfixturevalue(f"{server_engine}_server"), OnServer("")) as found:
        yield found


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
@pytest.mark.parametrize("wrong", SOURCES)
def test_a_source(wrong: str, scheme: str, environment: dict[str, str], project: Path) -> None:
    value, says = SOURCES[wrong]
    parts = {"host": "127.0.0.1", "port": environment["PROBESHEETS_PORT"], "user": USER, "schema": "source"} | {
        wrong: value
    }
    source = f"{scheme}://{parts['user']}@{parts['host']}:{parts['port']}/{parts['schema']}"
    password = {"PROBESHEETS_PASSWORD": value if "password" in wrong else PASSWORD}

    def ask(command: str, *arguments: str) -> Result:
        return probesheets(project, password, command, *arguments)

    checked, ran = both(ask, [f"{source}", says], {}, "--source", source)
    for said in (checked.out, ran.err):
        assert PASSWORD not in said and "not this one" not in said and 'parameters ""' not in said


def test_a_source_of_the_scheme_mariadb(environment: dict[str, str], project: Path) -> None:
    source = f"mariadb://{USER}@127.0.0.1:{environment['PROBESHEETS_PORT']}/source"
    result = probesheets(project, {"PROBESHEETS_PASSWORD": PASSWORD}, "check", "--source", source)
    assert result.code == 0 and f"Read 6 rows of table_output from {source}" in result.out


@pytest.mark.parametrize("wrong", TARGETS)
def test_a_target(wrong: str, server_engine: str, environment: dict[str, str], project: Path) -> None:
    change, says = TARGETS[wrong]
    checked, ran = both(asking(project, server_engine, {**environment, **change}), [says], {})
    for said in (checked.out, ran.err):
        assert PASSWORD not in said and "not this one" not in said


def test_a_schema_without_models(environment: dict[str, str], server_engine: str, project: Path) -> None:
    """An export cannot know whether nothing was built, or whether the models are elsewhere."""
    result = asking(project, server_engine, environment)("export")
    assert result.code == 1 and "or PROBESHEETS_SCHEMA or PROBESHEETS_DUCKDB names another place" in result.err
