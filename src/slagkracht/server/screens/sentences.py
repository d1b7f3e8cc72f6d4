"""Every fact of the log in a sentence, as a duty officer would write it, in the language of who reads."""

from __future__ import annotations

import datetime
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as said

from slagkracht.costs import KINDS as COST_KINDS
from slagkracht.log import UNMET_REASONS
from slagkracht.procedures import Procedure
from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import dossiers
from slagkracht.server import engine as seam
from slagkracht.server.screens.figures import count, euros, moment
from slagkracht.server.screens.words import tell

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Sentence:
    """How one kind of fact is told.

    ``told`` the sentence, best first: the first is taken of which the fact has all that it names, and the last names
    nothing that a fact of this kind can lack · ``then`` what is told after it, each as far as the fact has it.
    """

    told: tuple[str, ...]
    then: tuple[str, ...] = ()


ELSEWHERE = said(" (elders vastgelegd als {first_id} door {first_actor})")
"""Told after every fact that was first written down in another log."""

SENTENCES: dict[str, Sentence] = {
    "unit_status": Sentence(
        (said("Eenheid {unit} is {status}"),), (said(" voor incident {incident}"), said(", vanaf kazerne {station}"))
    ),
    "unit_position": Sentence(
        (
            said("Eenheid {unit} bezet kazerne {move_up} (herbezetting)"),
            said("Eenheid {unit} is op {place}"),
        ),
        (said(", voor wat is uitgeleend op regel {line}"), said(", volgens feit {follows}")),
    ),
    "incident_opened": Sentence(
        (said("Incident {incident} geopend: {what}"),), (said(", {level}"), said(", op {place}"))
    ),
    "incident_escalated": Sentence((said("Incident {incident} opgeschaald naar {level}"),)),
    "incident_closed": Sentence((said("Incident {incident} gesloten"),)),
    "request_made": Sentence(
        (said("{region} vraagt bijstand voor incident {incident}, aanvraag {request}: {ground}"),),
        (said("; bevoegd als {mandate}"), said("; ondertekend door {signed_by}")),
    ),
    "request_closed": Sentence((said("Aanvraag {request} gesloten"),)),
    "line_asked": Sentence(
        (said("Gevraagd op regel {line}: {count} × {formation}"),),
        (said(", voor {hours} uur"), said(", als aflossing nr. {wave}")),
    ),
    "line_unmet": Sentence((said("Regel {line}: {count} niet vervuld, want {reason}"),)),
    "offer_made": Sentence(
        (
            said("{region} biedt op regel {line} {count} maal de formatie aan: {units}"),
            said("{region} biedt op regel {line} aan: {units}"),
        ),
        (said("; voorwaarde: {conditions}"), said("; aanbod {offer}")),
    ),
    "offer_refused": Sentence((said("{region} biedt niets op regel {line}: {reason}"),), (said("; {text}"),)),
    "offer_withdrawn": Sentence((said("Aanbod {offer} ingetrokken: {reason}"),)),
    "floor_passed": Sentence((said("{region} gaat bewust onder de eigen ondergrens, tot {until}: {reason}"),)),
    "unit_committed": Sentence(
        (said("Eenheid {unit} van {region} toegezegd op regel {line}, toezegging {commitment}"),)
    ),
    "unit_en_route": Sentence(
        (said("Eenheid {unit} is onderweg, toezegging {commitment}"), said("Toezegging {commitment}: onderweg"))
    ),
    "unit_arrived": Sentence(
        (said("Eenheid {unit} is ter plaatse, toezegging {commitment}"), said("Toezegging {commitment}: ter plaatse"))
    ),
    "unit_deployed": Sentence(
        (said("Eenheid {unit} is ingezet, toezegging {commitment}"), said("Toezegging {commitment}: ingezet"))
    ),
    "unit_relieved": Sentence(
        (said("Eenheid {unit} is afgelost, toezegging {commitment}"), said("Toezegging {commitment}: afgelost"))
    ),
    "unit_released": Sentence(
        (
            said("{region} roept eenheid {unit} terug, toezegging {commitment}: {reason}"),
            said("Eenheid {unit} is vrijgegeven, toezegging {commitment}"),
            said("Toezegging {commitment}: vrijgegeven"),
        ),
        (said("; {text}"),),
    ),
    "unit_home": Sentence(
        (said("Eenheid {unit} is weer thuis, toezegging {commitment}"), said("Toezegging {commitment}: weer thuis"))
    ),
    "relief_planned": Sentence(
        (said("Aflosrooster {rotation} voor incident {incident}: aantal aflossingen {waves}"),),
        (said(", tot {until}"), said("; plaatsen zonder aflosser: {empty}")),
    ),
    "cost_entered": Sentence(
        (said("Kosten {entry} bij aanvraag {request}: {cost}, {cents}"),),
        (said(", {what}"), said(", gemaakt op {spent_on}")),
    ),
    "cost_withdrawn": Sentence((said("Kosten {entry} teruggenomen: {reason}"),), (said("; aanvraag {request}"),)),
    "claim_filed": Sentence(
        (said("Rijksbijdrage {claim} gevraagd bij aanvraag {request}: {cents}"),),
        (said(" over meetellende kosten van {counted}"), said(", met stuk {document}")),
    ),
    "claim_decided": Sentence((said("Over rijksbijdrage {claim} beslist: {cents}, {reason}"),)),
    "document_made": Sentence((said("Stuk {document} gemaakt: {name}"),), (said(", bij aanvraag {request}"),)),
    "command_handed_over": Sentence(
        (said("Incident {incident}: de leiding over {function} gaat van {from} naar {to}"),)
    ),
    "function_handed_over": Sentence(
        (said("De functie {function} gaat van {from} naar {to}"),), (said("; overdracht: {sheet}"),)
    ),
    "decision_recorded": Sentence((said("Besluit: {text}"),), (said(", bij incident {incident}"),)),
    "step_taken": Sentence(
        (said("{procedure}, dossier {dossier}: {step}; het dossier is nu {state}"),),
    ),
    "sharing_granted": Sentence(
        (said("Wij delen met {receiver}: {tier}, tot {until}"),), (said("; weggelakt: {redaction}"),)
    ),
    "sharing_ended": Sentence((said("Toestemming {consent} beëindigd: er wordt niets meer op gedeeld"),)),
    "classified": Sentence(
        (
            said("Incident {incident} is nu {information_class}"),
            said("Eenheid {unit} is nu {information_class}"),
            said("Dossier {dossier} is nu {information_class}"),
            said("Informatieklasse gewijzigd in {information_class}"),
        )
    ),
    "note": Sentence((said("{text}"),), (said(", bij incident {incident}"),)),
    "correction": Sentence((said("Feit {corrects} verbeterd: {reason}"),), (said("; het gebeurde op {happened_at}"),)),
}
"""How each kind of fact is told: one for every key of ``log.KINDS``."""

