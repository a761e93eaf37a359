"""Small p-values, as many tests at once need them: a share above a bound, draws beyond a figure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc, ndtr, stdtr

from harness.statistics.intervals import Spread, observations

Floats = NDArray[np.float64]
ENOUGH = 20  # draws beyond a figure that are counted; with fewer their distribution is fitted
NO_SKEW = 1e-3


def excess_ps(shares: ArrayLike, spread: Spread, bound: float, most: ArrayLike) -> Floats:
    """One-sided p of "the share is at most `bound`", (m,), for shares (m,); NaN below two clusters.

    Wilson's interval turned round, as in `limits`: (share - bound) over its standard error at the
    bound, with p (1 - p) / variance observations, at most `most` (m,), and Student's t.
    """
    values = np.asarray(shares, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = observations(np.clip(values, 0.0, 1.0), np.asarray(1.0), spread)
        seen = np.minimum(seen, np.asarray(most, dtype=float))
        statistic = (values - bound) / np.sqrt(bound * (1 - bound) / seen)
    ps = stdtr(np.maximum(spread.clusters - 1, 1), -statistic)
    return np.where((spread.clusters > 1) & ~np.isnan(values), ps, np.nan)


def drawn_p(found: float, draws: ArrayLike) -> float:
    """Two-sided p of a figure among its draws (n,) under the hypothesis; 1 if they do not vary.

    (1 + number at least as far from their mean) / (1 + n) where that number is 20 or more. With
    fewer it is twice the tail of the Pearson type III distribution with the mean, the variance and
    the skewness of the draws (Mielke & Berry, Permutation Methods, 2007), so that p below 1 / n can
    be told apart.
    """
    values = np.asarray(draws, dtype=float)
    away, deviation = np.abs(values - values.mean()), float(values.std())
    distance = abs(found - float(values.mean()))
    if deviation <= 1e-12:
        return 1.0
    beyond = int(np.count_nonzero(away >= distance - 1e-12))
    if beyond >= ENOUGH:
        return (1 + beyond) / (1 + len(values))
    z = (values - values.mean()) / deviation
    sign = 1.0 if found > values.mean() else -1.0
    fitted = 2 * _pearson(distance / deviation, sign * float(np.mean(z**3)))
    return min(fitted, (1 + beyond) / (1 + len(values)))


def _pearson(distance: float, skewness: float) -> float:
    """The upper tail of a standardised Pearson type III distribution."""
    if abs(skewness) < NO_SKEW:
        return float(ndtr(-distance))
    shape = 4 / skewness**2
    place = shape + np.sign(skewness) * np.sqrt(shape) * distance
    if skewness > 0:
        return float(gammaincc(shape, place))
    return float(1 - gammaincc(shape, max(place, 0.0)))
