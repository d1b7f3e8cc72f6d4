"""Warnings by the Common Alerting Protocol 1.2 (OASIS, 2010): an incident out as an alert, alerts of others in."""

from __future__ import annotations

import datetime

import numpy as np

from slagkracht.server import ledger
from slagkracht.server.database import Scope
from slagkracht.server.interfaces.messages import (
    Content,
    MessageError,
    Part,
    is_time,
    many,
    optional,
    parse_xml,
    read_message,
    write_message,
)
from slagkracht.server.journal import record
from slagkracht.sources.geometry import RD, WGS84, transform

CAP, SIGNATURES = "urn:oasis:names:tc:emergency:cap:1.2", "http://www.w3.org/2000/09/xmldsig#"
CATEGORIES = ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE",
              "Other")  # fmt: skip
RESPONSES = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
NAMED = (Part("valueName"), Part("value", kind="blank"))


def _free(name: str) -> Part:
    return Part(name, kind="blank")


RESOURCE = Part(
    "resource",
    parts=(
        *(Part(name) for name in ("resourceDesc", "mimeType")),
        optional(Part("size", kind="number")),
        *(optional(_free(name)) for name in ("uri", "derefUri", "digest")),
    ),
)
AREA = Part(
    "area",
    parts=(
        Part("areaDesc"),
        many(Part("polygon", kind="points")),
        many(Part("circle", kind="points")),
        many(Part("geocode", parts=NAMED)),
        *(optional(Part(name, kind="number")) for name in ("altitude", "ceiling")),
    ),
)
INFO = Part(
    "info",
    parts=(
        optional(_free("language")),
        many(Part("category", kind=CATEGORIES), 1),
        Part("event"),
        many(Part("responseType", kind=RESPONSES)),
        Part("urgency", kind=("Immediate", "Expected", "Future", "Past", "Unknown")),
        Part("severity", kind=("Extreme", "Severe", "Moderate", "Minor", "Unknown")),
        Part("certainty", kind=("Observed", "Likely", "Possible", "Unlikely", "Unknown")),
        optional(_free("audience")),
        many(Part("eventCode", parts=NAMED)),
        *(optional(Part(name, kind="time")) for name in ("effective", "onset", "expires")),
        *(optional(_free(n)) for n in ("senderName", "headline", "description", "instruction", "web", "contact")),
        many(Part("parameter", parts=NAMED)),
        many(RESOURCE),
        many(AREA),
    ),
)
ALERT = Part(
    "alert",
    namespace=CAP,
    parts=(
        Part("identifier"),
        Part("sender"),
        Part("sent", kind="time"),
        Part("status", kind=("Actual", "Exercise", "System", "Test", "Draft")),
        Part("msgType", kind=("Alert", "Update", "Cancel", "Ack", "Error")),
        optional(_free("source")),
        Part("scope", kind=("Public", "Restricted", "Private")),
        *(optional(_free(name)) for name in ("restriction", "addresses")),
        many(_free("code")),
        *(optional(_free(name)) for name in ("note", "references", "incidents")),
        many(INFO),
        many(Part("Signature", kind="any", namespace=SIGNATURES)),
    ),
)


def read_cap(text: bytes) -> Content:
    """What an alert says. Raises MessageError with everything that is wrong with it."""
    content = read_message(parse_xml(text), ALERT)
    findings = [
        f"{name}: geen spatie, komma, < of & in {content[name][:40]!r}"
        for name in ("identifier", "sender")
        if set(content[name]) & set(" ,<&")
    ]
    if content["scope"] == "Restricted" and not content.get("restriction"):
        findings.append("scope Restricted: restriction ontbreekt")
    if content["scope"] == "Private" and not content.get("addresses"):
        findings.append("scope Private: addresses ontbreekt")
    if content["msgType"] in ("Update", "Cancel", "Ack", "Error") and not content.get("references"):
        findings.append(f"msgType {content['msgType']}: references noemt waarop dit volgt")
    findings += [
        f"references: {named[:80]!r} is niet sender,identifier,sent van een eerdere waarschuwing"
        for named in content.get("references", "").split()
        if len(parts := named.split(",")) != 3 or not all(parts) or not is_time(parts[2])
    ]
    for n, info in enumerate(content.get("info", []), start=1):
        for area in info.get("area", []):
            for polygon in area.get("polygon", []):
                points = polygon.split()
                if len(points) < 4 or points[0] != points[-1]:
                    findings.append(f"info[{n}]/area: een polygon heeft vier of meer punten en eindigt waar hij begint")
    if findings:
        raise MessageError(findings)
    return content


