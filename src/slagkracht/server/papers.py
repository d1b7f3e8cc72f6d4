"""The documents that the assistance procedure makes: the letter of article 51 and its notices, and the cost claim."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.procedures import Step
from slagkracht.reports.drawing import Drawing, compute_drawing
from slagkracht.reports.dutch import write_day
from slagkracht.reports.letters import Column, Letter, Part, Table, draw_place, write_letter
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.documents import PDF, keep_document
from slagkracht.server.engine import CLOCK, Engine

BY_MINISTER = "wvr51_minister"
GROUNDS = {
    BY_MINISTER: "Wet veiligheidsregio's, artikel 51, eerste lid: verzoek aan de minister",
    "wvr51_5_buurregio": "Wet veiligheidsregio's, artikel 51, vijfde lid: rechtstreeks verzoek aan een buurregio",
}
MINISTER = ("De Minister van Justitie en Veiligheid", "p/a Landelijk Operationeel Coördinatiecentrum (LOCC)")
UNSURE = (
    "Dit stuk volgt de procedure 'bijstandsaanvraag' (status: te verifiëren). Vorm en adressering zijn nog niet door "
    "het LOCC bevestigd.",
)


def make_documents(scope: Scope, step: Step, dossier: Row, answers: dict[str, Any]) -> list[str]:
    """Makes what a step of the assistance procedure names, for the dossier's request; returns the documents' ids.

    ``answers`` what was filled in at that step.

    A step of another procedure, or of a dossier without a request, names documents that people make themselves.
    """
    row = scope.row("select * from slagkracht.request where dossier_id = %s", dossier["dossier_id"])
    if row is None:
        return []
    row |= {"answers": answers}
    made = []
    for name in step.documents:
        if (write := MAKERS.get(name)) is not None:
            audience = [row["region"], *row["audience"]]
            content = write(scope, {**row, "ground": BY_MINISTER} if step.to == "bij_minister" else row)
            made.append(keep_document(scope, name, content, PDF, row["request_id"], audience, with_request=True))
    return made


def _letter(scope: Scope, row: Row) -> bytes:
    to = MINISTER
    if row["ground"] != BY_MINISTER:
        other = next(region for region in row["audience"] if region != NATIONAL_CHAIN)
        to = (f"De voorzitter van veiligheidsregio {other}", _name(scope, other))
    ask = (
        "Hierbij verzoek ik u om bijstand voor het hieronder genoemde incident."
        if row["ground"] == BY_MINISTER
        else "Hierbij verzoek ik u rechtstreeks om bijstand, omdat de spoed geen verzoek via de minister toelaat en "
        "onze crisisplannen daarover afspraken bevatten."
    )
    return _write(scope, row, "Verzoek om bijstand", to, ask)


def _notice_commissioner(scope: Scope, row: Row) -> bytes:
    to = ("De commissaris van de Koning", f"in de provincie waarin veiligheidsregio {row['region']} ligt")
    told = "Hierbij stel ik u in kennis van het verzoek om bijstand dat vandaag is gedaan."
    return _write(scope, row, "Kennisgeving van een verzoek om bijstand", to, told)


def _notice_minister(scope: Scope, row: Row) -> bytes:
    told = (
        "Hierbij stel ik u in kennis van het verzoek om bijstand dat vandaag rechtstreeks aan een buurregio is gedaan."
    )
    return _write(scope, row, "Kennisgeving van een rechtstreeks verzoek om bijstand", MINISTER, told)


def _claim_overview(scope: Scope, row: Row) -> bytes:
    from slagkracht.server.costs import write_overview  # costs keeps documents of its own

    return write_overview(scope, row["request_id"])


DIRECT = {"afspraak_in_crisisplan": "Afspraak in het crisisplan", "reden_van_spoed": "Reden van spoed"}
"""What a direct request rests on, as its letter and notices name it."""

MAKERS: dict[str, Callable[[Scope, Row], bytes]] = {
    "bijstandsbrief": _letter,
    "kennisgeving commissaris van de Koning": _notice_commissioner,
    "kennisgeving minister": _notice_minister,
    "aanvraag rijksbijdrage": _claim_overview,
}
"""The documents that the platform makes by itself, by the name under which a procedure file asks for them."""


def _write(scope: Scope, row: Row, title: str, to: tuple[str, ...], ask: str) -> bytes:
    incident = scope.row("select * from slagkracht.incident where incident_id = %s", row["incident_id"])
    lines = scope.rows(
        "select * from slagkracht.request_line where request_id = %s order by line_id", row["request_id"]
    )
    engine = seam.current()
    made = row["made_at"].astimezone(CLOCK)
    what = incident["what"] if incident else "incident"
    place = (lines[0]["x_m"], lines[0]["y_m"])
    asked = Table(
        "Gevraagde eenheden",
        (Column("Formatie"), Column("Aantal", True), Column("Ter plaatse om"), Column("Duur (uur)", True)),
        tuple(
            (
                engine.formations[line["formation"]].dutch
                if engine and line["formation"] in engine.formations
                else line["formation"],
                str(line["count"]),
                f"{line['needed_by'].astimezone(CLOCK):%d-%m-%Y %H:%M}",
                f"{line['hours']:g}".replace(".", ","),
            )
            for line in lines
        ),
    )
    facts = [
        ("Kenmerk", row["request_id"]),
        ("Datum en tijd", f"{write_day(made.date())}, {made:%H:%M} uur"),
        ("Incident", f"{what} ({row['incident_id']})"),
        ("Plaats", _say_place(engine, *place)),
        ("Grond", GROUNDS[row["ground"]]),
        *((name, row["answers"][field]) for field, name in DIRECT.items() if field in row["answers"]),
        ("Bevoegdheid", row["mandate"]),
    ]
    if incident and incident["level"]:
        facts.insert(3, ("Opschaling", incident["level"]))
    parts = [Part("", tuple(text for text in (ask, row["text"]) if text)), Part("Wat wordt gevraagd", (), asked)]
    letter = Letter(
        title,
        (f"Veiligheidsregio {row['region']}", _name(scope, row["region"])),
        to,
        made.date(),
        tuple(facts),
        tuple(parts),
        ("Namens de veiligheidsregio,", row["signed_by"], f"bevoegdheid: {row['mandate']}"),
        UNSURE,
        f"{title} · {row['request_id']} · opgemaakt door {scope.actor}",
        "OEFENING: niets in dit stuk is echt" if scope.world == "oefening" else "",
        "De plaats van het incident in de regio's eromheen." if engine else "",
    )
    return write_letter(letter, _map(engine, *place, what) if engine else "")


def _name(scope: Scope, region: str) -> str:
    row = scope.row("select name from slagkracht.region where region = %s", region)
    return str(row["name"]) if row else ""


def _say_place(engine: Engine | None, x_m: float, y_m: float) -> str:
    where = f"x {x_m:.0f}, y {y_m:.0f} (Rijksdriehoek)"
    if engine is None:
        return where
    code = str(engine.plan.areas.municipality[seam.find_area(engine, x_m, y_m)])
    return f"gemeente {engine.municipality.get(code, code)}; {where}"


@functools.lru_cache(maxsize=2)
def _drawing(engine: Engine) -> Drawing:
    return compute_drawing(engine.plan)


def _map(engine: Engine, x_m: float, y_m: float, what: str) -> str:
    codes: Any = engine.plan.regions.code.tolist()
    return draw_place(_drawing(engine).outlines, codes, x_m, y_m, what[:40])
