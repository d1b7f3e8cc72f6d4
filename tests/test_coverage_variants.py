"""Variants: each edit changes what it says and nothing else, and the difference in toyland is worked out by hand."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from slagkracht.coverage import (
    AddUnit,
    ChangeCrew,
    ChangeRule,
    CloseStation,
    Difference,
    Edit,
    MoveStation,
    OpenStation,
    RemoveUnit,
    Variant,
    apply_variant,
    compute_coverage,
    compute_difference,
)
from slagkracht.plan import Plan, compute_hash
from slagkracht.resources import compute_standing
from slagkracht.travel import Travel
from toyland import read_toyland


def reach(travel: Travel, x_m: float, y_m: float) -> Travel:
    """A new origin from which every area but the island is 100 s away."""
    column = np.full((12, 1), 100, np.uint16)
    column[11] = 65535
    return replace(
        travel,
        drive_s=np.hstack([travel.drive_s, column]),
        origin_x_m=np.append(travel.origin_x_m, x_m),
        origin_y_m=np.append(travel.origin_y_m, y_m),
        origin_snap_m=np.append(travel.origin_snap_m, np.float32(0)),
    )


def vary(*edits: Edit, day: datetime.date = datetime.date(2026, 7, 1)) -> tuple[Plan, Travel]:
    return apply_variant(*read_toyland(day), Variant("proef", edits, "om te zien"), reach)


def differ(*edits: Edit, norm: str = "eerste") -> Difference:
    before_plan, before_travel = read_toyland()
    after_plan, after_travel = vary(*edits)
    (before,) = compute_coverage(before_plan, before_travel, windows=("dag",), norms=(norm,))
    (after,) = compute_coverage(after_plan, after_travel, windows=("dag",), norms=(norm,))
    standing = [compute_standing(p.units, p.stations, "dag") for p in (before_plan, after_plan)]
    return compute_difference("proef", before, after, *standing, after_plan.areas, after_plan.regions)


def test_closing_a_station_by_hand() -> None:
    """Without N2, Noorddorp (A04) waits for N1 (660 s: lost) and Noordveld (A05) too (1040 s: it was late already)."""
    found = differ(CloseStation("N2"))
    assert found.change_s.tolist() == [0, 0, 0, 270, 430, 0, 0, 0, 0, 0, 0, 0]
    assert found.lost.tolist() == [1_800, 0, 0]
    assert found.gained.tolist() == [0, 0, 0]
    assert (found.before_in_time - found.after_in_time).tolist() == [1_800, 0, 0]
    assert (found.station_before[3], found.station_after[3]) == (1, 0)
    assert (found.station_before[11], found.station_after[11]) == (-1, -1)


def test_closing_the_only_station_leaves_nobody_to_come() -> None:
    found = differ(CloseStation("E1"))
    assert np.isposinf(found.change_s[10])
    assert found.station_after[10] == -1
    assert found.lost.tolist() == [0, 0, 800]


def test_who_is_newly_reached_gains_without_end() -> None:
    plan, travel = read_toyland()
    closed_plan, closed_travel = vary(CloseStation("E1"))
    (closed,) = compute_coverage(closed_plan, closed_travel, windows=("dag",), norms=("eerste",))
    (opened,) = compute_coverage(plan, travel, windows=("dag",), norms=("eerste",))
    standing = [compute_standing(p.units, p.stations, "dag") for p in (closed_plan, plan)]
    found = compute_difference("open", closed, opened, *standing, plan.areas, plan.regions)
    assert np.isneginf(found.change_s[10])
    assert found.change_s[11] == 0  # the island: nobody, before and after
    assert found.gained.tolist() == [0, 0, 800]


def test_people_count_whom_the_norm_speaks_of_before_or_after() -> None:
    plan, travel = read_toyland()
    (coverage,) = compute_coverage(plan, travel, windows=("dag",), norms=("eerste",))
    silent = replace(coverage, limit_s=np.full(12, np.nan, np.float32), in_time=np.zeros(12, bool))
    standing = compute_standing(plan.units, plan.stations, "dag")
    for before, after in ((silent, coverage), (coverage, silent)):
        found = compute_difference("norm", before, after, standing, standing, plan.areas, plan.regions)
        assert found.population.tolist() == [20_900, 21_100, 850]
    assert found.lost.sum() == 41_800


def test_opening_a_station_with_a_crew() -> None:
    plan, travel = vary(
        OpenStation("E2", "Overkant", "VR93", 90_500, 530_500),
        AddUnit("E2-TS", "E2", "TS", ("tankautospuit",), 6, "consignatie", 200, 0.25, 0.9),
    )
    assert plan.stations.station_id[-1] == "E2"
    assert travel.drive_s.shape == (12, 7)
    found = differ(
        OpenStation("E2", "Overkant", "VR93", 90_500, 530_500),
        AddUnit("E2-TS", "E2", "TS", ("tankautospuit",), 6, "consignatie", 200, 0.25, 0.9),
    )
    assert found.gained.tolist() == [400, 600, 0]  # A05 and A10 now have a tanker after 60 + 200 + 100 s
    assert found.station_after[4] == 6


def test_moving_a_station_takes_its_units_along() -> None:
    plan, travel = vary(MoveStation("N2", 112_000, 515_000))
    assert plan.stations.x_m[1] == 112_000
    assert travel.drive_s[:11, 1].tolist() == [100] * 11
    assert travel.drive_s.shape == (12, 6)
    assert travel.origin_y_m[1] == 515_000
    assert np.array_equal(np.delete(travel.drive_s, 1, axis=1), np.delete(read_toyland()[1].drive_s, 1, axis=1))


def test_a_moved_station_is_known_exactly_and_stands_as_far_from_its_road_as_its_new_place() -> None:
    plan, travel = read_toyland()
    rough = replace(plan, stations=replace(plan.stations, position_error_m=np.full(6, 600, np.float32)))

    def beside_the_road(travel: Travel, x_m: float, y_m: float) -> Travel:
        found = reach(travel, x_m, y_m)
        return replace(found, origin_snap_m=np.append(found.origin_snap_m[:-1], np.float32(7)))

    variant = Variant("proef", (MoveStation("N2", 112_000, 515_000),))
    moved, drives = apply_variant(rough, travel, variant, beside_the_road)
    assert moved.stations.position_error_m.tolist() == [600, 0, 600, 600, 600, 600]
    assert drives.origin_snap_m.tolist() == [*travel.origin_snap_m[:1], 7, *travel.origin_snap_m[2:]]


def test_a_ts6_becomes_a_ts4_in_one_window() -> None:
    plan, _ = vary(
        ChangeCrew(unit_id="N2-TS", type_code="TS-4", crew=4, capabilities=("tankautospuit",)),
        ChangeCrew(station_id="N1", windows=("nacht",), regime="consignatie", turnout_s=300, readiness=0.7),
    )
    n2 = plan.units.unit_id.tolist().index("N2-TS")
    assert (plan.units.type_code[n2], plan.units.crew[n2]) == ("TS-4", 4)
    assert plan.units.capabilities[n2].tolist() == [True, False, False, False, False]
    assert plan.units.turnout_s[:3].tolist() == [[80, 80, 300, 80], [200, 190, 300, 195], [90, 90, 300, 90]]
    assert plan.units.readiness[0].tolist() == pytest.approx([0.99, 0.99, 0.7, 0.99])
    assert differ(ChangeCrew(unit_id="N2-TS", crew=4), norm="uitruk-op-maat").change_s[3] == 270


def test_a_unit_goes() -> None:
    plan, _ = vary(RemoveUnit("N1-AL"))
    assert len(plan.units) == 8
    assert "N1-AL" not in plan.units.unit_id


def test_another_norm_changes_the_day_s_version_alone() -> None:
    found = differ(ChangeRule("eerste", {"grens_s": {"woonfunctie": 540}}))
    assert found.gained.tolist() == [0, 600, 0]
    plan, _ = vary(ChangeRule("eerste", {"grens_s": {"woonfunctie": 540}}))
    versions = next(rule for rule in plan.rules.rules if rule.code == "eerste").versions
    assert [v.values["grens_s"]["woonfunctie"] for v in versions] == [600, 540]
    assert versions[1].values["grens_s"]["celfunctie"] == 300


def test_a_norm_for_one_region_leaves_the_others() -> None:
    found = differ(ChangeRule("eerste", {"grens_s": {"woonfunctie": 300}}, region="VR91"))
    assert found.lost.tolist() == [6_000 + 2_500 + 1_800 + 1_200, 0, 0]


def test_what_is_not_touched_stays_and_the_notes_say_what_was_done() -> None:
    before, travel = read_toyland()
    kept = compute_hash(before)
    after, same_travel = apply_variant(before, travel, Variant("leeg", ()))
    assert same_travel is travel
    assert after.units is before.units
    assert after.notes[-1] == "Variant: leeg"
    vary(CloseStation("N1"), MoveStation("N2", 112_000, 515_000), ChangeCrew(unit_id="N2-TS", crew=4))
    assert compute_hash(before) == kept == compute_hash(read_toyland()[0])


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (CloseStation("X9"), "kazerne 'X9' staat niet in dit plan"),
        (RemoveUnit("X9-TS"), "eenheid 'X9-TS' staat niet in dit plan"),
        (OpenStation("N1", "dubbel", "VR91", 0, 300_000), "bestaat al"),
        (OpenStation("N9", "elders", "VR99", 0, 300_000), "kies uit VR91, VR92, VR93"),
        (AddUnit("N1-TS", "N1", "TS", (), 6, "beroeps", 80, 0, 1), "bestaat al"),
        (AddUnit("N1-TS9", "N1", "TS", ("vliegen",), 6, "beroeps", 80, 0, 1), "onbekende inzetmogelijkheid 'vliegen'"),
        (ChangeCrew(crew=4), "noem er precies één"),
        (ChangeCrew(unit_id="N1-TS", windows=("ochtend",)), "onbekend tijdvenster 'ochtend'"),
        (ChangeCrew(unit_id="N1-TS", regime="dienstplicht"), "onbekend bezettingsregime 'dienstplicht'"),
        (ChangeRule("eerste-hulp", {}), "regel 'eerste-hulp' heeft voor heel Nederland geen waarde"),
    ],
)
def test_an_edit_that_cannot_be_carried_out_is_named(edit: Edit, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        vary(RemoveUnit("Z3-SI"), edit)
    assert "variant 'proef', wijziging 2" in str(refusal.value)


def test_a_given_matrix_cannot_move_stations() -> None:
    plan, travel = read_toyland()
    with pytest.raises(ValueError, match="vraagt een wegennet"):
        apply_variant(plan, travel, Variant("proef", (MoveStation("N1", 0, 300_000),)))


def test_only_like_is_compared() -> None:
    plan, travel = read_toyland()
    first, second = compute_coverage(plan, travel, windows=("dag", "nacht"), norms=("eerste",))
    standing = compute_standing(plan.units, plan.stations, "dag")
    with pytest.raises(ValueError, match="dezelfde norm"):
        compute_difference("proef", first, second, standing, standing, plan.areas, plan.regions)


def test_people_of_whom_the_norm_speaks_neither_before_nor_after_are_not_counted() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    (coverage,) = compute_coverage(plan, travel, windows=("dag",), norms=("eerste",))
    limit_s = coverage.limit_s.copy()
    limit_s[:6] = np.nan  # Noordland, of which the norm now says nothing
    mute = replace(coverage, limit_s=limit_s)
    found = compute_difference("niets", mute, mute, standing, standing, plan.areas, plan.regions)
    assert found.population.tolist() == [0, 21_100, 850]