HOME = Sentence((said("Eenheid {unit} is terug op de eigen kazerne"),), (said(", volgens feit {follows}"),))
RETURNING = Sentence((said("Eenheid {unit} gaat terug naar de eigen kazerne"),))
BEGUN = Sentence((said("{procedure}, dossier {dossier} begonnen; het is nu {state}"),))
ORDERED = Sentence(
    (said("Eenheid {unit} gaat naar kazerne {move_up} (herbezetting)"),),
    (said(", voor wat is uitgeleend op regel {line}"),),
)
UNDER_WAY = {"ordered": ORDERED, "returning": RETURNING}
BY_LAW = Sentence((said("{procedure}, dossier {dossier}: {step}, doordat een termijn verliep; het is nu {state}"),))
TAKEN_BACK = Sentence((said("Feit {corrects} teruggenomen: {reason}"),))


def write_sentence(kind: str, body: Values) -> SafeString:
    """A fact in a sentence. What people or a procedure wrote themselves stands in it as it was written, in Dutch."""
    values = _write_values(kind, body)
    how = _choose(kind, body)
    told = next((text for text in how.told[:-1] if _has(values, text)), how.told[-1])
    tails = [text for text in (*how.then, ELSEWHERE) if _has(values, text)]
    known = {name: values.get(name, "–") for name in _names(told)}
    parts = [format_html(gettext(told), **known), *(format_html(gettext(text), **values) for text in tails)]
    return format_html_join("", "{}", ((part,) for part in parts))


def _choose(kind: str, body: Values) -> Sentence:
    """How a fact is told; some kinds have a body that means something else."""
    if kind == "unit_position" and body.get("move_up") == "":
        return HOME
    if kind == "unit_position" and "move_up" in body and body.get("move_up_step") in UNDER_WAY:
        return UNDER_WAY[body["move_up_step"]]
    if kind == "step_taken" and not body.get("step"):
        return BEGUN
    if kind == "step_taken" and body.get("by") == BY_TERM:
        return BY_LAW
    if kind == "correction" and not body.get("body"):
        return TAKEN_BACK
    return SENTENCES[kind]