def write_cap(content: Content) -> bytes:
    """An alert as XML. Raises MessageError when ``content`` is not an alert."""
    return write_message(content, ALERT, {"cap": CAP})


def tell_incident(own: Scope, incident_id: str, radius_km: float = 1.0) -> bytes:
    """An incident as an alert for a circle around it: Exercise in the exercise world, Restricted unless it is Open.

    The n-th alert tells what the n-th fact about it changed (opened, escalated, given another class, closed), was sent
    when that was recorded, and names all before it: whoever missed some knows that those are over as well.
    """
    row = own.row("select *, slagkracht.alerts_of(incident_id) as told from slagkracht.incident where incident_id = %s",
                  incident_id)  # fmt: skip
    if row is None:
        raise ledger.NotFoundError(f"incident {incident_id} is hier niet bekend")
    lon, lat = transform(np.array([row["x_m"]]), np.array([row["y_m"]]), RD, WGS84)
    public, closed = row["information_class"] == "Open", row["closed_at"] is not None
    sender = f"{row['region'].lower()}@slagkracht"
    sent = [_format_moment(at) for at in row["told"] or [row["opened_at"]]]
    before = [f"{sender},{incident_id}-{n},{at}" for n, at in enumerate(sent[:-1], start=1)]
    content: Content = {
        "identifier": f"{incident_id}-{len(sent)}",
        "sender": sender,
        "sent": sent[-1],
        "status": "Actual" if own.world == "echt" else "Exercise",
        "msgType": "Update" if before else "Alert",
        "scope": "Public" if public else "Restricted",
        **({} if public else {"restriction": row["information_class"]}),
        **({"references": " ".join(before)} if before else {}),
        "incidents": incident_id,
        "info": [
            {
                "language": "nl-NL",
                "category": ["Safety"],
                "event": row["what"],
                "responseType": ["AllClear" if closed else "Monitor"],
                "urgency": "Past" if closed else "Immediate",
                "severity": "Unknown",
                "certainty": "Observed",
                "onset": _format_moment(row["opened_at"]),
                "senderName": f"Veiligheidsregio {row['region']}",
                "headline": f"{row['what']} ({row['level']})" if row["level"] else row["what"],
                "area": [
                    {
                        "areaDesc": f"{radius_km:g} km rond het incident",
                        "circle": [f"{lat[0]:.5f},{lon[0]:.5f} {radius_km:g}"],
                        "geocode": [{"valueName": "veiligheidsregio", "value": row["region"]}],
                    }
                ],
            }
        ],
    }
    return write_cap(content)


def _format_moment(at: datetime.datetime) -> str:
    """A moment in UTC as CAP writes it: to the second, with -00:00."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def take_cap(own: Scope, content: Content) -> str:
    """Notes an alert in the log of the acting region; an exercise stays out of the real world, and the other way round.

    Returns the id of the fact.
    """
    if (content["status"] == "Actual") != (own.world == "echt"):
        raise MessageError([f"status {content['status']} hoort niet in de wereld {own.world!r}"])
    headline = next((i.get("headline") or i["event"] for i in content.get("info", [])), content["msgType"])
    told = {"text": f"waarschuwing van {content['sender']}: {headline}", "alert": content}
    at = datetime.datetime.fromisoformat(content["sent"])
    return record(own, "note", told, happened_at=min(at, own.at)).event_id
