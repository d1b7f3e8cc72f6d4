"""The planner's desk: change stations and crews on the map, see coverage and strength change, compare, hand in."""

from __future__ import annotations

import json
import secrets
from typing import Any

import numpy as np
import numpy.typing as npt
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from slagkracht.coverage import AddUnit, ChangeRule, Coverage, OpenStation, RemoveUnit, Variant, compute_difference
from slagkracht.log import NATIONAL_CHAIN
from slagkracht.plan import Plan
from slagkracht.procedures import Step
from slagkracht.reports.columns import pack_column
from slagkracht.resources import REGIMES, WINDOWS, compute_standing
from slagkracht.rules import rule_in_force
from slagkracht.server import dossiers
from slagkracht.server import engine as seam
from slagkracht.server.database import Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.choice import describe_choice, insist_on_choice, read_choice
from slagkracht.server.screens.nation import shown_areas
from slagkracht.server.screens.page import RefusedError, act, say
from slagkracht.server.screens.words import tell
from slagkracht.sources.geometry import RD, WGS84, transform
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.variant_files import parse_variant
from slagkracht.travel import Travel

TEXTS = ("soort", "kazerne", "eenheid", "bezettingsregime", "veiligheidsregio", "voertuigtype")
PLACES = {"lon", "lat", "x_m", "y_m"}
MOST_EDITS = 200
PROPOSAL, HAND_IN = "voorstel_wijziging_plan", "indienen"
"""The procedure that a variant which is handed in goes through, and its first step."""
MOST_PLACES = 6
"""Of this many stations, those edited last, strength is told at the place itself."""


