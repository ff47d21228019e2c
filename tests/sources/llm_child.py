"""The command line llm with a model that answers without a network, for test_llm_logs.py: llm lives in .venv-llm.

Started as `python llm_child.py COMMANDS`: a JSON list of lists of arguments. LLM_USER_PATH is the folder of logs.db.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import llm
from llm.cli import cli
from llm.plugins import pm


class Echo(llm.Model):  # type: ignore[misc]
    """Repeats the prompt and goes on; to `Silence`, it says nothing."""

    model_id = "echo"

    def execute(self, prompt: Any, stream: bool, response: object, conversation: object) -> Iterator[str]:
        yield "" if prompt.prompt == "Silence" else f"{prompt.prompt} and more"


class Plugin:
    @llm.hookimpl  # type: ignore[untyped-decorator]
    def register_models(self, register: Any) -> None:
        register(Echo())


if __name__ == "__main__":
    pm.register(Plugin())
    for arguments in json.loads(sys.argv[1]):
        cli.main(arguments, standalone_mode=False)
