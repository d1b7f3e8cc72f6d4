"""Travel times fitted on what was measured: seconds as a power of the straight line, with a spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.simulation.world import Doubles


@dataclass(frozen=True)
class PowerLaw:
    """Median seconds = ``start_s`` + ``factor`` · km ** ``power``; ``spread`` standard deviation of ln(seconds)."""

    start_s: float
    factor: float
    power: float
    spread: float


def fit_power_law(distance_m: npt.ArrayLike, seconds: npt.ArrayLike) -> PowerLaw:
    """The power law with the least error of ln(seconds): (``start_s``, ``factor``) for every ``power`` of a grid.

    Kolesar, Rider, Crabill and Walker (1975) found square root for short and straight line for long fire engine runs;
    a free power holds both. Raises ValueError on fewer than 20 measurements.
    """
    km, took = np.asarray(distance_m, np.float64) / 1000.0, np.asarray(seconds, np.float64)
    usable = np.isfinite(km) & (km >= 0) & (took > 0)
    km, took = km[usable], took[usable]
    if len(took) < 20:
        raise ValueError(f"{len(took)} gemeten ritten is te weinig om rijtijden op te ijken: lever er ten minste 20")
    found: tuple[float, PowerLaw] | None = None
    for power in np.arange(0.3, 1.31, 0.05):
        for start_s in np.arange(0.0, float(np.quantile(took, 0.2)), 10.0):
            # for a given start the factor: the start and the line together, centred on the log scale
            factor = float(np.median((took - start_s) / np.maximum(km, 0.05) ** power))
            for _ in range(3):
                left = np.log(took) - np.log(start_s + factor * np.maximum(km, 0.05) ** power)
                factor *= float(np.exp(left.mean()))
            left = np.log(took) - np.log(start_s + factor * np.maximum(km, 0.05) ** power)
            error = float((left**2).mean())
            if found is None or error < found[0]:
                spread = float(left.std(ddof=3))
                found = (error, PowerLaw(float(start_s), factor, float(power), spread))
    if found is None:
        raise ValueError("de gemeten ritten zijn te kort om rijtijden op te ijken: kijk of het seconden zijn")
    return found[1]


def predict_s(law: PowerLaw, distance_m: npt.ArrayLike) -> Doubles:
    """Median seconds over ``distance_m`` by the law."""
    km = np.maximum(np.asarray(distance_m, np.float64) / 1000.0, 0.05)
    return np.asarray(law.start_s + law.factor * km**law.power, dtype=np.float64)
