"""The documents show what exists: commands, options, and the tutorial, run as written."""

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import typer
import yaml
from typer.main import get_command

from probesheets.cli import app
from tests.build import Build, Source, make_project, own_part, run
from tests.build import command as executable
from tests.conftest import Builder
from tests.exports import sheet
from tests.servers import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
FENCE = re.compile(r"^```(\w+) ?([\w./]*)\n(.*?)^```$", re.M | re.S)


def commands() -> dict[str, set[str]]:
    """Every command with its options."""
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return {
        name: {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for name, command in group.commands.items()
    }


def test_every_command_that_is_shown_is_there() -> None:
    known = commands()
    shown = [
        (document.name, name, line)
        for document in DOCUMENTS
        for line, name in re.findall(r"(probesheets ([a-z]+)\b[^\n`]*)", document.read_text(encoding="utf-8"))
        if name in known or "--" in line
    ]
    assert len(shown) > 10
    for document, name, line in shown:
        assert name in known, f"{document} shows {line!r}"
        for option in re.findall(r"--[a-z-]+", line):
            assert option in known[name], f"{document} shows {option} of {name}"


def test_every_command_and_option_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, options in commands().items():
        assert f"probesheets {name}" in readme, name
        for option in options - {"--help"}:
            if option.startswith("--"):
                assert option in readme, f"{option} of {name}"


def test_every_command_has_an_example() -> None:
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for name, command in group.commands.items():
        assert f"Example: probesheets {name}" in (command.help or ""), name


def test_every_macro_says_what_it_does() -> None:
    for file in (ROOT / "macros").rglob("*.sql"):
        assert file.read_text(encoding="utf-8").startswith("{#"), file.name
        assert file.read_text(encoding="utf-8").isascii(), file.name


def test_every_model_and_column_is_described(built: Builder, sample: Source) -> None:
    build = built("duckdb", sample)
    for node in build.manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert node["description"], node["name"]
            described = {name for name, column in node["columns"].items() if column["description"]}
            if node["config"]["materialized"] == "ephemeral":
                continue
            found = {name for name in build.columns(node["alias"]) if not name.startswith("extra_")}
            if node["name"] in ("extras", "texts", "texts_without_links", "linked_texts"):
                found -= {*sample.variables["extra_tags"], *sample.variables["extra_columns"]}
            assert found == described, node["name"]
    [outputs] = [node for node in build.manifest["sources"].values() if node["name"] == "table_output"]
    assert {name for name, column in outputs["columns"].items() if column["description"]} == {*sample.outputs[0]}
    assert all(exposure["description"] for exposure in build.manifest["exposures"].values())


def test_the_tutorial_runs_as_written(built: Builder, sample: Source, tmp_path: Path) -> None:
    build: Build = built("duckdb", replace(sample, name="plain", variables={}))
    project = tmp_path / "p"
    make_project(project)
    own_part(project, "macros")
    shutil.copy(build.database, tmp_path / "p.duckdb")
    environment = {"PROBESHEETS_DUCKDB": str(tmp_path / "p.duckdb")}
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for kind, path, content in FENCE.findall(tutorial):
        if path:
            assert not (project / path).exists()
            (project / path).write_text(content, encoding="utf-8")
        if kind == "sh":
            for line in content.splitlines():
                name, *arguments = shlex.split(line)
                result = run([str(executable("duckdb", name)), *arguments], project, environment)
                assert result.returncode == 0, result.stdout + result.stderr
    rows = sheet(project / "out" / "questions" / "masks-are-96ca1b6f084fafd4.xlsx")
    assert rows[0] == ["Record ID", "Date", "Words", "Text"]
    assert all("?" in row[3] and row[2] == len(row[3].split()) for row in rows[1:] if "-" not in row[0])
    assert [row[2] for row in rows[1:]] == sorted((row[2] for row in rows[1:]), reverse=True)


def test_every_path_that_is_named_exists() -> None:
    """In documents, and in comments of code and SQL; the tutorial's own files are the reader's."""
    folders = ("benchmarks", "docs", "exporter", "macros", "models", "requirements", "sample", "tests")
    named = re.compile(rf"(?<![\w/.])((?:{'|'.join(folders)})/[\w./-]*\w)")
    code = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".sql", ".yml")]
    code = [file for file in code if not file.name.startswith("test_")]  # tests make files of their own
    texts = {file: file.read_text(encoding="utf-8") for file in [*DOCUMENTS, *code]}
    written = {path for _, path, _ in FENCE.findall(texts[ROOT / "docs" / "tutorial.md"]) if path}
    missing = {
        f"{file.relative_to(ROOT)}: {path}"
        for file, text in texts.items()
        for path in named.findall(text)
        if path not in written and not (ROOT / path).exists()
    }
    assert not missing


def test_every_public_macro_is_described_as_its_file_says() -> None:
    """The macros of the rules: one for each file, with its arguments."""
    for folder in ("dates", "engine", "links", "text"):
        described = {}
        for macro in yaml.safe_load((ROOT / "macros" / folder / f"{folder}.yml").read_text(encoding="utf-8"))["macros"]:
            arguments = [argument["name"] for argument in macro.get("arguments", []) if argument["description"]]
            described[macro["name"]] = (macro["description"], arguments)
        expected = {}
        for file in (ROOT / "macros" / folder).glob("*.sql"):
            text = file.read_text(encoding="utf-8")
            if signature := re.search(rf"macro {file.stem}\(([^)]*)\)", text):
                comment = re.split(r"\n\s*(?:\n|\|)", text.removeprefix("{#").partition("#}")[0].strip())[0]
                names = [name.partition("=")[0].strip() for name in signature[1].split(",") if name.strip()]
                expected[file.stem] = (" ".join(comment.split()), names)
        assert described == expected


def test_pictures_are_small_and_shown() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    shown = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    assert pictures and all(f"(pictures/{file.name})" in shown for file in pictures)
    assert sum(file.stat().st_size for file in pictures) < 300_000
