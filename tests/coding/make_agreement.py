"""Writes agreement.json: 1,000 random tables of texts and coders, with what three libraries say about them.

Run once, in an environment of its own (Python 3.11; krippendorff 0.9.0, irrCAC 0.4.4, statsmodels 0.15.0):
python make_agreement.py > agreement.json

A table is a text: a word for each text, a character for each coder: 1 (yes), 0 (no) or - (not seen). Measures that are
undefined are null.
"""

import json
import random
from collections.abc import Callable
from itertools import combinations
from typing import Any

import krippendorff  # type: ignore[import-not-found]
import numpy as np
import pandas as pd
from irrCAC.raw import CAC  # type: ignore[import-not-found]
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-not-found]

NUMBERS = {"1": 1.0, "0": 0.0, "-": np.nan}


def random_table(chance: random.Random) -> list[str]:
    """Two to five coders, two to twenty texts, a rare or a frequent code, all texts seen or few."""
    coders, texts = chance.randint(2, 5), chance.randint(2, 20)
    frequent, seen, alike = chance.choice([0.05, 0.3, 0.5, 0.9]), chance.choice([1, 0.9, 0.6, 0.3]), chance.random()
    rows = []
    for _ in range(texts):
        usual = chance.random() < frequent
        values = [usual if chance.random() < alike else chance.random() < frequent for _ in range(coders)]
        row = "".join("-" if chance.random() > seen else str(int(value)) for value in values)
        rows.append(row if row.strip("-") else "1" + row[1:])
    return rows


def gwet_ac1(data: Any) -> float | None:
    if not ((~np.isnan(data)).sum(axis=1) > 1).any():
        return None
    return float(CAC(pd.DataFrame(data), categories=[0.0, 1.0], digits=15).gwet()["est"]["coefficient_value"])


def alpha(data: Any) -> float | None:
    units = data[(~np.isnan(data)).sum(axis=1) > 1]
    if len(set(units[~np.isnan(units)])) < 2:
        return None
    return float(krippendorff.alpha(units.T, level_of_measurement="nominal", value_domain=[0.0, 1.0]))


def kappas(data: Any) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for one, other in combinations(range(data.shape[1]), 2):
        both = data[~np.isnan(data[:, one]) & ~np.isnan(data[:, other])]
        counts = [[int(((both[:, one] == a) & (both[:, other] == b)).sum()) for b in (0, 1)] for a in (0, 1)]
        same = len(both) in (counts[0][0], counts[1][1])
        if len(both):
            found[f"{one}{other}"] = None if same else float(cohens_kappa(counts, return_results=False))
    return found


def error(measure: Callable[[Any], float | None], data: Any) -> float | None:
    """The standard error by jackknife over the rows; None if the measure is undefined without one of them."""
    without = [measure(np.delete(data, row, axis=0)) for row in range(len(data))]
    if len(data) < 2 or None in without:
        return None
    values = np.array(without)
    return float(np.sqrt((len(data) - 1) / len(data) * ((values - values.mean()) ** 2).sum()))


def measures(rows: list[str]) -> dict[str, Any]:
    data = np.array([[NUMBERS[value] for value in row] for row in rows])
    units = data[(~np.isnan(data)).sum(axis=1) > 1]
    found = {"table": " ".join(rows), "alpha": alpha(data), "ac1": gwet_ac1(data), "kappas": kappas(data)}
    found["alpha_error"] = error(alpha, units)
    if len(data) > 2:  # irrCAC stops at a table of one text
        found["ac1_error"] = error(gwet_ac1, data)
    return found


if __name__ == "__main__":
    chance = random.Random("probesheets")
    lines = [json.dumps(measures(random_table(chance))) for _ in range(1_000)]
    print("[\n" + ",\n".join(lines) + "\n]")
