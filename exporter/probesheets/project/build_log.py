"""Read the build log: do the models that an export reads match each other, and did they pass their tests?

dbt's hooks write the log, a table beside the models (macros/project/build_log.sql), for every target and also when dbt
is run by hand. dbt's artifacts are not suitable: the next dbt command overwrites them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from probesheets.errors import ProbesheetsError
from probesheets.warehouse import NotBuiltError, Warehouse

LOG = "probesheets_builds"
_PASSED = ("pass", "warn")
# what all models of an export must have in common
_SAME = {
    "version": "by different versions of the project",
    "variables": "with different variables",
    "source": "from different states of table_output",
}


@dataclass(frozen=True)
class Event:
    """A row of the log. `number` grows with each row; `details` depends on the event."""

    number: int
    invocation: str
    details: str


@dataclass(frozen=True)
class Invocation:
    """A dbt command that built or tested models: its first row in the log, its start, and the project that it saw."""

    number: int
    started: str
    ended: bool
    seen: Mapping[str, Any]  # source, variables, version, models, tests, kinds: see macros/project/begin_build.sql

    def same(self, other: "Invocation", *names: str) -> bool:
        return all(self.seen[name] == other.seen[name] for name in names)


@dataclass(frozen=True)
class Problem:
    """The reason why models must not be exported; `untested` if running their tests may solve it."""

    reason: str
    untested: bool = False


class Builds:
    """The last builds and tests of a target's models at this moment. dbt's unique_id identifies models and tests."""

    def __init__(self, warehouse: Warehouse, target: str) -> None:
        log = f"{warehouse.schema}.{LOG}"
        try:
            warehouse.columns(log)
        except NotBuiltError:
            raise ProbesheetsError(
                f"{warehouse.schema} has no record of a build. Nothing has been built, version 1.0.0 built the models, "
                "this user cannot read them, or PROBESHEETS_SCHEMA or PROBESHEETS_DUCKDB names another place. "
                f"Run: probesheets run --target {target}"
            ) from None
        last = f"select max(event_id) from {log} where event not in ('started', 'ended') group by event, subject"
        rows = warehouse.rows(
            f"select event, subject, event_id, invocation_id, details from {log} where event_id in ({last})"
        )
        self._last = {(event, subject): Event(int(number), *others) for event, subject, number, *others in rows}
        named = {event.invocation for event in self._last.values()}
        listed = ", ".join(f"'{name}'" for name in sorted(named) if name.replace("-", "").isalnum())
        ended = {name for (name,) in warehouse.rows(f"select invocation_id from {log} where event = 'ended'")}
        rows = warehouse.rows(
            f"select invocation_id, event_id, recorded_at, details from {log} where event = 'started' and "
            f"(invocation_id in ({listed or 'null'}) or event_id in "
            f"(select max(event_id) from {log} where event = 'started')) order by event_id"
        )
        self._invocations = {
            name: Invocation(int(at), str(when), name in ended, json.loads(seen)) for name, at, when, seen in rows
        }
        self._copied = max((event.number for (name, _), event in self._last.items() if name == "copied"), default=0)

    @cached_property
    def graph(self) -> Mapping[str, Any]:
        """Models, tests and kinds, from the newest invocation with the variables and version of the newest build."""
        began = [event for (name, _), event in self._last.items() if name == "building"]
        if not began:
            return {"models": {}, "tests": {}, "kinds": []}
        newest = self._invocations[max(began, key=lambda event: event.number).invocation]
        return [one.seen for one in self._invocations.values() if one.same(newest, "variables", "version")][-1]

    @property
    def newest(self) -> str:
        """When the newest build began, in ISO 8601 and UTC; empty without a build."""
        return max((one.started for one in self._invocations.values()), default="")

    @property
    def copied_shape(self) -> str | None:
        """The shape of the copy that a build has accepted last; None without a copy."""
        copied = [event.invocation for event in self._last.values() if event.number == self._copied]
        found = self._invocations.get(copied[0]) if copied else None
        return str(found.seen["variables"]["shape"]) if found else None

    def with_ancestors(self, models: Iterable[str]) -> set[str]:
        """These models and all models that they are built from."""
        found, left = set[str](), list(models)
        while left:
            model = left.pop()
            if model not in found:
                found.add(model)
                left += self.graph["models"][model]["parents"]
        return found

    def build_of(self, models: Iterable[str]) -> Any:
        """The build of some finished models: the newest dbt command that built one of them or of their ancestors."""
        built = (self._last["built", model] for model in self.with_ancestors(models))
        newest = max(built, key=lambda event: event.number).invocation
        found = self._invocations[newest]
        return {"invocation": newest, "started": found.started, **{name: found.seen[name] for name in _SAME}}

    def rows_about(self, models: Set[str]) -> set[int]:
        """The numbers of the log rows about the last builds of some models. They change when one is built again."""
        return {event.number for (_, subject), event in self._last.items() if subject in models}

    def problem(self, models: Iterable[str]) -> Problem | None:
        """The first reason why some models must not be exported, or their ancestors."""
        return next(self._problems(self.with_ancestors(models)), None)

    def _problems(self, models: set[str]) -> Iterator[Problem]:
        for check in (self._unfinished, self._stale):
            for model in sorted(models):
                if reason := check(model, models):
                    yield Problem(f"{self._name(model)} {reason}")
        for test, tested in self.graph["tests"].items():
            if tested and models.issuperset(tested) and (problem := self._untested(test, tested)):
                yield problem

    def _unfinished(self, model: str, _: set[str]) -> str | None:
        building, built = self._last.get(("building", model)), self._last.get(("built", model))
        if building is None:
            return "has not been built."
        if built is None or built.number < building.number or built.invocation != building.invocation:
            begun = self._invocations[building.invocation]
            what = "failed in" if begun.ended else "was left unfinished by"
            why = "" if begun.ended else " That build was stopped, or is still running."
            return f"{what} the dbt build that began at {begun.started[:19].replace('T', ' ')} UTC.{why}"
        return None

    def _stale(self, model: str, models: set[str]) -> str | None:
        if self._is_seed(model):  # seeds depend neither on the source nor on the variables
            return None
        begun = self._last["building", model]
        if begun.number < self._copied:
            return "was built before the source was copied again."
        for parent in self.graph["models"][model]["parents"]:
            built = self._last["built", parent]  # within one dbt command, parents are built first
            if built.number > begun.number and built.invocation != begun.invocation:
                return f"is older than {self._name(parent)}, which it reads."
        others = (other for other in models if not self._is_seed(other))
        newest = max(others, key=lambda other: self._last["built", other].number)
        ours, theirs = (self._invocations[self._last["built", one].invocation] for one in (model, newest))
        for name, what in _SAME.items():
            if not ours.same(theirs, name):
                return f"and {self._name(newest)} were built {what}."
        return None

    def _untested(self, test: str, models: Iterable[str]) -> Problem | None:
        """A test result counts if its dbt command built the model itself, or began after the model was built."""
        last, name = self._last.get(("tested", test)), test.split(".")[2]
        for built in (self._last["built", model] for model in models):
            if not (last and self._counts(last, built)):
                return Problem(f"The test {name} has not run since its models were built.", untested=True)
        return None if last and last.details in _PASSED else Problem(f"The test {name} did not pass.")

    def _counts(self, tested: Event, built: Event) -> bool:
        testing, building = (self._invocations[event.invocation] for event in (tested, built))
        after = testing is building or testing.number > built.number
        return after and testing.same(building, "variables", "version")

    def _is_seed(self, model: str) -> bool:
        return bool(self.graph["models"][model]["type"] == "seed")

    def _name(self, model: str) -> str:
        return str(self.graph["models"][model]["name"])
