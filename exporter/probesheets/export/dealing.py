"""Deal a sample among coders: some texts to all of them, so that they can be compared, and each other text to one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import pyarrow as pa

from probesheets.errors import ProbesheetsError
from probesheets.workbooks.container import STEM


@dataclass(frozen=True)
class Deal:
    """The names of the coders, the share of texts that all get, whether dates and models are left out, the codes."""

    coders: tuple[str, ...]
    overlap: Fraction
    blind: bool
    codes: tuple[str, ...]

    @classmethod
    def asked(cls, coders: str | None, overlap: str | None, blind: bool, codes: Iterable[str] = ()) -> "Deal | None":
        """The deal that the options describe. Raises ProbesheetsError if they do not fit together."""
        if coders is None:
            if overlap is not None or blind:
                example = "--sample 200 --coders A,B --overlap 25%"
                raise ProbesheetsError(f"--overlap and --blind need --coders, as in: {example}")
            return None
        names = tuple(name.strip() for name in coders.split(","))
        for place, name in enumerate(names):
            if not STEM.fullmatch(name) or name.casefold() in ("default", "null"):
                raise ProbesheetsError(f"--coders: a coder and a folder cannot have the name {name!r}. Give others.")
            if name.casefold() in map(str.casefold, names[:place]):
                raise ProbesheetsError(f"--coders names {name} twice.")
        if overlap is None and len(names) > 1:
            raise ProbesheetsError(
                "Add --overlap, the share of texts that all coders get, such as --overlap 25%. Without a text that two "
                "coders have coded, you cannot say whether they agree."
            )
        found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?", overlap or "0")
        if not found or Fraction(found[1]) > 100 or (0 < Fraction(found[1]) < 1 and "%" not in (overlap or "")):
            raise ProbesheetsError(f"--overlap cannot be {overlap!r}. Give a share from 0% to 100%, such as 25%.")
        return cls(names, Fraction(found[1]) / 100, blind, tuple(codes))

    def as_json(self) -> dict[str, Any]:
        overlap = f"{float(self.overlap * 100):g}%"
        more = {"blind": self.blind, "codes": [*self.codes]}
        return {"coders": [*self.coders], "overlap": overlap, **{name: value for name, value in more.items() if value}}

    def divide(self, drawn: Sequence[int]) -> dict[str, pa.Array]:
        """The texts of each coder, of the texts in the order in which they were drawn.

        The shared ones are evenly spread over this order, and the others go to the coders in turn, so that everybody
        gets as many texts of a probe as the others. The shared ones are rounded up.
        """
        is_shared = [ceil((place + 1) * self.overlap) > ceil(place * self.overlap) for place in range(len(drawn))]
        shared = [text for text, together in zip(drawn, is_shared, strict=True) if together]
        others = [text for text, together in zip(drawn, is_shared, strict=True) if not together]
        return {
            coder: pa.array(shared + others[place :: len(self.coders)], pa.int64())
            for place, coder in enumerate(self.coders)
        }
