"""A platform with something on every screen: a fire, what is asked, offered, promised and driven, and decisions."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from slagkracht.server import checkpoints, demo, ledger, move_ups
from slagkracht.server import engine as seam
from slagkracht.server.engine import CLOCK, Engine
from slagkracht.server.journal import record
from test_server_api import client, post
from test_server_ledger import acting
from test_server_screens import press

ASKER, LENDER, CENTRE = "demo-officier-vr06", "demo-officier-vr07", "demo-actiecentrum"
RECEIPTS = ("restdekking", "ondergrens", "eenheden", "pelotons", "voorstel", "dekking", "kosten", "tekort")


@dataclass(frozen=True)
class Filled:
    """Where to look: the incident, its request with the line of platoons, the wave of relief, and the dossiers."""

    incident: str
    request: str
    line: str
    wave: str
    dossiers: tuple[str, ...]

    def screens(self, user: str) -> list[str]:
        """The addresses of the screens of a user, each with something on it: the asker, a lender and the centre."""
        incident, request = f"/actiecentrum/incidenten/{self.incident}", f"/actiecentrum/aanvragen/{self.request}"
        wave = f"/actiecentrum/aanvragen/{self.wave}"
        if user == ASKER:  # what an asker alone can do; the rest is as the others see it
            return ["/regio", "/actiecentrum", incident, request, wave]
        paths = ["/", "/actiecentrum", request, f"{request}/kosten", "/tekort", "/plantafel", "/besluiten"]
        paths += [*self.dossiers, "/logboek?controle=1", "/logboek?om=2030-01-01T12:00", "/terugkijken", "/beheer"]
        paths += ["/register", *(f"/verantwoording?cijfer={code}" for code in RECEIPTS)]
        if user == LENDER:
            return [*paths, "/regio", f"/regio/regels/{self.line}"]
        return [*paths, incident, f"{incident}/overdracht", wave]


def on_form(at: datetime.datetime) -> str:
    return at.astimezone(CLOCK).strftime("%Y-%m-%dT%H:%M")


def fill(engine: Engine, folder: Any) -> Filled:
    """Fills the real world of the platform of this process with ``engine``'s plan; ``folder`` keeps the signing key."""
    now = datetime.datetime.now(datetime.UTC)
    began = now - datetime.timedelta(hours=3)
    demo.lay_units(engine.plan)
    demo.lay_consents(now + datetime.timedelta(days=2))
    asker, centre = client(ASKER), client(CENTRE)
    lender, other, third = (client(f"demo-officier-{code}") for code in ("vr07", "vr08", "vr05"))
    place = seam.find_middle(engine, "VR06")
    at = {"x_m": f"{engine.plan.areas.x_m[place]:.0f}", "y_m": f"{engine.plan.areas.y_m[place]:.0f}"}
    opened = asker.post(
        "/actiecentrum/incidenten",
        {"wat": "Natuurbrand Veluwe", "niveau": "GRIP 3", "gebeurd_op": on_form(began), **at},
    )
    incident = opened.headers["Location"].rpartition("/")[2]
    tell = f"/actiecentrum/incidenten/{incident}/vastleggen"
    press(asker, tell, soort="command_handed_over", functie="leider", aan="Hoofdofficier Noord")
    press(asker, tell, soort="command_handed_over", functie="sector noord", aan="OvD Apeldoorn")
    press(asker, tell, soort="decision_recorded", tekst="Sector noord houdt de spoorlijn")
    late = on_form(now - datetime.timedelta(hours=2))
    press(asker, tell, soort="note", tekst="Vuur stak de weg over", gebeurd_op=late)
    _send_own_units(engine, incident, place, began)

    signed = {"mandaat": "voorzitter veiligheidsregio", "ondertekenaar": "Voorzitter VR06"}

    def ask(count: int, crew: int) -> str:
        made = asker.post(
            f"/actiecentrum/incidenten/{incident}/aanvragen",
            {"formatie": ["basispeloton", "handcrew"], "aantal": [count, crew],
             "nodig_op": on_form(now + datetime.timedelta(hours=1)), "uren": 24, "grond": "wvr51_minister",
             **signed},
        )  # fmt: skip
        return str(made.headers["Location"].rpartition("/")[2])

    request = ask(6, 1)
    line = f"{request}-1"
    press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR05", "VR07", "VR08", "VR09", "VR24"])
    for browser, count, note in ((lender, 1, "terug voor de nacht"), (third, 2, "")):
        page = browser.post(f"/regio/regels/{line}", {"aantal": count, "aantal_was": 9}).content.decode()
        units = re.findall(r'value="([^"]+)" checked', page)
        given = {"eenheden": units, "aantal": count, "voorwaarden": note, "bewust": "buren dekken ons"}
        assert press(browser, f"/regio/regels/{line}/aanbieden", **given).startswith("Aangeboden")
    press(other, f"/regio/regels/{line}/weigeren", reden="restdekking")
    page = asker.get(f"/actiecentrum/aanvragen/{request}").content.decode()
    offers = list(dict.fromkeys(re.findall(r"aanboden/(O-[^/]+)/aanvaarden", page)))
    of = {offer: re.search(r"VR\d\d", offer) for offer in offers}
    mine = next(offer for offer in offers if (found := of[offer]) is not None and found[0] == "VR07")
    press(asker, f"/actiecentrum/aanboden/{mine}/aanvaarden")
    for browser, step in ((lender, "unit_en_route"), (lender, "unit_arrived"), (asker, "unit_deployed")):
        press(browser, f"/actiecentrum/aanboden/{mine}/stap", stap=step)
    assert press(asker, f"/actiecentrum/incidenten/{incident}/aflossing").startswith("Het aflosrooster staat")
    asked = asker.post(f"/actiecentrum/incidenten/{incident}/aflossing/aanvragen", {"golven": 1, **signed})
    wave = asked.headers["Location"].rpartition("/")[2]
    given = {
        "dag": f"{now.astimezone(CLOCK):%Y-%m-%d}",
        "wat": "Dieselolie",
        "bewijsstuk": "bon 12",
        "bedrag": "1250,50",
    }
    press(lender, f"/actiecentrum/aanvragen/{request}/kosten/opvoeren", soort="verbruik", **given)
    _move_up(engine)
    post(lender, "/abonnementen", {"adres": "http://127.0.0.1:9/feiten", "soorten": ["unit_status", "offer_made"]})
    with acting("VR07") as own:
        record(own, "correction", {"corrects": "VR07-1", "reason": "dubbel gemeld", "body": {}})
    checkpoints.sign_and_exchange(folder)
    return Filled(incident, request, line, wave, _decide(now))


