"""Coverage of toyland, worked out by hand in its README, under every kind of norm."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from slagkracht.coverage import Coverage, compute_coverage, compute_rankings, judge, norm_in_force, norms_in_force
from slagkracht.coverage.judge import compute_call_handling
from slagkracht.resources import compute_standing
from slagkracht.rules import NoRuleError, Rules
from toyland import read_toyland

IN_TIME = {
    "eerste": [1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0],
    "gebied": [1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0],
    "peloton": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0],
    "redvoertuig": [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    "tweede": [1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0],
    "uitruk-op-maat": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0],
}
RESPONSE_S = {
    "eerste": [260, 340, 480, 390, 610, 395, 245, 405, 350, 540, 420, np.inf],
    "gebied": [260, 340, 480, 660, 1040, 395, 245, 405, 665, 755, np.inf, np.inf],
    "peloton": [1060, 920, 800, 860, 1160, 920, 770, 600, 680, 770, np.inf, np.inf],
    "redvoertuig": [270, 350, 490, 670, 1050, 950, 970, 1050, 1350, 1450, np.inf, np.inf],
    "tweede": [380, 460, 600, 660, 1040, 920, 770, 600, 665, 755, np.inf, np.inf],
    "uitruk-op-maat": [260, 340, 480, 390, 610, 395, 245, 405, 360, 540, 420, np.inf],
}


def cover(norm: str, day: datetime.date = datetime.date(2026, 7, 1), window: str = "dag", **how: bool) -> Coverage:
    plan, travel = read_toyland(day)
    (coverage,) = compute_coverage(plan, travel, windows=(window,), norms=(norm,), **how)
    return coverage


@pytest.mark.parametrize("norm", IN_TIME)
def test_toyland_by_hand(norm: str) -> None:
    coverage = cover(norm)
    assert coverage.response_s.tolist() == RESPONSE_S[norm]
    assert coverage.in_time.astype(int).tolist() == IN_TIME[norm]


def test_one_area_lies_exactly_on_the_norm_and_is_in_time() -> None:
    coverage = cover("eerste")
    assert coverage.response_s[2] == coverage.limit_s[2] == 480
    assert coverage.in_time[2]
    assert coverage.chance[2] == pytest.approx(0.99)


def test_the_island_is_reached_by_nobody() -> None:
    coverage = cover("eerste")
    assert np.isinf(coverage.response_s[11])
    assert coverage.unit[11] == -1
    assert coverage.chance[11] == 0


def test_the_day_decides_which_value_holds() -> None:
    assert cover("eerste", datetime.date(2025, 12, 31)).in_time.astype(int).tolist() == [1] * 4 + [0] + [1] * 6 + [0]
    assert cover("eerste", datetime.date(2026, 1, 1)).in_time.astype(int).tolist() == IN_TIME["eerste"]


def test_a_day_without_a_value_is_an_error_that_names_rule_place_and_day() -> None:
    with pytest.raises(NoRuleError, match=r"regel 'eerste' heeft voor VR91 geen waarde op 01-06-2019"):
        cover("eerste", datetime.date(2019, 6, 1))


def test_objects_are_judged_by_their_own_class() -> None:
    coverage = cover("eerste")
    assert coverage.object_classes == ("woonfunctie", "kantoorfunctie", "celfunctie")
    assert coverage.objects_in_time[9].tolist() == [False, True, False]  # 540 s: too late for 480, in time for 600
    assert coverage.objects_in_time[0].tolist() == [True, True, True]
    assert coverage.objects_in_time[2].tolist() == [True, True, False]


def test_a_region_s_own_rule_goes_before_the_national_one() -> None:
    coverage = cover("gebied")
    assert coverage.limit_s.tolist()[:11] == [480, 480, 720, 720, 720, 720, 600, 600, 720, 720, 720]
    assert np.isnan(coverage.limit_s[11])  # no class given
    assert coverage.target_share[0] == pytest.approx(0.8)


def test_alone_means_own_units_only() -> None:
    alone = cover("eerste", alone=True)
    assert alone.alone
    assert alone.response_s[5] == 920  # A06: its own N2-TS, no longer Z1-TS of the neighbours
    assert not alone.in_time[5]
    assert np.array_equal(np.delete(alone.response_s, 5), np.delete(cover("eerste").response_s, 5))


def test_night_is_slower() -> None:
    night = cover("eerste", window="nacht")
    assert night.response_s[0] == 290  # N1-TS leaves after 110 s instead of 80
    assert night.response_s[3] == 420


def test_a_chance_can_be_the_norm() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    norm = replace(norm_in_force(plan.rules, "eerste", plan.day), statistic="kans", chance=0.9)
    arrivals = compute_rankings(norm, standing, travel, call_handling_s=60.0)
    coverage = judge(norm, plan.areas, arrivals, standing, window="dag")
    assert coverage.in_time.astype(int).tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0]  # Z2-TS4 80 %, E1-TS 85 %
    assert coverage.objects_in_time[3, 0]
    assert not coverage.objects_in_time[8, 0]


def test_a_mean_can_be_the_norm() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    norm = replace(norm_in_force(plan.rules, "eerste", plan.day), statistic="gemiddelde")
    coverage = judge(
        norm, plan.areas, compute_rankings(norm, standing, travel, call_handling_s=60.0), standing, window="dag"
    )
    assert coverage.response_s[3] == pytest.approx(417.2, abs=0.1)  # 0.9 x 390 + 0.099 x 660 + …
    formation = replace(norm_in_force(plan.rules, "peloton", plan.day), statistic="gemiddelde")
    rankings = compute_rankings(formation, standing, travel, call_handling_s=60.0)
    with pytest.raises(ValueError, match="bestaat niet voor een samengestelde eenheid"):
        judge(formation, plan.areas, rankings, standing, window="dag")


def test_the_chance_of_a_formation_is_the_product_over_its_parts() -> None:
    """A08: the officer is there in 98 % of cases; of the tankers Z1 and Z2 both are within 1080 s, and N1 at 1040 s."""
    two_of_three = 0.99 * 0.8 + 0.99 * 0.2 * 0.99 + 0.01 * 0.8 * 0.99
    assert cover("peloton").chance[7] == pytest.approx(0.98 * two_of_three, abs=1e-6)


def test_part_crews_are_ranked_until_all_are_found() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    norm = replace(norm_in_force(plan.rules, "uitruk-op-maat", plan.day), crew_needed=26, max_gap_s=np.inf)
    (ranking,) = compute_rankings(norm, standing, travel, call_handling_s=60.0)
    coverage = judge(norm, plan.areas, (ranking,), standing, window="dag")
    assert coverage.response_s[0] == 1210  # 6 + 6 + 6 + 6 and the SI of two


def test_norms_in_force_are_all_that_hold_everywhere() -> None:
    plan, travel = read_toyland()
    assert norms_in_force(plan) == tuple(IN_TIME)
    told: list[str] = []
    coverages = compute_coverage(plan, travel, windows=("dag", "nacht"), progress=told.append)
    assert [(c.norm, c.window) for c in coverages] == [(norm, w) for norm in IN_TIME for w in ("dag", "nacht")]
    assert told[0] == "Eerste tankautospuit naar gebruiksfunctie, dag"
    only_north = Rules(tuple(replace(r, region="VR91") if r.code == "tweede" else r for r in plan.rules.rules))
    assert "tweede" not in norms_in_force(replace(plan, rules=only_north))


def test_without_chances_the_times_are_the_same() -> None:
    quick = cover("eerste", chance=False)
    assert np.isnan(quick.chance).all()
    assert np.array_equal(quick.response_s, cover("eerste").response_s)


def test_the_spread_of_call_handling_counts_in_every_chance() -> None:
    plan, travel = read_toyland()
    spread = [
        replace(r, versions=tuple(replace(v, values={**v.values, "spreiding": 0.4}) for v in r.versions))
        if (r.code, r.region) == ("verwerkingstijd", "")
        else r
        for r in plan.rules.rules
    ]
    uncertain = replace(plan, rules=Rules(tuple(spread)))
    assert compute_call_handling(uncertain)[1] == 0.4
    (sure,) = compute_coverage(plan, travel, windows=("dag",), norms=("eerste",))
    (unsure,) = compute_coverage(uncertain, travel, windows=("dag",), norms=("eerste",))
    assert np.array_equal(sure.response_s, unsure.response_s)
    assert unsure.chance[2] < sure.chance[2] - 0.05  # A03 lies exactly on the norm


def test_objects_are_judged_by_their_region_s_own_rule() -> None:
    plan, travel = read_toyland()
    national = next(r for r in plan.rules.rules if (r.code, r.region) == ("eerste", ""))
    eased = tuple(
        replace(v, values={**v.values, "grens_s": {**v.values["grens_s"], "woonfunctie": 540}})
        for v in national.versions
    )
    own = replace(national, region="VR92", versions=eased, cases=())
    eased_plan = replace(plan, rules=Rules((*plan.rules.rules, own)))
    (coverage,) = compute_coverage(eased_plan, travel, windows=("dag",), norms=("eerste",))
    assert coverage.objects_in_time[9].tolist() == [True, True, False]  # 540 s; by the national rule not for dwellings
    assert coverage.object_limit_s[9, 0] == 540
    assert not coverage.objects_in_time[4, 0]


def test_part_crews_are_sought_beyond_units_without_people() -> None:
    plan, travel = read_toyland()
    empty = plan.units.crew.copy()
    empty[plan.units.unit_id == "N1-TS"] = 0
    standing = compute_standing(replace(plan.units, crew=empty), plan.stations, "dag")
    norm = replace(norm_in_force(plan.rules, "uitruk-op-maat", plan.day), crew_needed=1, max_gap_s=np.inf)
    rankings = compute_rankings(norm, standing, travel, call_handling_s=60.0)
    coverage = judge(norm, plan.areas, rankings, standing, window="dag")
    assert coverage.response_s[0] == cover("tweede").response_s[0] == 380
