"""What both kinds of warehouse need."""

from probesheets.errors import ProbesheetsError

CHUNK_ROWS = 2_048  # that DuckDB works on together; larger record batches are slower and take more memory


class NotBuiltError(ProbesheetsError):
    """A relation does not exist."""

    def __init__(self, relation: str, target: str) -> None:
        super().__init__(f"{relation} has not been built. Run: probesheets run --target {target}")
