"""Together against alone: in toyland one border village gains, and it is named."""

from __future__ import annotations

import numpy as np
import pytest

from slagkracht.coverage import Cooperation, compute_cooperation, compute_coverage
from slagkracht.resources import compute_standing
from toyland import read_toyland


def cooperate(norm: str) -> Cooperation:
    plan, travel = read_toyland()
    (alone,) = compute_coverage(plan, travel, windows=("dag",), norms=(norm,), alone=True)
    (together,) = compute_coverage(plan, travel, windows=("dag",), norms=(norm,))
    standing = compute_standing(plan.units, plan.stations, "dag")
    return compute_cooperation(alone, together, plan.areas, plan.regions, standing)


def test_the_first_tanker_by_hand() -> None:
    """Only A06 (1,200 people of VR91) is nearer to another region's station: 395 s instead of 920."""
    found = cooperate("eerste")
    assert found.gained.tolist() == [1_200, 0, 0]
    assert found.quicker.tolist() == [1_200, 0, 0]
    assert found.gain_s.tolist() == [0, 0, 0, 0, 0, 525, 0, 0, 0, 0, 0, 0]
    assert np.flatnonzero(found.from_other).tolist() == [5]
    assert found.mean_gain_s[0] == pytest.approx(525 * 1_200 / 20_900)
    assert found.served_by.tolist() == [[19_700, 1_200, 0], [0, 21_100, 0], [0, 0, 800]]
    assert found.newly_reached.tolist() == [0, 0, 0]


def test_the_aerial_comes_from_next_door_or_not_at_all() -> None:
    found = cooperate("redvoertuig")
    assert found.newly_reached.tolist() == [0, 21_100, 0]
    assert np.isinf(found.gain_s[6:10]).all()
    assert np.isnan(found.mean_gain_s[1])
    assert found.gain_s[11] == 0  # the island: nobody, alone or together


def test_people_without_a_norm_are_not_counted() -> None:
    found = cooperate("gebied")  # A12, fifty people of VR93, has no class
    assert found.population.tolist() == [20_900, 21_100, 800]
    assert found.served_by.sum(axis=1)[2] <= 800


def test_different_norms_cannot_be_compared() -> None:
    plan, travel = read_toyland()
    (first,) = compute_coverage(plan, travel, windows=("dag",), norms=("eerste",))
    standing = compute_standing(plan.units, plan.stations, "dag")
    with pytest.raises(ValueError, match="alleen en samen"):
        compute_cooperation(first, first, plan.areas, plan.regions, standing)
