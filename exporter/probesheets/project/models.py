"""The models of a target as dbt last built them, and the kinds of spreadsheet that are made from them."""

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from probesheets.errors import ProbesheetsError
from probesheets.project.build_log import Builds, Problem
from probesheets.project.kinds import Kind, read_kinds
from probesheets.settings import variables
from probesheets.warehouse import Warehouse, open_warehouse


@contextmanager
def opened(target: str) -> Iterator[tuple["Project", Warehouse]]:
    """The models of a target, and the connection to them."""
    with closing(open_warehouse(target)) as warehouse:
        yield Project(target, warehouse), warehouse


class Project:
    """The built models of a target, and its kinds of spreadsheet."""

    def __init__(self, target: str, warehouse: Warehouse) -> None:
        self.target, self._warehouse = target, warehouse
        self.builds = Builds(warehouse, target)

    def relation(self, model: str) -> str:
        """The quoted relation of a model of this project, in its latest version."""
        return str(self.builds.graph["models"][self._model(model)]["relation"])

    def ready(self, model: str) -> str | None:
        """The quoted relation of a model; None if the last build does not have it, or it must not be exported."""
        models = self.builds.graph["models"]
        found = [key for key in models if models[key]["name"] == model and models[key]["latest"]]
        return str(models[found[0]]["relation"]) if found and not self.builds.problem(found) else None

    def _model(self, name: str) -> str:
        """The unique_id of a model, in its latest version. Raises ProbesheetsError if the project does not have it."""
        for key, model in self.builds.graph["models"].items():
            if model["name"] == name and model["latest"]:
                return str(key)
        raise ProbesheetsError(f"The last build has no model {name}. Run: probesheets run --target {self.target}")

    def models(self, kinds: Iterable[Kind], names: Iterable[str] = ()) -> set[str]:
        """The models that these kinds and names refer to, and all models that they are built from."""
        return self.builds.with_ancestors([*(kind.model for kind in kinds), *map(self._model, names)])

    def require(self, kinds: Sequence[Kind], names: Sequence[str] = ()) -> None:
        """Raises ProbesheetsError unless the models of these kinds and names match and passed their tests."""
        if problem := self.builds.problem(self.models((), names)):
            raise ProbesheetsError(f"The models are not ready: {self._advice(problem)}")
        if blocked := self.blocked(kinds, names):
            others = "".join(f" --only {kind.name}" for kind in kinds if kind.name not in blocked)
            more = f"\nTo export the other kinds, run: probesheets export --target {self.target}{others}"
            raise ProbesheetsError(
                f"The models of {', '.join(blocked)} are not ready: {self._advice(next(iter(blocked.values())))}"
                + (more if names and others else "")
            )

    def blocked(self, kinds: Iterable[Kind], names: Sequence[str] = ()) -> dict[str, Problem]:
        """The kinds whose models, or the models `names`, are not ready, and the reason."""
        problems = {kind.name: self.builds.problem(self.models([kind], names)) for kind in kinds}
        return {name: problem for name, problem in problems.items() if problem}

    def refuse_if_rebuilt(self, models: Set[str]) -> None:
        """Raises ProbesheetsError if one of the models has been built again since this object was made."""
        now = Builds(self._warehouse, self.target)
        if now.rows_about(models) != self.builds.rows_about(models):
            raise ProbesheetsError("The models were rebuilt while they were being read. Run the same command again.")

    def _advice(self, problem: Problem) -> str:
        graph, changed = self.builds.graph, self.changed_variables
        kinds = [model for kind in graph["kinds"] for model in kind["models"]]
        others = self.builds.problem(kinds)  # if one is older, tests that compare it with newer ones would fail
        command = "dbt test" if problem.untested and (others is None or others.untested) else "dbt build"
        options = f" --vars {shlex.quote(json.dumps(changed, ensure_ascii=False))}" if changed else ""
        return f"{problem.reason} Run: {command} --target {self.target}{options}\nThen run the same command again."

    @property
    def changed_variables(self) -> dict[str, Any]:
        """The variables of the last build that differ from those in dbt_project.yml."""
        defaults = variables()
        return {name: value for name, value in self.builds.graph["variables"].items() if value != defaults.get(name)}

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of spreadsheet, by name."""
        models = self.builds.graph["models"]
        return {
            kind.name: replace(kind, relation=str(models[kind.model]["relation"]))
            for kind in read_kinds(self.builds.graph["kinds"])
        }
