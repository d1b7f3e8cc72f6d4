"""London, January–June 2009: what was fitted on four months says how soon pumps come in the other two."""

from __future__ import annotations

import numpy as np
import pytest

from simulation_london import FOLDER, validate
from slagkracht.simulation.fitting import fit_power_law, predict_s


@pytest.mark.skipif(not FOLDER.exists(), reason="the London incidents are not beside this checkout")
def test_first_and_second_pumps_come_as_they_came() -> None:
    _, _, _, _, real, simulated = validate()
    for found, truth in ((simulated.first_s, real.first_s), (simulated.second_s, real.second_s)):
        np.testing.assert_allclose(found, truth, rtol=0.07)
    np.testing.assert_allclose(simulated.own, real.own, atol=0.04)


def test_a_power_law_is_found_again() -> None:
    rng = np.random.default_rng(1)
    distance_m = rng.uniform(200, 8_000, 4_000)
    seconds = (90 + 150 * (distance_m / 1000) ** 0.6) * np.exp(0.2 * rng.standard_normal(4_000))
    law = fit_power_law(distance_m, seconds)
    there = np.linspace(300, 7_500, 20)
    np.testing.assert_allclose(predict_s(law, there), 90 + 150 * (there / 1000) ** 0.6, rtol=0.03)
    assert abs(law.spread - 0.2) < 0.01


def test_too_few_drives_are_refused() -> None:
    with pytest.raises(ValueError, match="te weinig"):
        fit_power_law([1_000.0], [300.0])