def write_raw(body: Values) -> str:
    """The body of a fact as it stands in the log, for who wants to see what the sentence was made of."""
    return json.dumps(body, ensure_ascii=False, indent=1)


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _has(values: Values, text: str) -> bool:
    return _names(text) <= values.keys()


def _write_values(kind: str, body: Values) -> dict[str, SafeString | str]:
    """What a sentence may name, written: every field that the fact fills in, and what follows from more than one."""
    written: dict[str, SafeString | str] = {}
    for name, value in body.items():
        if value is None or value == "" or value == []:
            continue
        try:
            written[name] = WRITERS.get(name, str)(value)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):  # another system wrote it its own way
            written[name] = str(value)
    if "x_m" in body and "y_m" in body:
        written["place"] = _write_place(body["x_m"], body["y_m"])
    if kind == "cost_entered":
        written["cost"] = _dutch(COST_KINDS.get(str(body.get("kind")), str(body.get("kind"))))
    if kind == "step_taken":
        written |= _write_step(body)
    origin = body.get("handed_in")
    if isinstance(origin, Mapping):
        written |= {"first_id": str(origin.get("event_id")), "first_actor": str(origin.get("actor"))}
    return written


def _dutch(text: object) -> SafeString:
    """What was written in Dutch, on a page of any language."""
    return format_html('<span lang="nl">{}</span>', text)


def _write_place(x_m: object, y_m: object) -> str:
    try:
        return f"x {count(float(str(x_m)))}, y {count(float(str(y_m)))} (RD, m)"
    except (ValueError, OverflowError):
        return f"x {x_m}, y {y_m} (RD, m)"


def _write_moment(value: Any) -> SafeString | str:
    at = datetime.datetime.fromisoformat(value)
    return moment(at) if at.tzinfo else value


def _write_day(value: Any) -> str:
    return f"{datetime.date.fromisoformat(value):%d-%m-%Y}"


def _write_units(value: Any) -> str:
    told = ngettext("{number} eenheid ({units})", "{number} eenheden ({units})", len(value))
    return str(told.format(number=len(value), units=", ".join(map(str, value))))


def _write_reason(value: Any) -> SafeString | str:
    return tell(value) if value in UNMET_REASONS else _dutch(value)


def name_formation(code: str) -> str:
    """The Dutch name of a formation, as it stands in the middle of a sentence."""
    engine = seam.current()
    found = engine.formations.get(code) if engine else None
    return found.dutch[:1].lower() + found.dutch[1:] if found else code.replace("_", " ").replace("-", " ")


def name_station(code: str) -> str:
    """A station by its name and its id; by its id alone where the plan that is loaded knows it not."""
    engine = seam.current()
    if engine is None:
        return code
    stations = engine.plan.stations
    found = (stations.station_id == code).nonzero()[0]
    return f"{stations.name[found[0]]} ({code})" if len(found) else code


def _write_step(body: Values) -> dict[str, SafeString | str]:
    """The procedure, the step and the state of a dossier in the words of the procedure."""
    procedure: Procedure | None = dossiers.read_known().get(str(body.get("procedure")))
    words = {"procedure": procedure.dutch if procedure else "", "step": "", "state": ""}
    if procedure is not None:
        words["step"] = next((s.dutch for s in procedure.steps if s.code == body.get("step")), "")
        words["state"] = next((s.dutch for s in procedure.states if s.code == body.get("state")), "")
    return {name: _dutch(word or str(body.get(name)).replace("_", " ")) for name, word in words.items()}


WRITERS: dict[str, Callable[[Any], SafeString | str]] = {
    **dict.fromkeys(("what", "text", "conditions", "mandate", "signed_by", "sheet", "name"), _dutch),
    **dict.fromkeys(("until", "happened_at"), _write_moment),
    **dict.fromkeys(("cents", "counted"), euros),
    **dict.fromkeys(("status", "ground", "tier", "information_class", "function", "from", "to"), tell),
    **dict.fromkeys(("station", "move_up"), name_station),
    "spent_on": _write_day,
    "units": _write_units,
    "reason": _write_reason,
    "formation": name_formation,
    "hours": lambda value: f"{float(value):g}",
    "redaction": lambda value: ", ".join(tell(field, "veld") for field in value),
}
"""How the value of a field is written; any other stands as it is."""
