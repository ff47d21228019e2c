"""A project with seeds of its own, in which tests run `probesheets codes`."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.build import Build, make_project, own_part
from tests.exporter.command import Result, probesheets

HUMOUR, RULES, MONEY = "Humour", "Rules", "Money"


@dataclass(frozen=True)
class Lab:
    """A project folder with seeds of its own, and the models of the sample."""

    build: Build

    def run(self, *arguments: object) -> Result:
        return probesheets(self.build.folder, self.build.environment, *map(str, arguments))

    @property
    def folder(self) -> Path:
        return self.build.folder

    def seed(self, name: str = "codings") -> list[dict[str, str]]:
        with (self.folder / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def new_lab(built_sample: Build, folder: Path) -> Lab:
    make_project(folder, coding=True)
    own_part(folder, "seeds")
    shutil.copy(built_sample.database, folder / "probesheets.duckdb")
    return Lab(Build("duckdb", folder, {"PROBESHEETS_DUCKDB": str(folder / "probesheets.duckdb")}, "", 0))


def refused(lab: Lab, *arguments: object) -> str:
    """The message of a command that must change nothing."""
    before = (lab.folder / "seeds" / "codings.csv").read_bytes()
    result = lab.run("codes", *arguments)
    assert result.code == 1, result.err
    assert (lab.folder / "seeds" / "codings.csv").read_bytes() == before
    return result.err
