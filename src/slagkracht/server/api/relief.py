"""The rotation of an incident as data, and what can be done with it: work it out, ask the next waves, take over."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest

from slagkracht.server import engine as seam
from slagkracht.server import ledger, relief
from slagkracht.server.api import schemas
from slagkracht.server.api.routes import BAD, LEADERS, Answer, Made, acting_of, api, once
from slagkracht.server.database import Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import acting_scope


def _engine() -> Engine:
    engine = seam.current()
    if engine is None:
        raise ledger.NotFoundError("hier is nog geen plan geladen: zonder plan is er geen aflosrooster")
    return engine


@api.get("/incidenten/{id}/aflossing", response={200: schemas.Aflossing, **BAD}, summary="Het aflosrooster van een "
         "incident: golven en diensten", tags=["aflossing"])  # fmt: skip
def read_rotation(request: HttpRequest, id: str) -> dict[str, Any]:
    with acting_scope(acting_of(request)) as own:
        engine = _engine()
        planned = None if "\x00" in id else relief.read_planned(own, engine, id)
        if planned is None:
            raise ledger.NotFoundError("voor dit incident is hier geen aflosrooster bekend")
        waves = relief.list_waves(own, engine, id, planned)
    rotation, crews = planned.rotation, relief.read_crews(engine)

    def moment(minute: int) -> datetime.datetime:
        return planned.starts + datetime.timedelta(minutes=minute)

    return {
        "id": planned.rotation_id,
        "incident": id,
        "begint": planned.starts,
        "tot": planned.starts + datetime.timedelta(days=rotation.deployment.days),
        "gemaakt_op": planned.made_at,
        "gemaakt_door": planned.made_by,
        "methode": rotation.method,
        "gewijzigd": rotation.changed,
        "golven": [
            {
                "golf": wave.number, "formatie": wave.formation, "aantal": wave.count, "eigen": wave.own,
                "nodig_op": wave.at, "uren": wave.hours, "afgelosten": dict(wave.relieved), "aflossers": dict(wave.by),
                "eerste_vertrek": wave.leaves, "laatste_vertrek": wave.latest, "leeg": wave.empty,
                "waarom_leeg": wave.why, "regel": wave.line or None, "vervuld": wave.met,
            }
            for wave in waves
        ],
        "diensten": [
            {
                "ploeg": str(crews.crew_id[crew]), "regio": str(engine.plan.regions.code[crews.region[crew]]),
                "blok": int(rotation.block[i]), "formatie": int(rotation.formation[i]) + 1,
                "vertrek": moment(int(rotation.leaves_min[i])), "neemt_over": moment(int(rotation.takes_over_min[i])),
                "afgelost": moment(int(rotation.relieved_min[i])), "thuis": moment(int(rotation.returns_min[i])),
                "uitgerust": moment(int(rotation.rested_min[i])),
            }
            for i, crew in enumerate(rotation.crew.tolist())
        ],
    }  # fmt: skip


@api.post("/incidenten/{id}/aflossing", response={201: Made, **BAD}, summary="Aflosrooster maken of bijwerken",
          tags=["aflossing"])  # fmt: skip
def plan_relief(request: HttpRequest, id: str, given: schemas.AflossingIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": relief.plan_relief(own, _engine(), id, given.tot, happened_at=given.gebeurd_op)}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/incidenten/{id}/aflossing/aanvragen", response={201: Made, **BAD}, summary="De volgende golven aanvragen",
          tags=["aflossing"])  # fmt: skip
def ask_relief(request: HttpRequest, id: str, given: schemas.AflossingAanvragenIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        signed = given.mandaat, given.ondertekenaar
        return {"id": relief.ask_relief(own, _engine(), id, given.golven, *signed, given.gebeurd_op)}

    return once(request, acting_of(request, "voorzitter", "officier", "actiecentrum"), 201, do)


@api.post("/regels/{id}/overnemen", response={200: schemas.Overgenomen, **BAD}, summary="Wie ter plaatse is neemt "
          "over, wie er stond is afgelost", tags=["aflossing"])  # fmt: skip
def take_over(request: HttpRequest, id: str, given: schemas.GebeurdIn | None = None) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        deployed, relieved = relief.take_over(own, id, given.gebeurd_op if given else None)
        return {"ingezet": deployed, "afgelost": relieved}

    return once(request, acting_of(request, *LEADERS), 200, do)
