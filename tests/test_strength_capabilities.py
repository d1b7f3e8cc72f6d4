"""Demand per capability worked out by hand, and against the return levels of the formations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_run import run
from slagkracht.cli.asked import asked_as_data, asked_rows
from slagkracht.risks import (
    Events,
    Need,
    Place,
    Profile,
    Risk,
    compute_events,
    compute_peak_demand,
    compute_return_level,
)
from slagkracht.strength import LEVELS, Formation, Part
from slagkracht.strength.capabilities import DAYS, PARTS, Asked, compute_asked

PLATOON = Formation(
    "peloton", "Peloton", (Part("basiseenheid", 4, (("tankautospuit", 2),)), Part("officier_van_dienst", 1)),
    True, 300.0, 1800.0, "te verifiëren",
)  # fmt: skip
COMPANY = Formation(
    "compagnie", "Compagnie", (Part("basiseenheid", 8, (("tankautospuit", 2),)),), True, 300.0, 1800.0, "te verifiëren"
)
DOCTRINE = {each.code: each for each in (PLATOON, COMPANY)}


def risk(code: str, *needs: Need, rate: float = 1.0) -> Risk:
    return Risk(
        code, code, "natuurlijke omgeving", "brand", (), (Place("Peel", 188e3, 380e3, 1.0),), rate, rate / 2, rate * 2,
        (1.0,) * 12, (1.0,) * 24, ("C",) * 10, "", "", needs, "verzonnen", "te verifiëren",
    )  # fmt: skip


FIRE = risk("brand", Need("peloton", 2, 0.0, 30.0), Need("peloton", 1, 50.0, 80.0))
PLANT = risk("chemie", Need("compagnie", 1, 5.0, 10.0), Need("ijsbreker", 3, 0.0, 5.0))


def by_hand() -> Asked:
    """Ten years. In the first a fire from Friday 04:00 in January and a plant from 14:00; in the second a fire from
    Friday 13:00 in May; in the others nothing."""
    events = Events(
        year=np.array([0, 0, 1], np.int32), start_h=np.array([100.0, 110.0, 3133.0]),
        end_h=np.array([180.0, 120.0, 3213.0]), risk=np.array([0, 1, 0], np.int32), years=10, seed=0,
    )  # fmt: skip
    return compute_asked(events, np.repeat([0, 1], 5).astype(np.int32), Profile((FIRE, PLANT), ()), DOCTRINE)


def levels(asked: Asked, part: str, capability: str = "basiseenheid") -> list[int]:
    return asked.needed[asked.capabilities.index(capability), PARTS.index(part)].tolist()


def test_the_peaks_of_a_part_are_those_worked_out_by_hand() -> None:
    """At 19:00 on that Friday 2 platoons and a company ask 8 + 8 pumps; in May 2 platoons ask 8.

    Of ten yearly peaks 16, 8 and eight times 0: once a year is the 4th from below, once in 5 years the 9th, once in
    10 and in 25 the 10th, P50 the 5th, P90 the 9th, P95 the 10th.
    """
    asked = by_hand()
    assert asked.capabilities == ("basiseenheid", "officier_van_dienst")
    assert LEVELS[:4] == ("eens per jaar", "eens per 5 jaar", "eens per 10 jaar", "eens per 25 jaar")
    assert levels(asked, "heel het jaar") == [0, 8, 16, 16, 0, 8, 16]
    assert levels(asked, "heel het jaar", "officier_van_dienst") == [0, 2, 2, 2, 0, 2, 2]
    assert levels(asked, "winter") == [0, 0, 16, 16, 0, 0, 16]
    assert levels(asked, "lente") == [0, 0, 8, 8, 0, 0, 8]
    assert levels(asked, "zomer") == levels(asked, "herfst") == [0] * 7
    assert levels(asked, "ma–vr") == [0, 8, 16, 16, 0, 8, 16]
    assert levels(asked, "za–zo") == [0, 8, 8, 8, 0, 8, 8]  # the company left at midnight
    assert levels(asked, "19 uur") == [0, 8, 16, 16, 0, 8, 16]
    assert levels(asked, "18 uur") == [0, 8, 8, 8, 0, 8, 8]
    chance = asked.chance[0, [PARTS.index(part) for part in ("heel het jaar", "winter", "za–zo", "zomer")]]
    assert chance.tolist() == [0.2, 0.1, 0.2, 0.0]


def test_the_picture_by_season_and_hour_is_worked_out_by_hand() -> None:
    """January: 8 pumps from 4 to 5 o'clock on Friday and on Saturday and 4 on Monday: 20 pump-hours in ten years.

    The winter of twelve equal months has 91 times an hour that begins at four.
    """
    asked = by_hand()
    assert asked.mean.shape == asked.ten_years.shape == (2, 4, 24)
    assert asked.mean[0, 0, 4] == pytest.approx(20 / 10 / 91)
    assert asked.mean[0, 2].tolist() == [0.0] * 24
    assert {s: row.tolist() for s, row in enumerate(asked.begins[0]) if row.any()} == {
        0: [0.0] * 4 + [0.8, 0, 0.4] + [0.0] * 12 + [0.8] + [0.0] * 4,  # 8 at 4:00, 4 at 6:00 and 8 at 19:00
        1: [0.0] * 13 + [0.8, 0, 0.4] + [0.0] * 8,
    }
    assert asked.ten_years[0, 0, [0, 4, 18, 19, 23]].tolist() == [8, 8, 8, 16, 16]
    assert asked.ten_years[0, 1, [12, 13]].tolist() == [8, 8]


def test_a_day_since_the_beginning_counts_only_events_that_ask_for_it() -> None:
    """Two fires ask 8, 8, 4, 4 pumps on their days, one plant 8 on its first. Officers: 2, 2, 1, 1 of fires alone."""
    asked = by_hand()
    assert asked.by_day.shape == (2, len(DAYS), 3)
    assert asked.by_day[0].tolist() == [[8] * 3, [8] * 3, [4] * 3, [4] * 3, [0] * 3, [0] * 3, [0] * 3]
    assert asked.by_day[1].tolist() == [[2] * 3, [2] * 3, [1] * 3, [1] * 3, [0] * 3, [0] * 3, [0] * 3]
    assert asked.needed[1, 0, 0] < asked.by_day[1, 0, 0]  # once a year is less than half of the fires ask


def test_percentiles_of_a_day_follow_how_often_each_event_comes() -> None:
    """Nine fires of one platoon and one of three: P50 1 officer, P90 still 1, P95 3; day 5–7 begins at hour 96."""
    small, big = risk("klein", Need("peloton", 1, 0.0, 96.0)), risk("groot", Need("peloton", 3, 0.0, 96.5))
    which = np.array([0] * 9 + [1], np.int32)
    events = Events(which * 0, np.arange(10) * 200.0, np.arange(10) * 200.0 + 96, which, 1, 0)
    asked = compute_asked(events, np.zeros(1, np.int32), Profile((small, big), ()), DOCTRINE)
    officers = asked.by_day[1]
    assert officers[0].tolist() == officers[3].tolist() == [1, 1, 3]
    assert officers[4].tolist() == [0, 0, 3]


def test_what_may_stand_in_is_told_and_what_doctrine_lacks_is_not_hidden() -> None:
    asked = by_hand()
    assert asked.substitutes == ((("tankautospuit", 2),), ())
    assert asked.unknown == ("ijsbreker",)
    nothing = compute_asked(
        Events(np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0, np.int32), 4, 0), np.zeros(4, np.int32),
        Profile((), ()), DOCTRINE,
    )  # fmt: skip
    assert nothing.capabilities == ()
    assert nothing.needed.shape == (0, len(PARTS), len(LEVELS))
    assert asked_as_data(nothing) == {"per_inzetmogelijkheid": [], "onbekende_formaties": []}
    never = compute_asked(
        Events(np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0, np.int32), 4, 0), np.zeros(4, np.int32),
        Profile((FIRE,), ()), DOCTRINE,
    )  # fmt: skip
    assert not any(figures.any() for figures in (never.needed, never.by_day, never.mean, never.ten_years))


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 4.0), st.floats(0.05, 4.0), st.integers(0, 1000))
def test_levels_and_their_interval_equal_those_of_the_yearly_peaks(one: float, other: float, seed: int) -> None:
    """Counting years equals sorting them: the return levels of risks whose needs name the capability themselves."""
    fire = Need("basiseenheid", 8, 0.0, 30.0), Need("basiseenheid", 4, 50.0, 80.0)
    plain = Profile(
        (risk("brand", *fire, rate=one), risk("chemie", Need("basiseenheid", 8, 5.0, 10.0), rate=other)), ()
    )
    events, draw_of = compute_events(plain, 200, seed)
    profile = Profile((risk("brand", *FIRE.needs, rate=one), risk("chemie", *PLANT.needs, rate=other)), ())
    asked = compute_asked(events, draw_of, profile, DOCTRINE)
    demand = compute_peak_demand(events, draw_of, plain, ("basiseenheid",))
    for n, years in enumerate((1, 5, 10, 25)):
        middle, low, high = (float(v[0]) for v in compute_return_level(demand, years))
        assert (asked.needed[0, 0, n], asked.needed_low[0, n], asked.needed_high[0, n]) == (middle, low, high)
    for n, q in enumerate((0.5, 0.9, 0.95), start=4):
        assert asked.needed[0, 0, n] == np.quantile(demand.peak, q, method="inverted_cdf")
    for parts in (slice(1, 5), slice(5, 29), slice(29, 31)):  # seasons, hours, kinds of day: none above the year
        assert (asked.needed[:, parts].max(axis=1) <= asked.needed[:, 0]).all()
        assert (asked.chance[:, parts].max(axis=1) <= asked.chance[:, 0]).all()


def test_rows_and_data_say_which_distribution_each_figure_is_of() -> None:
    asked = by_hand()
    rows = asked_rows(asked)
    assert len(rows) == 2 * (len(PARTS) + len(DAYS))
    first, last = rows[0], rows[len(PARTS)]
    assert (first["verdeling"], first["indeling"], first["eens_per_10_jaar"], first["P90"]) == ("jaren", "jaar", 16, 8)
    assert (last["verdeling"], last["deel"], last["P50"]) == ("gebeurtenissen die erom vragen", "dag 1", 8)
    assert last["eens_per_10_jaar"] is None
    data = asked_as_data(asked)["per_inzetmogelijkheid"][0]
    assert data["mag_ook_met"] == [{"inzetmogelijkheid": "tankautospuit", "aantal": 2}]
    assert data["seizoen_en_uur"]["winter"]["eens_per_10_jaar"][19] == 16
    assert data["per_gebeurtenis_die_erom_vraagt"][2] == {"dag": "dag 3", "P50": 4, "P90": 4, "P95": 4}


def test_the_command_tells_it_in_tables_and_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, "risico", "--jaren", 300, "--uit", tmp_path / "uit")
    assert answer.code == 0
    for said in ("basisbrandweereenheid", "2 × tankautospuit", "za–zo", "dag 8–14", "hoogstens 63 % van de jaren"):
        assert said in answer.out
    lines = (tmp_path / "uit" / "vraag-per-inzetmogelijkheid.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 20 * (len(PARTS) + len(DAYS))
