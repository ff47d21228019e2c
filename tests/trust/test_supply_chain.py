"""What is installed is what was pinned: by hashes from the package registry, by commits in the workflow."""

import re
from pathlib import Path

import pytest
import yaml

from tests.servers import ROOT

PINS = sorted((ROOT / "requirements").glob("*.txt"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.name)
def test_every_pin_has_hashes(file: Path) -> None:
    lines = re.sub(r"\\\n", " ", file.read_text(encoding="utf-8")).splitlines()
    pins = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    assert pins
    for pin in pins:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", pin), pin


def test_every_installation_asks_for_the_hashes() -> None:
    """Except of this project itself: it is a folder, and brings no further package."""
    files = [ROOT / "Makefile", ROOT / "requirements" / "install.sh", ROOT / ".ci" / "run", *WORKFLOWS]
    lines = [line for file in files for line in re.sub(r"\\\n", " ", file.read_text(encoding="utf-8")).splitlines()]
    installed = [line for line in lines if re.search(r"pip3? (install|sync)\b", line) and not line.startswith("#")]
    assert len(installed) >= 5
    for line in installed:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation --editable ." in line, line


def test_the_workflow_is_pinned_and_may_only_read() -> None:
    assert WORKFLOWS
    for file in WORKFLOWS:
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert "permissions" not in job
            for step in job["steps"]:
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40)), step
