"""A plan: its hash sees every field, and its drives follow its own roads, its day and the weather asked for."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from slagkracht.plan import Plan, compute_hash, compute_plan_travel, compute_reach
from slagkracht.rules import NoRuleError
from slagkracht.sources.modelland import build_modelland
from slagkracht.travel import UNREACHABLE
from toyland import read_toyland


@pytest.fixture(scope="module")
def country() -> Plan:
    return build_modelland(400)


def changed(value: object) -> object:
    """The same kind of value, a little different."""
    if isinstance(value, np.ndarray):
        other = value.copy()
        place = (0,) * other.ndim
        other[place] = (
            "anders" if other.dtype.kind == "U" else ~other[place] if other.dtype == bool else other[place] + 1
        )
        return other
    if isinstance(value, str):
        return value + "!"
    if isinstance(value, datetime.date):
        return value + datetime.timedelta(days=1)
    if isinstance(value, float):
        return value + 1.0
    if isinstance(value, tuple):
        return (*value, "nog een") if not value or isinstance(value[0], str) else value[:-1]
    raise TypeError(type(value))


@pytest.mark.parametrize("noun", ["", "regions", "stations", "units", "areas", "rules", "travel"])
def test_every_field_changes_the_hash(noun: str) -> None:
    plan, _ = read_toyland()
    thing = getattr(plan, noun) if noun else plan
    before = compute_hash(plan)
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if dataclasses.is_dataclass(value) or value is None:
            continue
        if isinstance(value, np.ndarray) and value.dtype.kind == "U":
            value = value.astype("<U40")
        other = dataclasses.replace(thing, **{field.name: changed(value)})
        whole = dataclasses.replace(plan, **{noun: other}) if noun else other
        assert compute_hash(whole) != before, f"{noun}.{field.name}"


def test_every_field_of_a_scenario_changes_the_hash(country: Plan) -> None:
    risk, shock = country.risks.risks[0], country.risks.shocks[0]
    before = compute_hash(country)
    for field in dataclasses.fields(risk):
        value = getattr(risk, field.name)
        other = value[:-1] if isinstance(value, tuple) and value and not isinstance(value[0], str) else changed(value)
        risks = dataclasses.replace(
            country.risks, risks=(dataclasses.replace(risk, **{field.name: other}), *country.risks.risks[1:])
        )
        assert compute_hash(dataclasses.replace(country, risks=risks)) != before, field.name
    for field in dataclasses.fields(shock):
        other = dataclasses.replace(shock, **{field.name: changed(getattr(shock, field.name))})
        risks = dataclasses.replace(country.risks, shocks=(other, *country.risks.shocks[1:]))
        assert compute_hash(dataclasses.replace(country, risks=risks)) != before, field.name


def test_the_hash_is_of_the_content_not_of_the_memory() -> None:
    plan, _ = read_toyland()
    wider = dataclasses.replace(plan.stations, name=plan.stations.name.astype("<U99"))
    swapped = dataclasses.replace(plan.areas, x_m=plan.areas.x_m.astype(">f8"))
    assert compute_hash(dataclasses.replace(plan, stations=wider, areas=swapped)) == compute_hash(plan)
    with pytest.raises(TypeError, match="no agreed bytes"):
        compute_hash({"a": object()})


def test_snow_is_slower_and_closed_motorways_never_help(country: Plan) -> None:
    usual, snow, closed = (compute_plan_travel(country, scenario=s).drive_s for s in ("", "sneeuw", "snelwegen_dicht"))
    driven = usual != UNREACHABLE
    assert (snow[driven] >= usual[driven]).all()
    assert 1.15 < np.median(snow[driven] / np.maximum(usual[driven], 1)) <= 1.61
    assert (closed[driven] >= usual[driven]).all()
    assert (closed[driven] > usual[driven]).any()


def test_an_unknown_scenario_is_named_with_those_there_are(country: Plan) -> None:
    with pytest.raises(ValueError, match=r"'hagel'.*sneeuw"):
        compute_plan_travel(country, scenario="hagel")
    matrix, _ = read_toyland()
    with pytest.raises(ValueError, match="rijtijdenmatrix"):
        compute_plan_travel(matrix, scenario="sneeuw")


def test_a_day_before_any_speed_profile_is_no_day(country: Plan) -> None:
    with pytest.raises(NoRuleError, match=r"rijprofiel-spoed.*1990"):
        compute_plan_travel(dataclasses.replace(country, day=datetime.date(1990, 1, 1)))


def test_a_station_opened_where_one_stands_drives_as_that_one_does(country: Plan) -> None:
    travel = compute_plan_travel(country)
    more = compute_reach(country)(travel, float(country.stations.x_m[3]), float(country.stations.y_m[3]))
    assert more.drive_s.shape[1] == travel.drive_s.shape[1] + 1
    assert (more.drive_s[:, -1] == more.drive_s[:, 3]).all()
