"""The arithmetic of the measurements, as pure functions of the standard library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles


@dataclass(frozen=True)
class Spread:
    """The median of some values, and the quartiles around it."""

    lower: float
    median: float
    upper: float


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles. One value is all three.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("there is no value")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return Spread(lower, median(values), upper)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("there is no value")
    position = max(ceil(share * len(values)) - 1, 0)
    return sorted(values)[position]


def ratios(values: Mapping[int, float], baseline: Mapping[int, float]) -> list[float]:
    """The ratio to the baseline in each round that both have.

    The load of a machine changes over minutes. It affects all peers of one round alike, so a ratio
    within a round is steadier than one between rounds.
    """
    rounds = sorted(values.keys() & baseline.keys())
    return [values[number] / baseline[number] for number in rounds]
