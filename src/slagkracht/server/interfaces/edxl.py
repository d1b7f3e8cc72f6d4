"""Asking and offering resources by EDXL-RM 1.0 (OASIS, 2008, errata 2009): the sixteen messages, out and in."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from slagkracht.log import COMMITMENT_STATES, REFUSAL_REASONS, UNMET_REASONS
from slagkracht.server import assistance, ledger
from slagkracht.server.database import Row, Scope
from slagkracht.server.interfaces.messages import (
    Content,
    MessageError,
    Part,
    many,
    optional,
    parse_xml,
    read_message,
    write_message,
)
from slagkracht.server.journal import record
from slagkracht.sources.geometry import RD, WGS84, transform

RM = "urn:oasis:names:tc:emergency:EDXL:RM:1.0"
MSG = RM + ":msg"
GML = "http://www.opengis.net/gml"
PREFIXES = {"rm": RM, "msg": MSG, "gml": GML}
CAPABILITIES, REASONS, STEPS = (f"urn:slagkracht:{name}" for name in ("inzetmogelijkheid", "reden", "stap"))
"""Our value lists: what a unit can do, why a line stays unmet, and how far a commitment is."""

EXERCISE = "OEFENING: niets in dit bericht is echt"
"""How the description of a message begins that goes out of the exercise: EDXL-RM has no field of its own for that."""

BELOW_FLOOR = "restdekking"
"""With an Accept this reason says that it is made knowingly below the own floor; ResponseReason then says why."""

MESSAGES = (
    "RequestResource", "ResponseToRequestResource", "RequisitionResource", "CommitResource", "RequestInformation",
    "ResponseToRequestInformation", "OfferUnsolicitedResource", "ReleaseResource", "RequestReturn",
    "ResponseToRequestReturn", "RequestQuote", "ResponseToRequestQuote", "RequestResourceDeploymentStatus",
    "ReportResourceDeploymentStatus", "RequestExtendedDeploymentDuration",
    "ResponseToRequestExtendedDeploymentDuration",
)  # fmt: skip
RESPONSES = frozenset(name for name in MESSAGES if name.startswith("ResponseTo"))
SCHEDULES = (
    "RequestedArrival", "EstimatedArrival", "ActualArrival", "RequestedDeparture", "EstimatedDeparture",
    "ActualDeparture", "RequestedReturnDeparture", "EstimatedReturnDeparture", "ActualReturnDeparture",
    "RequestedReturnArrival", "EstimatedReturnArrival", "ActualReturnArrival", "BeginAvailable", "EndAvailable",
    "Committed", "Current", "ReportTo", "Route",
)  # fmt: skip
ROLES = ("Sender", "Requester", "SubjectMatterExpert", "Approver", "RespondingOrg")


def _rm(name: str, *parts: Part, choice: bool = False, kind: str | tuple[str, ...] = "text") -> Part:
    return Part(name, namespace=RM, parts=parts, choice=choice, kind=kind)


def _listed(name: str) -> Part:
    return optional(Part(name, parts=(_rm("ValueListURN"), many(_rm("Value"), 1))))


def _location(name: str) -> Part:
    point = Part("Point", namespace=GML, parts=(Part("pos"),))
    parts = (optional(_rm("LocationDescription")), optional(_rm("Address", kind="any")))
    return optional(Part(name, parts=(*parts, optional(_rm("TargetArea", point)))))


CONTACT = Part(
    "ContactInformation",
    parts=(
        optional(_rm("ContactDescription")),
        optional(_rm("ContactRole", kind=ROLES)),
        many(_rm("Radio", _rm("RadioType"), _rm("RadioChannel"))),
        optional(_rm("ContactLocation", kind="any")),
        optional(_rm("AdditionalContactInformation", kind="any")),
    ),
)
RESPONSE = Part(
    "ResponseInformation",
    parts=(
        _rm("PrecedingResourceInfoElementID"),
        _rm("ResponseType", kind=("Accept", "Decline", "Provisional")),
        optional(_rm("ReasonCode", _rm("ValueListURN"), many(_rm("Value"), 1))),
        optional(_rm("ResponseReason")),
    ),
)
OWNERSHIP = tuple(optional(_rm(name)) for name in ("Owner", "OwningJurisdiction", "HomeDispatch", "HomeUnit"))
STATUS = (optional(Part("InventoryRefreshDateTime", kind="time")), _listed("DeploymentStatus"))
RESOURCE = Part(
    "Resource",
    parts=(
        *(optional(Part(name)) for name in ("ResourceID", "Name")),
        _listed("TypeStructure"),
        optional(Part("TypeInfo", kind="any")),
        many(_listed("Keyword")),
        *(optional(Part(name)) for name in ("Description", "Credentials", "Certifications", "SpecialRequirements")),
        optional(Part("ResponsibleParty", kind="any")),
        optional(Part("OwnershipInformation", parts=OWNERSHIP)),
        optional(Part("ResourceStatus", parts=(*STATUS, optional(Part("Availability"))))),
    ),
)
MEASURED = _rm("MeasuredQuantity", _rm("Amount", kind="number"), optional(_rm("UnitOfMeasure", kind="any")))
ASSIGNMENT = Part(
    "AssignmentInformation",
    parts=(
        optional(Part("Quantity", parts=(_rm("QuantityText"), MEASURED), choice=True)),
        *(optional(Part(name)) for name in ("Restrictions", "AnticipatedFunction")),
        optional(Part("PriceQuote", kind="any")),
        optional(Part("OrderID")),
        optional(Part("AssignmentInstructions", kind="any")),
    ),
)
SCHEDULE = Part(
    "ScheduleInformation",
    parts=(
        Part("ScheduleType", kind=SCHEDULES),
        optional(Part("DateTime", kind="time")),
        _location("Location"),
    ),
)


def _message(name: str) -> Part:
    answers = name in RESPONSES
    may_answer = answers or name not in ("RequestResource", "OfferUnsolicitedResource")
    information = (
        Part("ResourceInfoElementID"),
        *((RESPONSE if answers else optional(RESPONSE),) if may_answer else ()),
        optional(RESOURCE) if may_answer else RESOURCE,
        ASSIGNMENT if name == "RequestResource" else optional(ASSIGNMENT),
        many(SCHEDULE),
    )
    free = name in ("RequestInformation", "ResponseToRequestInformation")
    parts = (
        Part("MessageID"),
        Part("SentDateTime", kind="time"),
        Part("MessageContentType", kind=(name,)),
        optional(Part("MessageDescription")),
        Part("OriginatingMessageID"),
        Part("PrecedingMessageID") if answers else optional(Part("PrecedingMessageID")),
        many(Part("IncidentInformation", parts=(optional(_rm("IncidentID")), optional(_rm("IncidentDescription"))))),
        optional(Part("MessageRecall", parts=(_rm("RecalledMessageID"), _rm("RecallType", kind=("Cancel", "Update"))))),
        many(Part("Funding", parts=(optional(_rm("FundCode")), optional(_rm("FundingInfo"))))),
        many(CONTACT, 1),
        many(Part("ResourceInformation", parts=information), 0 if free else 1),
    )
    return Part(name, namespace=MSG, parts=parts)


STRUCTURES = {name: _message(name) for name in MESSAGES}


def read_edxl(text: bytes) -> tuple[str, Content]:
    """The kind of message and what it says. Raises MessageError with everything that is wrong with it."""
    root = parse_xml(text)
    namespace, _, name = root.tag.removeprefix("{").rpartition("}")
    if namespace != MSG or name not in STRUCTURES:
        raise MessageError([f"{name[:60]} in {namespace[:80]!r} is geen bericht van EDXL-RM 1.0"])
    content = read_message(root, STRUCTURES[name])
    findings = []
    for n, information in enumerate(content.get("ResourceInformation", []), start=1):
        resource = information.get("Resource")
        if resource is not None and not resource.keys() & {"ResourceID", "Name", "TypeStructure"}:
            findings.append(f"ResourceInformation[{n}]/Resource: geen ResourceID, Name of TypeStructure")
    if not any(contact.get("ContactRole") == "Sender" for contact in content["ContactInformation"]):
        findings.append("ContactInformation: niemand met de rol Sender")
    if findings:
        raise MessageError(findings)
    return name, content


def write_edxl(name: str, content: Content) -> bytes:
    """A message as XML. Raises MessageError when ``content`` is not such a message."""
    return write_message(content, STRUCTURES[name], PREFIXES)


# ── out: what the ledger says, as messages ────────────────────────────────────────────────────────────────────────────


def tell_request(own: Scope, request_id: str) -> bytes:
    """A request as RequestResource. Raises NotFoundError when the acting region does not see it."""
    request = _see(own, "aanvraag", request_id, "select * from slagkracht.request where request_id = %s")
    lines = own.rows("select * from slagkracht.request_line where request_id = %s order by line_id", request_id)
    incident = own.row("select * from slagkracht.incident where incident_id = %s", request["incident_id"])
    content = _heading(own, "RequestResource", request_id, request_id, request["region"], request["made_at"])
    content["IncidentInformation"] = [
        {"IncidentID": request["incident_id"], **({"IncidentDescription": incident["what"]} if incident else {})}
    ]
    if request["text"]:
        content["MessageDescription"] = ". ".join([*filter(None, [content.get("MessageDescription")]), request["text"]])
    content["ContactInformation"].append({"ContactDescription": request["signed_by"], "ContactRole": "Approver"})
    content["ResourceInformation"] = [_ask(line) for line in lines]
    return write_edxl("RequestResource", content)


def tell_offer(own: Scope, offer_id: str) -> bytes:
    """An offer or refusal as ResponseToRequestResource, and once accepted as CommitResource."""
    offer = _see(own, "aanbod", offer_id, "select * from slagkracht.offer where offer_id = %s")
    request_id = str(offer["line_id"]).rsplit("-", 1)[0]
    name = "CommitResource" if offer["state"] == "aanvaard" else "ResponseToRequestResource"
    content = _heading(own, name, offer_id, request_id, offer["region"], offer["made_at"])
    content["PrecedingMessageID"] = request_id
    stands = offer["state"] in ("staat", "aanvaard")
    response: Content = {
        "PrecedingResourceInfoElementID": offer["line_id"],
        "ResponseType": "Accept" if stands else "Decline",
    }
    if offer["reason"] in UNMET_REASONS:
        response["ReasonCode"] = {"ValueListURN": REASONS, "Value": [offer["reason"]]}
    if reason := (offer["reason"] if offer["state"] == "ingetrokken" else "" if stands else offer["conditions"]):
        response["ResponseReason"] = reason
    conditions = (
        {"AssignmentInformation": {"Restrictions": offer["conditions"]}} if stands and offer["conditions"] else {}
    )
    units = offer["units"] or [""]
    content["ResourceInformation"] = [
        {
            "ResourceInfoElementID": f"{offer_id}-{n}",
            "ResponseInformation": response,
            **({"Resource": {"ResourceID": unit, "OwnershipInformation": {"Owner": offer["region"]}}} if unit else {}),
            **conditions,
        }
        for n, unit in enumerate(units, start=1)
    ]
    return write_edxl(name, content)


def tell_commitment(own: Scope, commitment_id: str) -> bytes:
    """A commitment as ReportResourceDeploymentStatus, and once let go as ReleaseResource."""
    row = _see(own, "toezegging", commitment_id, "select * from slagkracht.commitment where commitment_id = %s")
    name = "ReleaseResource" if row["step"] in ("unit_released", "unit_home") else "ReportResourceDeploymentStatus"
    request_id = str(row["line_id"]).rsplit("-", 1)[0]
    sent_by = row["receiver"] if name == "ReleaseResource" and row["recalled"] is None else row["region"]
    content = _heading(own, name, f"{commitment_id}/{row['version']}", request_id, sent_by, row["step_at"])
    status = {"DeploymentStatus": {"ValueListURN": STEPS, "Value": [row["step"]]}}
    resource = {
        "ResourceID": row["unit_id"],
        "OwnershipInformation": {"Owner": row["region"]},
        "ResourceStatus": status,
    }
    why: Content = {}
    if row["recalled"] is not None:
        why = {"PrecedingResourceInfoElementID": row["line_id"], "ResponseType": "Decline"}
        why["ReasonCode"] = {"ValueListURN": REASONS, "Value": [row["recalled"]]}
        why |= {"ResponseReason": row["recalled_why"]} if row["recalled_why"] else {}
    content["ResourceInformation"] = [
        {
            "ResourceInfoElementID": commitment_id,
            **({"ResponseInformation": why} if why else {}),
            "Resource": resource,
        }
    ]
    return write_edxl(name, content)


def _heading(own: Scope, name: str, message: str, origin: str, sender: str, at: datetime.datetime) -> Content:
    return {
        "MessageID": message,
        "SentDateTime": at.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        "MessageContentType": name,
        **({"MessageDescription": EXERCISE} if own.world != "echt" else {}),
        "OriginatingMessageID": origin,
        "ContactInformation": [{"ContactDescription": sender, "ContactRole": "Sender"}],
    }


def _ask(line: Row) -> Content:
    lon, lat = transform(np.array([line["x_m"]]), np.array([line["y_m"]]), RD, WGS84)
    arrival = line["needed_by"].astimezone(datetime.UTC)
    leave = arrival + datetime.timedelta(hours=line["hours"])
    point = {"Point": {"pos": f"{lat[0]:.7f} {lon[0]:.7f}"}}
    return {
        "ResourceInfoElementID": line["line_id"],
        "Resource": {
            "Name": line["formation"],
            "TypeStructure": {"ValueListURN": CAPABILITIES, "Value": [line["capability"]]},
        },
        "AssignmentInformation": {"Quantity": {"MeasuredQuantity": {"Amount": str(line["count"])}}},
        "ScheduleInformation": [
            {
                "ScheduleType": "RequestedArrival",
                "DateTime": arrival.isoformat(timespec="seconds"),
                "Location": {"TargetArea": point},
            },
            {"ScheduleType": "EstimatedReturnDeparture", "DateTime": leave.isoformat(timespec="seconds")},
        ],
    }


def _see(own: Scope, dutch: str, key: str, sql: str) -> Row:
    row = own.row(sql, key)
    if row is None:
        raise ledger.NotFoundError(f"{dutch} {key} is hier niet bekend")
    return row


# ── in: what another system says, into the ledger ─────────────────────────────────────────────────────────────────────


def take_edxl(own: Scope, name: str, content: Content) -> str:
    """Does what a message of the acting region's own system asks; returns what came of it, in Dutch.

    RequestResource asks, for the open incident that it names here or for one that it opens;
    ResponseToRequestResource and CommitResource offer or refuse;
    ReportResourceDeploymentStatus and ReleaseResource move commitments (released by the lender, with a reason in
    ResponseInformation, is a recall); the others are noted in the log. Raises
    MessageError or LedgerError, and then nothing of the message was done.
    """
    if own.world == "echt" and content.get("MessageDescription", "").startswith("OEFENING"):
        raise MessageError(["MessageDescription: een oefening hoort niet in de echte wereld"])
    if "MessageRecall" in content:
        return _note(own, name, content)
    if name == "RequestResource":
        return f"aanvraag {_take_request(own, content)}"
    if name in ("ResponseToRequestResource", "CommitResource"):
        return "; ".join(_take_answers(own, content))
    if name in ("ReportResourceDeploymentStatus", "ReleaseResource"):
        return "; ".join(_take_step(own, name, one) for one in content["ResourceInformation"])
    return _note(own, name, content)


def _take_request(own: Scope, content: Content) -> str:
    lines, findings = [], []
    for n, one in enumerate(content["ResourceInformation"], start=1):
        try:
            lines.append(_wanted(one))
        except MessageError as error:
            findings += [f"ResourceInformation[{n}]: {finding}" for finding in error.findings]
    approver = [
        c.get("ContactDescription") for c in content["ContactInformation"] if c.get("ContactRole") == "Approver"
    ]
    if not approver or not approver[0]:
        findings.append("ContactInformation: niemand met de rol Approver en een naam; een aanvraag is ondertekend")
    if findings:
        raise MessageError(findings)
    told = content.get("IncidentInformation", [])
    known = own.row(
        "select incident_id from slagkracht.incident "
        "where region = %s and closed_at is null and incident_id = any (%s)",
        own.region,
        [each.get("IncidentID", "") for each in told],
    )
    described = next(filter(None, (each.get("IncidentDescription", "") for each in told)), "onbekend incident")
    incident = known["incident_id"] if known else ledger.open_incident(own, described, lines[0].x_m, lines[0].y_m)
    text = content.get("MessageDescription", "")
    mandate = f"{approver[0]}, in bericht {content['MessageID']} (EDXL-RM)"
    return assistance.request_assistance(own, incident, ledger.BY_MINISTER, mandate, str(approver[0]), lines, text=text)


def _wanted(one: Content) -> ledger.Wanted:
    resource, findings = one["Resource"], []
    amount = one["AssignmentInformation"].get("Quantity", {}).get("MeasuredQuantity", {}).get("Amount", "")
    if not (amount.isdecimal() and 1 <= int(amount) <= 500):
        findings.append("Quantity: een geheel aantal van 1 tot en met 500 (MeasuredQuantity/Amount)")
    kinds = resource.get("TypeStructure", {})
    if kinds.get("ValueListURN") != CAPABILITIES:
        findings.append(f"TypeStructure: een waarde uit {CAPABILITIES}")
    when = {s["ScheduleType"]: s for s in one.get("ScheduleInformation", [])}
    arrival = when.get("RequestedArrival", {})
    place = arrival.get("Location", {}).get("TargetArea", {}).get("Point", {}).get("pos", "").split()
    try:
        lat, lon = (float(number) for number in place)
        x_m, y_m = (float(axis[0]) for axis in transform(np.array([lon]), np.array([lat])))
        if not (np.isfinite(x_m) and np.isfinite(y_m) and 50 < lat < 54 and 3 < lon < 8):
            raise ValueError
    except ValueError:
        x_m = y_m = 0.0
        findings.append("RequestedArrival: een plaats in Nederland (TargetArea/Point/pos, breedte voor lengte)")
    if "DateTime" not in arrival:
        findings.append("RequestedArrival: een tijdstip")
    if findings:
        raise MessageError(findings)
    needed_by = datetime.datetime.fromisoformat(arrival["DateTime"])
    until = when.get("EstimatedReturnDeparture", {}).get("DateTime")
    hours = (datetime.datetime.fromisoformat(until) - needed_by).total_seconds() / 3600 if until else 8.0
    if not 0 < hours <= 2000:
        raise MessageError(["EstimatedReturnDeparture: na aankomst, en hooguit 2000 uur later"])
    formation = resource.get("Name") or kinds["Value"][0]
    return ledger.Wanted(formation, kinds["Value"][0], int(amount), x_m, y_m, needed_by, hours)


def _take_answers(own: Scope, content: Content) -> list[str]:
    offered: dict[str, list[str]] = {}
    conditions: dict[str, str] = {}
    knowingly: dict[str, str] = {}
    done = []
    for n, one in enumerate(content["ResourceInformation"], start=1):
        response = one.get("ResponseInformation")
        if response is None:
            raise MessageError([f"ResourceInformation[{n}]: ResponseInformation noemt op welke regel dit antwoordt"])
        line = response["PrecedingResourceInfoElementID"]
        if response["ResponseType"] == "Decline":
            reasons = [r for r in response.get("ReasonCode", {}).get("Value", []) if r in REFUSAL_REASONS]
            reason = reasons[0] if reasons else "bestuurlijk"
            refusal = ledger.refuse_line(own, line, reason, response.get("ResponseReason", ""))
            done.append(f"weigering {refusal} op {line}")
        elif response["ResponseType"] == "Accept":
            unit = one.get("Resource", {}).get("ResourceID")
            if not unit:
                raise MessageError([f"ResourceInformation[{n}]: Resource/ResourceID noemt de eenheid"])
            offered.setdefault(line, []).append(unit)
            said = response.get("ResponseReason", "")
            if BELOW_FLOOR in response.get("ReasonCode", {}).get("Value", []):
                knowingly.setdefault(line, said)
                said = ""
            conditions[line] = conditions.get(line) or one.get("AssignmentInformation", {}).get("Restrictions", said)
        else:
            done.append(f"voorlopig antwoord op {line}")
    for line, units in offered.items():
        offer = assistance.offer_units(own, line, units, None, conditions[line], knowingly.get(line, ""))
        done.append(f"aanbod {offer} op {line}")
    return done


def _take_step(own: Scope, name: str, one: Content) -> str:
    commitment, unit = one["ResourceInfoElementID"], one.get("Resource", {}).get("ResourceID")
    row = own.row("select unit_id from slagkracht.commitment where commitment_id = %s", commitment)
    if row is not None and unit not in (None, row["unit_id"]):
        raise MessageError(
            [f"Resource/ResourceID: toezegging {commitment} is van {row['unit_id']}, niet van {unit[:60]}"]
        )
    values = one.get("Resource", {}).get("ResourceStatus", {}).get("DeploymentStatus", {}).get("Value", [""])
    step = "unit_released" if name == "ReleaseResource" else values[0]
    if step not in COMMITMENT_STATES:
        raise MessageError([f"ResourceStatus/DeploymentStatus: een stap uit {STEPS}: {', '.join(COMMITMENT_STATES)}"])
    why = one.get("ResponseInformation", {})
    reasons = [code for code in why.get("ReasonCode", {}).get("Value", []) if code in REFUSAL_REASONS]
    reason = reasons[0] if reasons else ""
    assistance.move_commitment(own, commitment, step, reason=reason, text=why.get("ResponseReason", ""))
    return f"toezegging {commitment}: {COMMITMENT_STATES[step]}"


def _note(own: Scope, name: str, content: Content) -> str:
    told: dict[str, Any] = {"text": f"EDXL-RM {name} {content['MessageID']}", "message": content}
    return f"genoteerd als {record(own, 'note', told).event_id}"
