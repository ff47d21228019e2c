"""The kind `qdpx`: what the standard and QualCoder's importer demand of a project of REFI-QDA.

PROBESHEETS_TEST_REFI names a folder with the standard's XSDs, PROBESHEETS_TEST_QUALCODER a checkout of QualCoder.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from probesheets.refi_qda.read import read_sources
from tests.build import Build
from tests.exporter.command import probesheets
from tests.exporter.test_qualcoder import needs_qualcoder, run_import
from tests.exports import contents, export, sheet

XSD = os.environ.get("PROBESHEETS_TEST_REFI")
NAMES = {"q": "urn:QDA-XML:project:1.0"}
CODES = "code,description\nHumour,A joke.\nDon't & <know>,\n"


@pytest.fixture(scope="module")
def out(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refi")
    (folder / "codes.csv").write_text(CODES, encoding="utf-8")
    arguments = ["--only", "qdpx", "--only", "all_texts", "--codebook", str(folder / "codes.csv")]
    assert export(built_sample, folder / "out", *arguments).code == 0
    return folder / "out"


def project_of(file: Path) -> tuple[ElementTree.Element, dict[str, str]]:
    """The XML of a project, and its texts by the GUID of the source."""
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name != "project.qde"]
        texts = {Path(name).stem: archive.read(name).decode("utf-8") for name in names}
        assert all(name.startswith("sources/") and name.endswith(".txt") for name in names)
        return ElementTree.fromstring(archive.read("project.qde")), texts


def test_each_text_is_a_source_with_its_columns(out: Path) -> None:
    project, texts = project_of(out / "texts.qdpx")
    variables = {one.attrib["guid"]: one.attrib for one in project.findall("q:Variables/q:Variable", NAMES)}
    found: dict[str, Any] = {}
    for source in project.findall("q:Sources/q:TextSource", NAMES):
        assert source.attrib["plainTextPath"] == f"internal://{source.attrib['guid']}.txt"
        found[source.attrib["name"]] = {"Text": texts[source.attrib["guid"]]}
        for value in source.findall("q:VariableValue", NAMES):
            reference, content = value
            variable = variables[reference.attrib["targetGUID"]]
            assert content.tag.endswith(f"}}{variable['typeOfVariable']}Value")
            found[source.attrib["name"]][variable["name"]] = content.text
    header, *rows = sheet(out / "all_texts.xlsx")
    whole: dict[str, Any] = {}
    for record, *cells in rows:
        if (first := record.partition("-")[0]) in whole:  # a piece of a long text
            whole[first]["Text"] += cells[0]
        else:
            texts_of = [str(int(cell)) if isinstance(cell, float) else str(cell) for cell in cells]
            pairs = zip(header[1:], texts_of, strict=True)
            whole[record] = {name: cell for name, cell in pairs if cell or name == "Text"}
    assert found == whole and len(found) == 308
    assert any(max(one["Text"] or " ") > "\U0001f600" for one in found.values())
    assert max(len(one["Text"]) for one in found.values()) > 32_767


def test_the_codebook_is_in_it(out: Path) -> None:
    project, _ = project_of(out / "texts.qdpx")
    every = project.findall("q:CodeBook/q:Codes/q:Code", NAMES)
    codes = [(code.attrib["name"], code.findtext("q:Description", None, NAMES)) for code in every]
    assert codes == [("Humour", "A joke."), ("Don't & <know>", None)]
    assert project.find("q:Users", NAMES) is None and project.find("q:Cases", NAMES) is None


def test_guids_are_in_upper_case_and_unique(out: Path) -> None:
    with zipfile.ZipFile(out / "texts.qdpx") as archive:
        guids = re.findall(r'(?<!target)\bguid="([^"]*)"', archive.read("project.qde").decode())
    assert len(guids) == len(set(guids)) > 300
    assert all(re.fullmatch("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", guid) for guid in guids)


def test_the_same_texts_give_the_same_bytes(built_sample: Build, out: Path, tmp_path: Path) -> None:
    """Whenever it is written."""
    arguments = ["--only", "qdpx", "--codebook", str(out.parent / "codes.csv")]
    assert export(built_sample, tmp_path, *arguments, environment={"SOURCE_DATE_EPOCH": "1900000000"}).code == 0
    assert contents(tmp_path)["texts.qdpx"] == contents(out)["texts.qdpx"]


@pytest.mark.skipif(not XSD, reason="PROBESHEETS_TEST_REFI names no folder with the XSDs of REFI-QDA")
def test_it_is_valid(built_sample: Build, out: Path, tmp_path: Path) -> None:
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(str(Path(XSD or "") / "REFI-Project.xsd")))
    dealt = ["--sample", "3", "--coders", "A & B,Ben", "--overlap", "50%", "--blind", "--only", "qdpx"]
    assert export(built_sample, tmp_path, *dealt).code == 0
    for file in (out / "texts.qdpx", tmp_path / "A & B" / "texts.qdpx"):
        with zipfile.ZipFile(file) as archive:
            schema.assertValid(etree.fromstring(archive.read("project.qde")))


def test_verify_reads_it(built_sample: Build, out: Path, tmp_path: Path) -> None:
    assert export(built_sample, tmp_path, "--only", "qdpx").code == 0

    def verify() -> str:
        arguments = ["verify", str(tmp_path), "--target", "duckdb"]
        result = probesheets(built_sample.folder, built_sample.environment, *arguments)
        return result.out + result.err

    assert "every cell matches" in verify()
    file, changed = tmp_path / "texts.qdpx", tmp_path / "changed"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(b"gpt2-medium-tweets", b"gpt3", 1)
            new.writestr(name, content.replace(b"vending", b"selling"))
    changed.replace(file)
    said = verify()
    assert "SHA-256" in said and "Model: 'gpt3'; the database has 'gpt2-medium-tweets'" in said and "selling" in said
    file.write_bytes(file.read_bytes()[:-100])
    assert "texts.qdpx: cannot be read" in verify()


WRITER = """
import resource, sys, tempfile
from datetime import datetime
from pathlib import Path
import pyarrow as pa
from probesheets.refi_qda.write import write_projects
from probesheets.workbooks.layout import Column, Layout