@require_GET
@acting_required()
def show_desk(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html")
    norm, window = read_choice(request.GET, engine)
    with acting_scope(acting) as own:
        kept = own.rows("select * from slagkracht.variant where world = %s order by made_at desc limit 20", own.world)
        handed = {row["variant_id"]: find_proposal(own, row["variant_id"]) for row in kept}
    rows = []
    for row in kept:
        told: dict[str, Any] = {
            **row,
            "zelfde_plan": row["plan_hash"] == engine.plan_hash,
            "dossier": handed[row["variant_id"]][0],
            "terug": handed[row["variant_id"]][1],
            "in_te_dienen": handed[row["variant_id"]][1] or not handed[row["variant_id"]][0],
        }
        if told["zelfde_plan"]:
            variant = parse_variant(row["content"], row["name"])
            told |= weigh(engine, variant, norm, window)[0]
            fourth = [
                (place["voor_s"][-1] or np.inf, place["na_s"][-1] or np.inf)
                for place in told["sterkte"]
                if not place["kazerne"]
            ]
            told["later"], told["eerder"] = sum(a > b for b, a in fourth), sum(a < b for b, a in fourth)
        rows.append(told)
    context = {
        "plan": engine.plan,
        "hash": engine.plan_hash,
        **describe_choice(engine, norm, window),
        "varianten": rows,
        "mag": acting.region != NATIONAL_CHAIN and bool(acting.roles & set(find_hand_in().roles)),
        "regimes": [(regime, tell(regime)) for regime in REGIMES],
    }
    return render(request, "plantafel.html", context)


@require_POST
@acting_required()
def compute(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The plan after a list of edits, judged by one norm: what changes for whom, and every area on the map."""
    engine = seam.current()
    if engine is None:
        return HttpResponse(status=404)
    try:
        given = _read(request.body)
        if not isinstance(given, dict) or not {"norm", "venster", "wijzigingen"} <= given.keys():
            raise RefusedError("dit is geen lijst van wijzigingen met een norm en een tijdvenster")
        norm, window = insist_on_choice(str(given["norm"]), str(given["venster"]), engine)
        edits = spell_out(engine, given["wijzigingen"])
        variant = parse_variant(write_toml("schets", edits), "schets") if edits else Variant("schets", ())
        figures, before, after = weigh(engine, variant, norm, window)
    except (RefusalError, ValueError, KeyError, TypeError) as error:
        return JsonResponse({"fout": say(error) if isinstance(error, RefusedError) else str(error)}, status=400)
    shown = shown_areas(engine)
    state = np.select(
        [after.in_time & ~before.in_time, ~after.in_time & before.in_time, after.in_time], [2, 3, 0], 1
    ).astype(np.uint8)
    state[np.isnan(after.limit_s)] = 4
    return JsonResponse({**figures, "gebieden": pack_column(state[shown], "u8"), "aantal": len(edits)})


def weigh(engine: Engine, variant: Variant, norm: str, window: str) -> tuple[dict[str, Any], Coverage, Coverage]:
    """What a variant changes under one norm: people in time before and after, and per region who gains and loses."""
    before = seam.judge_plan(engine, norm, window)
    plan, travel, after = seam.judge_variant(engine, variant, norm, window)

    def standing(of: Plan) -> Any:
        return compute_standing(of.units, of.stations, window)

    change = compute_difference(
        variant.name, before, after, standing(engine.plan), standing(plan), plan.areas, plan.regions
    )
    touched = np.flatnonzero((change.gained > 0) | (change.lost > 0)).tolist()
    figures = {
        "mensen": float(change.population.sum()),
        "voor": float(change.before_in_time.sum()),
        "na": float(change.after_in_time.sum()),
        "gewonnen": float(change.gained.sum()),
        "verloren": float(change.lost.sum()),
        "regios": [
            {
                "code": str(change.region[r]),
                "naam": str(plan.regions.name[r]),
                "gewonnen": float(change.gained[r]),
                "verloren": float(change.lost[r]),
            }
            for r in touched
        ],
        **weigh_strength(engine, variant, plan, travel, window),
    }
    return figures, before, after


def weigh_strength(
    engine: Engine, variant: Variant, plan: Plan, travel: Travel, window: str
) -> dict[str, list[dict[str, Any]]]:
    """When the first and the fourth platoon stand, before and after: at edited stations and in the middle of regions.

    ``sterkte``: the stations edited last, and each region where an edited station lies or where a time changed.
    """
    stations, regions = plan.stations, plan.regions
    row_of = {station: row for row, station in enumerate(stations.station_id.tolist())}
    placed = [edit.station_id for edit in variant.edits if not isinstance(edit, RemoveUnit | ChangeRule)]
    edited = dict.fromkeys(station for station in placed if station)
    rows = [row_of[station] for station in edited]
    shown = rows[-MOST_PLACES:]
    places = [seam.find_area(engine, float(stations.x_m[row]), float(stations.y_m[row])) for row in shown]
    middles = [seam.find_middle(engine, code) for code in regions.code.tolist()]
    before_s, after_s = seam.compare_platoons(engine, plan, travel, window, [*places, *middles])
    changed = (before_s != after_s).any(axis=1)
    own = {int(stations.region[row]) for row in rows}
    names = [(str(stations.station_id[row]), str(stations.name[row])) for row in shown]
    names += list(zip(regions.code.tolist(), regions.name.tolist(), strict=True))

    def seconds(column: npt.NDArray[np.float32]) -> list[float | None]:
        return [float(value) if np.isfinite(value) else None for value in column]

    return {
        "sterkte": [
            {
                "code": code,
                "naam": name,
                "kazerne": n < len(shown),
                "voor_s": seconds(before_s[n]),
                "na_s": seconds(after_s[n]),
            }
            for n, (code, name) in enumerate(names)
            if n < len(shown) or changed[n] or n - len(shown) in own
        ]
    }


def _read(text: bytes) -> Any:
    """JSON of the map. Raises RefusedError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError("wat de kaart stuurde is niet te lezen: laad de plantafel opnieuw") from error


def _insist_on_edit(number: int, edit: Any) -> None:
    """Raises RefusedError for what is no edit: a kind, a station or unit by its code, places as numbers."""
    if not isinstance(edit, dict) or not all(isinstance(edit.get(name, ""), str) for name in TEXTS):
        raise RefusedError("wijziging {number} is geen wijziging van de kaart", number=number)
    opens = edit.get("soort") == "open"
    if opens and not (edit.get("kazerne") and ({"lon", "lat"} <= edit.keys() or {"x_m", "y_m"} <= edit.keys())):
        raise RefusedError("wijziging {number}: een nieuwe kazerne heeft een code en een plaats", number=number)
    if edit.get("soort") == "bezetting" and not edit.get("kazerne"):
        raise RefusedError("wijziging {number}: noem de kazerne", number=number)
    for name in PLACES & edit.keys():
        value = edit[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e7:
            raise RefusedError("wijziging {number}: {name} is geen getal op de kaart", number=number, name=name)


def spell_out(engine: Engine, edits: Any) -> list[dict[str, Any]]:
    """The edits of the map as a variant file has them: metres for degrees, and a regime with its times by rule.

    Raises RefusedError for what is no list of edits, more than MOST_EDITS or an unknown regime.
    """
    if not isinstance(edits, list):
        raise RefusedError("dit is geen lijst van wijzigingen met een norm en een tijdvenster")
    for number, edit in enumerate(edits, start=1):
        _insist_on_edit(number, edit)
    if len(edits) > MOST_EDITS:
        raise RefusedError("een variant heeft hooguit {MOST_EDITS} wijzigingen", MOST_EDITS=MOST_EDITS)
    told: list[dict[str, Any]] = []
    for given in edits:
        edit = dict(given)
        if "lon" in edit and "lat" in edit:
            x_m, y_m = transform(np.array([edit.pop("lon")]), np.array([edit.pop("lat")]), WGS84, RD)
            edit |= {"x_m": round(float(x_m[0]), 1), "y_m": round(float(y_m[0]), 1)}
        if edit.get("soort") == "open":
            regime = edit.pop("bezettingsregime", "")
            middle = seam.find_area(engine, edit["x_m"], edit["y_m"])
            edit.setdefault("veiligheidsregio", str(engine.plan.regions.code[engine.plan.areas.region[middle]]))
            crews = crew_edits(engine, {"eenheid": f"{edit['kazerne']}-1"}, regime)
            first = {name: value for name, value in crews[0].items() if name not in ("soort", "vensters", "eenheid")}
            unit = {"soort": "eenheid erbij", "eenheid": f"{edit['kazerne']}-1", "kazerne": edit["kazerne"]}
            told += [edit, {**unit, "voertuigtype": "TS", **first}, *crews]
        elif edit.get("soort") == "bezetting" and "uitruktijd_s" not in edit:
            told += crew_edits(engine, {"kazerne": edit["kazerne"]}, edit.get("bezettingsregime", ""))
        else:
            told.append(edit)
    return told


def crew_edits(engine: Engine, whom: dict[str, str], regime: str) -> list[dict[str, Any]]:
    """A crewing regime for a station or a unit, window by window, with the times of the rule "uitruk"."""
    _, values = rule_in_force(engine.plan.rules, "uitruk", engine.plan.day)
    if regime not in REGIMES:
        raise RefusedError("kies een bezettingsregime: {regimes}", regimes=", ".join(REGIMES))
    times = values[regime]
    return [
        {
            "soort": "bezetting",
            **whom,
            "vensters": [window],
            "bezettingsregime": regime,
            "uitruktijd_s": float(times["mediaan_s"][window]),
            "uitruktijd_spreiding": float(times["spreiding"][window]),
            "paraatheid": float(times["paraatheid"][window]),
        }
        for window in WINDOWS
    ]


def write_toml(name: str, edits: list[dict[str, Any]]) -> str:
    """A variant file: the same text that ``slagkracht variant`` reads."""
    lines = [f"naam = {json.dumps(name, ensure_ascii=False)}"]
    for edit in edits:
        lines += ["", "[[wijzigingen]]"]
        lines += [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in edit.items()]
    return "\n".join(lines) + "\n"


@require_POST
@acting_required()
def keep(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        engine = seam.current()
        name = request.POST.get("naam", "").strip()
        if engine is None or not name:
            raise RefusedError("geef de variant een naam")
        try:
            content = write_toml(name, spell_out(engine, _read(request.POST.get("wijzigingen", "").encode())))
            seam.judge_variant(engine, parse_variant(content, name), seam.norms(engine)[0], WINDOWS[0])
        except (RefusalError, ValueError, KeyError, TypeError) as error:
            raise RefusedError("deze variant kan niet: {error}", error=error) from error
        own.insert(
            "variant",
            variant_id=f"V-{own.region}-{secrets.token_hex(5)}",
            region=own.region,
            name=name,
            content=content,
            plan_hash=engine.plan_hash,
            made_by=own.actor,
            made_at=own.at,
        )
        return "/plantafel", gettext("Bewaard: {name}.").format(name=name)

    return act(request, acting, do)


@require_POST
@acting_required()
def hand_in(request: HttpRequest, acting: Acting, variant: str) -> HttpResponse:
    """Begins a dossier of PROPOSAL with a kept variant: its text, what it changes, and the plan before and after."""

    def do(own: Scope) -> tuple[str, str]:
        engine = seam.current()
        own.row("select pg_advisory_xact_lock(hashtext(%s))", variant)  # handed in once, also when two press at once
        row = own.row("select * from slagkracht.variant where variant_id = %s", variant)
        if engine is None or row is None:
            raise RefusedError("deze variant is hier niet bekend")
        made, sent_back = find_proposal(own, variant)
        if made and not sent_back:
            raise RefusedError("deze variant is al ingediend, als dossier {made}", made=made)
        if row["plan_hash"] != engine.plan_hash:
            raise RefusedError("deze variant is gemaakt op een ander plan; maak haar opnieuw en dien die in")
        norm, window = insist_on_choice(request.POST.get("norm", ""), request.POST.get("venster", ""), engine)
        told = parse_variant(row["content"], row["name"])
        owners = find_owners(engine, told)
        if len(owners) != 1:
            regions = ", ".join(sorted(owners))
            raise RefusedError(
                "een voorstel gaat over één regio, want haar bestuur besluit; deze variant raakt {regions}",
                regions=regions,
            )
        figures = weigh(engine, told, norm, window)[0]
        dossier = made or dossiers.open_dossier(own, PROPOSAL, {"indiener": own.region, "eigenaar": owners.pop()})
        answers = {
            "voorstel": row["name"],
            "variant": variant,
            "verantwoording": engine.plan_hash,
            "vingerafdruk_na": seam.compute_variant_hash(engine, told),
            "wijzigingen": row["content"],
            "gevolgen": describe_effects(engine, figures, norm, window),
        }
        dossiers.take_dossier_step(own, dossier, HAND_IN, answers)
        return f"/besluiten/dossiers/{dossier}", gettext("Ingediend: {name}.").format(name=row["name"])

    return act(request, acting, do)


def find_hand_in() -> Step:
    """The step by which a variant is handed in."""
    return next(step for step in dossiers.read_known()[PROPOSAL].steps if step.code == HAND_IN)


def find_proposal(own: Scope, variant: str) -> tuple[str, bool]:
    """The dossier that a variant was handed in as ("" when it was not), and whether it was sent back to the desk."""
    said = json.dumps({"taken": [{"step": HAND_IN, "answers": {"variant": variant}}]})
    row = own.row(
        "select dossier_id, content->>'state' as state from slagkracht.dossier "
        "where procedure = %s and content @> %s::jsonb",
        PROPOSAL,
        said,
    )
    return (str(row["dossier_id"]), row["state"] in find_hand_in().from_states) if row else ("", False)


def find_owners(engine: Engine, variant: Variant) -> set[str]:
    """The regions whose stations, units or rules a variant changes; the nation's rules are those of "landelijk"."""
    units, stations = engine.plan.units, engine.plan.stations
    region_of = dict(zip(stations.station_id.tolist(), engine.plan.regions.code[stations.region].tolist(), strict=True))
    station_of = dict(zip(units.unit_id.tolist(), stations.station_id[units.station].tolist(), strict=True))
    owners = set()
    for edit in variant.edits:
        if isinstance(edit, ChangeRule):
            owners.add(edit.region or "landelijk")
            continue
        station = "" if isinstance(edit, RemoveUnit) else edit.station_id
        unit = getattr(edit, "unit_id", "")
        if isinstance(edit, OpenStation):
            region_of[station] = edit.region
        elif isinstance(edit, AddUnit):
            station_of[unit] = station
        owners.add(region_of[station or station_of[unit]])
    return owners


def describe_effects(engine: Engine, figures: dict[str, Any], norm: str, window: str) -> str:
    """What a variant changes, in Dutch as a dossier keeps it: people in time, and when platoons stand."""

    def people(value: float) -> str:
        return f"{value:,.0f}".replace(",", ".")

    def clock(seconds: float | None) -> str:
        return "nooit" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"

    lines = [
        f"{seam.describe_rule(engine, norm).dutch} ({norm}), tijdvenster {window}:",
        f"{people(figures['na'])} van {people(figures['mensen'])} inwoners op tijd; dat waren er "
        f"{people(figures['voor'])} (erbij {people(figures['gewonnen'])}, eraf {people(figures['verloren'])}).",
    ]
    lines += [
        f"{region['code']} {region['naam']}: erbij {people(region['gewonnen'])}, eraf {people(region['verloren'])}."
        for region in figures["regios"]
    ]
    lines.append("Basispeloton compleet, min:s na alarm, met elke ondergrens gehouden:")
    for place in figures["sterkte"]:
        where = place["naam"] if place["kazerne"] else f"midden van {place['code']} {place['naam']}"
        ranks = zip(seam.RANKS, place["voor_s"], place["na_s"], strict=True)
        lines.append(f"{where}: " + ", ".join(f"{n}e {clock(was)} → {clock(becomes)}" for n, was, becomes in ranks))
    return "\n".join(lines)


@require_GET
@acting_required()
def read_variant_file(request: HttpRequest, acting: Acting, variant: str) -> HttpResponse:
    """A kept variant as the file that the command line reads."""
    with acting_scope(acting) as own:
        row = own.row("select content from slagkracht.variant where variant_id = %s", variant)
    if row is None:
        return render(request, "niet_gevonden.html", status=404)
    return HttpResponse(row["content"], content_type="application/toml; charset=utf-8")