def _send_own_units(engine: Engine, incident: str, place: int, began: datetime.datetime) -> None:
    """The control room tells that four units of VR06 went and stood there, and one of them contradicts itself."""
    own = np.flatnonzero(engine.plan.stations.region[engine.plan.units.station] == seam.region_row(engine, "VR06"))
    x_m, y_m = float(engine.plan.areas.x_m[place]), float(engine.plan.areas.y_m[place])
    for row in own[:4].tolist():
        unit = str(engine.plan.units.unit_id[row])
        with acting("VR06") as log:
            for later, status in ((2, "en_route"), (9, "on_scene"), *(((9, "returning"),) if row == own[0] else ())):
                at = began + datetime.timedelta(minutes=later)
                ledger.report_unit(log, unit, status, x_m, y_m, at, incident)


def _move_up(engine: Engine) -> None:
    plan = engine.plan
    region = seam.region_row(engine, "VR07")
    unit = np.flatnonzero(plan.stations.region[plan.units.station] == region)[-1]
    home, to = int(plan.units.station[unit]), int(np.flatnonzero(plan.stations.region == region)[0])
    places = [
        move_ups.Place(str(plan.stations.station_id[s]), float(plan.stations.x_m[s]), float(plan.stations.y_m[s]))
        for s in (to, home)
    ]
    with acting("VR07") as own:
        move_ups.order_move_up(own, str(plan.units.unit_id[unit]), *places)


def _decide(now: datetime.datetime) -> tuple[str, ...]:
    """Two dossiers under way, and what three boards decided about the plan; returns the addresses of the dossiers."""
    made = [
        str(client(user).post("/besluiten/dossiers", {"procedure": procedure}).headers["Location"])
        for user, procedure in (("demo-officier-vr07", "les"), ("demo-rcdv", "landelijk_plan"))
    ]
    for region, outcome in (("vr01", "vastgesteld"), ("vr02", "vastgesteld met voorbehoud"), ("vr03", "aangehouden")):
        given = {"besluit": outcome, "datum": f"{now:%Y-%m-%d}", "voorbehoud": "mits de begroting volgt"}
        given |= {"ingangsdatum": f"{now:%Y-%m-%d}"} if outcome.startswith("vastgesteld") else {}
        given |= {} if "voorbehoud" in outcome else {"voorbehoud": ""}
        client(f"demo-bestuur-{region}").post("/besluiten/vaststellen", given)
    return tuple(made)
