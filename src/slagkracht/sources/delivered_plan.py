"""A plan in which what a region handed in takes the place of what was assumed for it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.resources import Stations, Units
from slagkracht.risks import Profile
from slagkracht.roads import Roads
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.sources.delivery import Delivery
from slagkracht.sources.facts import read_regions
from slagkracht.sources.refusal import Finding, RefusalError
from slagkracht.sources.risk_files import read_profile

Table = TypeVar("Table", Stations, Units, Areas)
DAY = datetime.timedelta(days=1)


def apply_delivery(plan: Plan, delivery: Delivery) -> Plan:
    """``plan`` with the stations and units of ``delivery`` instead of those it had for that region.

    Areas are replaced where the region handed them in. A deviation becomes the region's own version of its norm, and
    a floor its own version of the rule "ondergrens", from the day of the decision. Drive times must be computed anew,
    so ``travel`` is None. Stations and units stand in order of region and, of this one, of their own name: in whatever
    order rows and regions come in, the plan and every answer from it are the same. A name that another region uses
    already gets the region's code before it. Raises RefusalError when the plan has no such region, no roads to drive
    on, or a deviation is from no rule of the plan.
    """

    def refuse(found: str, expected: str) -> RefusalError:
        return RefusalError([Finding(f"aanlevering {delivery.region}", 0, "", found, expected)])

    codes = plan.regions.code.tolist()
    if delivery.region not in codes:
        raise refuse(f"regio {delivery.region}", f"een regio van het plan: {', '.join(codes)}")
    if plan.travel is not None and plan.roads is None:
        raise refuse("een plan met een rijtijdenmatrix", "een plan met een wegennet: de rijtijden moeten opnieuw")
    region = codes.index(delivery.region)
    delivery = _in_order(delivery)

    others = plan.stations.region != region
    kept = np.flatnonzero(others)
    stations = dataclasses.replace(
        delivery.stations,
        station_id=_own_names(delivery.stations.station_id, plan.stations.station_id[others], delivery.region),
        region=np.full(len(delivery.stations), region, dtype=np.int32),
    )
    stations = _join(_take(plan.stations, others), stations)
    row_of = np.full(len(plan.stations), -1, dtype=np.int32)
    row_of[kept] = np.arange(len(kept), dtype=np.int32)
    staying = others[plan.units.station]
    old = _take(plan.units, staying)
    old = dataclasses.replace(old, station=row_of[old.station])
    new = dataclasses.replace(
        delivery.units,
        unit_id=_own_names(delivery.units.unit_id, old.unit_id, delivery.region),
        station=(delivery.units.station + len(kept)).astype(np.int32),
    )
    names = _union(old.capability_names, new.capability_names)
    units = _join(*(_with_columns(t, "capability_names", "capabilities", names) for t in (old, new)))
    stations, units = _by_region(stations, units)

    areas, deviations = plan.areas, delivery.deviations
    if delivery.areas is not None:
        elsewhere = _take(plan.areas, plan.areas.region != region)
        own_ids = _own_names(delivery.areas.area_id, elsewhere.area_id, delivery.region)
        renamed = dict(zip(delivery.areas.area_id.tolist(), own_ids.tolist(), strict=True))
        place = np.array([renamed.get(area, area) for area in deviations.area_id.tolist()], dtype=np.str_)
        deviations = dataclasses.replace(deviations, area_id=place)
        own = dataclasses.replace(delivery.areas, area_id=own_ids, region=np.full(len(own_ids), region, dtype=np.int32))
        classes = _union(elsewhere.object_classes, own.object_classes)
        areas = _join(*(_with_columns(t, "object_classes", "objects", classes) for t in (elsewhere, own)))
    strangers = sorted(set(deviations.area_id.tolist()) - set(areas.area_id.tolist()) - {""})
    if strangers:
        raise refuse(f"een afwijking voor gebied {', '.join(strangers)}", "gebieden die in het plan staan")

    changes = {
        norm: [
            (
                _day(deviations.decided_on[row]),
                {
                    "gebied": str(deviations.area_id[row]),
                    "gemeente": str(deviations.municipality[row]),
                    "klasse": str(deviations.place_class[row]),
                    "grens_s": float(deviations.limit_s[row]),
                    "motivering": str(deviations.motivation[row]),
                },
            )
            for row in np.flatnonzero(deviations.norm == norm)
        ]
        for norm in sorted(set(deviations.norm.tolist()))
    }
    rules = plan.rules
    for norm, decided in changes.items():
        if not any(rule.code == norm for rule in rules.rules):
            known = ", ".join(sorted({r.code for r in rules.rules if "grens_s" in r.versions[-1].values}))
            raise refuse(f"een afwijking van {norm}", f"een norm van dit plan: {known}")
        steps = sorted({day for day, _ in decided})
        additions = [(step, {"afwijkingen": [entry for day, entry in decided if day <= step]}) for step in steps]
        rules = _decide(rules, norm, delivery.region, additions)
    floor = delivery.floor
    floors: list[tuple[datetime.date, dict[str, Any]]] = []
    for row in np.argsort(floor.decided_on, kind="stable"):
        limit = {} if np.isnan(floor.limit_s[row]) else {"grens_s": float(floor.limit_s[row])}
        floors.append((_day(floor.decided_on[row]), {"aandeel_inwoners": float(floor.share[row])} | limit))
    if floors:
        rules = _decide(rules, "ondergrens", delivery.region, floors)
    note = (
        f"{delivery.region} leverde zelf aan: {len(delivery.stations)} kazernes, {len(delivery.units)} eenheden"
        + (f", {len(delivery.areas)} gebieden" if delivery.areas is not None else "")
        + (f", {len(deviations)} afwijking(en)" if len(deviations) else "")
        + "; dit vervangt wat voor die regio was aangenomen."
    )
    return dataclasses.replace(
        plan, stations=stations, units=units, areas=areas, rules=rules, travel=None, notes=(*plan.notes, note)
    )


def build_delivered_plan(
    deliveries: Sequence[Delivery],
    day: datetime.date,
    rules: Rules,
    roads: Roads | None,
    name: str = "Landelijk dekkingsplan",
    risks: Profile | None = None,
) -> Plan:
    """A plan of deliveries alone, each with its own areas, whatever their order; ``roads`` None where a matrix is set
    afterwards.

    ``risks`` None = the starter set of the programme. Raises RefusalError when there are no deliveries, two are of one
    region, or one has no areas.
    """
    findings = []
    for number, delivery in enumerate(deliveries):
        if delivery.areas is None:
            findings.append(Finding(f"aanlevering {delivery.region}", 0, "", "geen gebieden", "een tabel gebieden"))
        if delivery.region in [other.region for other in deliveries[:number]]:
            findings.append(Finding(f"aanlevering {delivery.region}", 0, "", "tweemaal", "één aanlevering per regio"))
    if not deliveries:
        findings.append(Finding("aanleveringen", 0, "", "geen", "ten minste één aanlevering"))
    if findings:
        raise RefusalError(findings)
    deliveries = sorted(deliveries, key=lambda delivery: delivery.region)
    first = deliveries[0]
    nothing = np.zeros(0, dtype=np.int64)
    plan = Plan(
        name=name,
        day=day,
        regions=read_regions(),
        stations=_take(first.stations, nothing),
        units=_take(first.units, nothing),
        areas=_take(cast(Areas, first.areas), nothing),
        risks=risks or read_profile(),
        rules=rules,
        roads=roads,
        travel=None,
        notes=(),
    )
    for delivery in deliveries:
        plan = apply_delivery(plan, delivery)
    return plan


def _in_order(delivery: Delivery) -> Delivery:
    """The same delivery with its stations and units in order of their names."""
    rows = np.argsort(delivery.stations.station_id, kind="stable")
    row_of = np.argsort(rows).astype(np.int32)
    units = dataclasses.replace(delivery.units, station=row_of[delivery.units.station])
    return dataclasses.replace(
        delivery, stations=_take(delivery.stations, rows), units=_take(units, np.argsort(units.unit_id, kind="stable"))
    )


def _by_region(stations: Stations, units: Units) -> tuple[Stations, Units]:
    """The same stations and units region by region, each in the order that it had."""
    rows = np.argsort(stations.region, kind="stable")
    row_of = np.argsort(rows).astype(np.int32)
    stations = _take(stations, rows)
    units = dataclasses.replace(units, station=row_of[units.station])
    return stations, _take(units, np.argsort(stations.region[units.station], kind="stable"))


def _decide(rules: Rules, code: str, region: str, changes: list[tuple[datetime.date, dict[str, Any]]]) -> Rules:
    """The rules with ``region``'s own version of ``code``: what held there, changed from each day of ``changes`` on.

    Each change replaces the one before; lists are added to what the rule says itself. Where the rule has no value,
    neither has the region.
    """
    own = next((rule for rule in rules.rules if rule.code == code and rule.region == region), None)
    base = own or next((rule for rule in rules.rules if rule.code == code and not rule.region), None)
    if base is None:
        base = Rule(code, "doctrine", "Ondergrens van de restdekking bij bijstand", "", "vastgesteld", "", ())
        base = dataclasses.replace(base, versions=(RuleVersion(changes[0][0], None, {}),))
    first = changes[0][0]
    starts = sorted(
        {day for day, _ in changes} | {v.starts for v in base.versions if own is not None or v.starts > first}
    )
    versions = []
    for number, start in enumerate(starts):
        held = next((v for v in base.versions if v.starts <= start and (v.ends is None or start <= v.ends)), None)
        if held is None:
            continue
        until = [day for day in (held.ends, starts[number + 1] - DAY if number + 1 < len(starts) else None) if day]
        change: dict[str, Any] = next((values for day, values in reversed(changes) if day <= start), {})
        values = held.values | {
            name: [*held.values.get(name, ()), *value] if isinstance(value, list) else value
            for name, value in change.items()
        }
        versions.append(RuleVersion(start, min(until, default=None), values))
    decided = Rule(
        code=code,
        kind=base.kind,
        dutch=base.dutch,
        source=f"{base.source}; besluit van {region}, aangeleverd".lstrip("; "),
        status=base.status if own is not None else "vastgesteld",
        region=region,
        versions=tuple(versions),
    )
    others = [rule for rule in rules.rules if (rule.code, rule.region) != (code, region)]
    return Rules(tuple(sorted([*others, decided], key=lambda rule: (rule.code, rule.region))))


def _day(value: np.datetime64) -> datetime.date:
    return datetime.date.fromisoformat(str(value))


def _own_names(names: npt.NDArray[np.str_], taken: npt.NDArray[np.str_], region: str) -> npt.NDArray[np.str_]:
    used = set(taken.tolist())
    return np.array([f"{region}-{name}" if name in used else name for name in names.tolist()], dtype=np.str_)


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return (*first, *(name for name in second if name not in first))


def _with_columns(table: Table, names_field: str, field: str, names: tuple[str, ...]) -> Table:
    """The table with its columns of ``field`` in the order of ``names``; a column it does not have is zero."""
    values = getattr(table, field)
    have = getattr(table, names_field)
    wide = np.zeros((len(table), len(names)), dtype=values.dtype)
    wide[:, [names.index(name) for name in have]] = values
    changed: dict[str, Any] = {names_field: names, field: wide}
    return dataclasses.replace(table, **changed)


def _take(table: Table, rows: npt.NDArray[Any]) -> Table:
    """The table with these rows (a mask or row numbers) only."""
    taken: dict[str, Any] = {
        name: column[rows] for name, column in vars(table).items() if isinstance(column, np.ndarray)
    }
    return dataclasses.replace(table, **taken)


def _join(first: Table, second: Table) -> Table:
    """The rows of both tables; what is no column is that of the first."""
    joined: dict[str, Any] = {
        name: np.concatenate([column, getattr(second, name)])
        for name, column in vars(first).items()
        if isinstance(column, np.ndarray)
    }
    return dataclasses.replace(first, **joined)