layout = Layout("Texts", (Column("id", "Record ID"), Column("text", "Text"), Column("n", "Number")), "text")

def chunks(count):
    for start in range(0, count, 1000):
        rows = range(start, min(start + 1000, count))
        texts = [f"text {n} " * 20 for n in rows]
        yield pa.record_batch([[f"T{n}" for n in rows], texts, [*rows]], ["id", "text", "n"])

how = {"group_by": None, "default_name": "texts", "created": datetime(2020, 1, 1)}
[written] = write_projects(chunks(int(sys.argv[1])), layout, Path(sys.argv[2]), **how)
print(written.records, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    """Also more entries than a zip of 32 bits can have."""
    taken = {}
    for count in (5_000, 70_000):
        (folder := tmp_path / str(count)).mkdir()
        result = subprocess.run(
            [sys.executable, "-c", WRITER, str(count), str(folder)], capture_output=True, text=True, check=True
        )
        records, taken[count] = map(int, result.stdout.split())
        assert records == count
    with zipfile.ZipFile(tmp_path / "70000" / "texts.qdpx") as archive:
        assert len(archive.namelist()) == 70_001
    assert sum(1 for source in read_sources(tmp_path / "5000" / "texts.qdpx") if source.text) == 5_000
    assert taken[70_000] - taken[5_000] < 12, taken  # zipfile would take 28 MB more


@needs_qualcoder
def test_qualcoder_imports_every_text_and_variable(built_sample: Build, out: Path, tmp_path: Path) -> None:
    result = run_import(out / "texts.qdpx")
    assert result.returncode == 0, result.stderr
    imported = json.loads(result.stdout)
    texts = {source.name: source.text for source in read_sources(out / "texts.qdpx")}
    assert {name: text for name, text, _ in imported["file_texts"]} == texts and len(texts) == 308
    values = {
        (source.name, name): value
        for source in read_sources(out / "texts.qdpx")
        for name, value in source.values.items()
        if value
    }
    assert {(name, variable): value for name, variable, value in imported["file_attributes"]} == values
    assert sorted(imported["codes"]) == [["Don't & <know>", ""], ["Humour", "A joke."]]
    dealt = ["--sample", "2", "--coders", "Ana,Ben", "--overlap", "100%", "--only", "qdpx", "--out", str(tmp_path)]
    assert export(built_sample, tmp_path, *dealt[:-2]).code == 0
    told = json.loads(run_import(tmp_path / "Ben" / "texts.qdpx").stdout)["workbooks"]
    assert [one["coder"] for one in told.values()] == ["Ben"]
