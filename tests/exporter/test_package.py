"""The wheel: what it holds, and that it works in fresh environments, far from the checkout, on every Python."""

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from tests.build import Source, load_server, run
from tests.exporter.command import probesheets
from tests.exports import sheet
from tests.servers import ROOT, Server

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CARRIED = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSION = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["version"]
PYTHONS = {"duckdb": ["3.11", "3.12", "3.13"], "mysql": ["3.11", "3.12"]}
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
NO_REGISTRY = re.compile(r"dns error|error sending request|timed out|connection|temporary failure|unreachable", re.I)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    result = run(build, ROOT, {})
    assert result.returncode == 0, result.stderr
    return next(folder.glob("*.whl"))


def carried() -> dict[str, Path]:
    """Every file that the wheel should hold, by its name in there."""
    places = {"exporter/probesheets": "probesheets"} | CARRIED
    files = {}
    for source, place in places.items():
        root = ROOT / source
        for file in [root] if root.is_file() else root.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                files[(Path(place) / file.relative_to(root)).as_posix()] = file
    return files


def test_the_wheel_holds_what_the_checkout_has(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
        metadata = [name for name in archive.namelist() if ".dist-info/" in name]
    assert held == {name: file.read_bytes() for name, file in carried().items()}
    assert {"models", "macros", "tests", "sample"} <= {name.split("/")[2] for name in held if "/lab/" in name}
    assert any(name.endswith("/LICENSE") for name in metadata)


def test_the_wheel_holds_nothing_twice(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        digests = [sha256(data).digest() for name in archive.namelist() if (data := archive.read(name))]
    assert len(set(digests)) == len(digests)


def test_a_checkout_writes_what_the_wheel_writes(tmp_path: Path) -> None:
    assert probesheets(tmp_path, {}, "init", "new/lab").code == 0
    lab = tmp_path / "new" / "lab"
    written = {file.relative_to(lab).as_posix(): file.read_bytes() for file in lab.rglob("*") if file.is_file()}
    ignored = written.pop(".gitignore").decode().splitlines()
    start = "probesheets/lab/"
    expected = {name.removeprefix(start): file.read_bytes() for name, file in carried().items() if start in name}
    assert written == expected
    assert set(ignored) >= {"*.duckdb*", "spark/", "target/", "logs/", "out/", "**/pages/*.html", ".probesheets*"}
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["lab"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    before = tmp_path.stat().st_ino
    result = probesheets(tmp_path, {}, "init", ".")
    assert (result.code, "cd " in result.err) == (0, False)
    assert tmp_path.stat().st_ino == before
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        [".gitignore", *{place.split("/")[2] for place in CARRIED.values()}]
    )


@pytest.mark.parametrize("held", ["notes.txt", "dbt_project.yml", ".git"])
def test_init_leaves_a_folder_that_holds_something_as_it_was(tmp_path: Path, held: str) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / held).write_bytes(b"mine\r\n")
    result = probesheets(tmp_path, {}, "init", "lab")
    assert result.code == 1
    assert f"{lab} is not empty: it contains {held}." in result.err
    assert [(file.name, file.read_bytes()) for file in lab.iterdir()] == [(held, b"mine\r\n")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab"]


def test_init_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copyfile

    def fail_late(source: Path, target: Path, **_: Any) -> None:
        if Path(target).name == "profiles.yml":
            raise OSError(28, "No space left on device")
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", fail_late)
    (tmp_path / "empty").mkdir()
    for folder in ("lab", "empty"):
        result = probesheets(tmp_path, {}, "init", folder)
        assert (result.code, "No space left on device" in result.err) == (1, True)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["empty"]


def test_init_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab").write_bytes(b"mine")
    result = probesheets(tmp_path, {}, "init", "lab")
    assert (result.code, "is a file" in result.err) == (1, True)
    assert (tmp_path / "lab").read_bytes() == b"mine"


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder to work in."""

    commands: Path
    folder: Path
    pins: str
    version: str  # of Python

    def __call__(self, name: str, *arguments: str, **environment: str) -> str:
        """What a command prints. It may keep its compiled modules, which the commands after it need."""
        environment = {"PYTHONDONTWRITEBYTECODE": ""} | environment
        result = run([str(self.commands / name), *arguments], self.folder, environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr


@pytest.fixture(params=[(pins, version) for pins in PYTHONS for version in PYTHONS[pins]], ids="-".join)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Iterator[Installed]:
    """The wheel and the packages that it asks for, in the pinned versions."""
    pins, version = request.param
    python = find_python(version)
    if not python:
        assert not (version == RUNNING and os.environ.get("CI") == "true")
        pytest.skip(f"Python {version} is not installed")
    environment = tmp_path / "environment"
    extra = "[mysql]" if pins == "mysql" else ""
    constraints = tmp_path / "constraints.txt"  # without hashes and extras, which pip does not accept there
    pinned = (ROOT / "requirements" / f"{pins}.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^([\w.-]+)(?:\[.*\])?(==[^\\\n]+)", pinned, flags=re.M)
    constraints.write_text("".join(f"{name}{version}\n" for name, version in lines), encoding="utf-8")
    arguments = ["install", "--quiet", f"{wheel}{extra}", "-c", str(constraints)]
    if uv := find_uv():
        create = [uv, "venv", "--quiet", "--python", python, str(environment)]
        install = [uv, "pip", *arguments, "--python", str(environment)]
    else:
        create = [python, "-m", "venv", str(environment)]
        install = [str(environment / SCRIPTS / "python"), "-m", "pip", *arguments]
    for command in (create, install):
        result = run(command, tmp_path, {})
        if result.returncode and NO_REGISTRY.search(result.stderr):
            assert not (version == RUNNING and os.environ.get("CI") == "true"), result.stderr
            pytest.skip(f"The package registry cannot be reached: {result.stderr.strip().splitlines()[-1]}")
        assert result.returncode == 0, result.stderr
    folder = tmp_path / "work"
    folder.mkdir()
    yield Installed(environment / SCRIPTS, folder, pins, version)
    shutil.rmtree(environment)


def find_uv() -> str | None:
    """The uv on the PATH, or the one that `make` installed."""
    return shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv-uv" / SCRIPTS)


def find_python(version: str) -> str | None:
    """An interpreter: this one, pythonX.Y on the PATH, one that uv finds, or one that pyenv has."""
    if version == RUNNING:
        return sys.executable
    candidates = [[shutil.which(f"python{version}"), "-c", "import sys; print(sys.executable)"]]
    candidates += [[find_uv(), "python", "find", "--no-python-downloads", version]]
    if pyenv := shutil.which("pyenv"):
        latest = run([pyenv, "latest", version], ROOT, {}).stdout.strip()
        candidates += [[pyenv, "prefix", latest]]
    for command in candidates:
        if command[0] and (answer := run([str(part) for part in command], ROOT, {})).returncode == 0:
            found = Path(answer.stdout.strip())
            return str(found / "bin" / "python" if found.is_dir() else found)
    return None


def test_it_works_where_the_wheel_is_installed(
    installed: Installed, sample: Source, request: pytest.FixtureRequest
) -> None:
    assert installed("probesheets", "--version") == f"probesheets {VERSION}\n"
    assert installed("probesheets", "init", "lab") == (
        "Wrote the project into lab. Next, run:\n  cd lab\n  probesheets run\n"
    )
    lab = replace(installed, folder=installed.folder / "lab")
    if installed.pins == "mysql":
        server: Server = request.getfixturevalue("mariadb_server")
        names = f"source_{installed.version}".replace(".", "_"), f"target_{installed.version}".replace(".", "_")
        server.create_schemas(*names)
        load_server(server, names[0], sample)
        lab("probesheets", "run", "--target", "mariadb", **server.environment(*names))
    else:
        lab("probesheets", "run")
    workbook = next((lab.folder / "out" / "with_links").glob("masks-are-*.xlsx"))
    assert sheet(workbook)[0][0] == "Record ID"
    if (installed.pins, installed.version) == ("duckdb", RUNNING):
        rows = sheet(workbook)
        for command in ("probesheets check", "dbt build", "dbt test", "probesheets export", "probesheets verify out"):
            lab(*command.split())
        assert sheet(workbook) == rows
