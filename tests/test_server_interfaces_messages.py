"""EDXL-RM and CAP: what goes out is what the standards ask, what comes in is done once or refused with every reason."""

from __future__ import annotations

import datetime
import re
import secrets
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.server.interfaces import cap, edxl
from slagkracht.server.interfaces.messages import MessageError, Part, parse_xml
from slagkracht.server.ledger.incidents import let_see_incident
from test_server_api import API, LINE, asked, client, post
from test_server_ledger import acting, new_units

pytestmark = pytest.mark.usefixtures("database")
quick = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

ASKED = """<?xml version="1.0" encoding="UTF-8"?>
<RequestResource xmlns="urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg"
  xmlns:rm="urn:oasis:names:tc:emergency:EDXL:RM:1.0"
  xmlns:gml="http://www.opengis.net/gml" xmlns:xpil="urn:oasis:names:tc:ciq:xpil:3">
  <MessageID>{id}</MessageID>
  <SentDateTime>2030-07-01T10:00:00+02:00</SentDateTime>
  <MessageContentType>RequestResource</MessageContentType>
  <OriginatingMessageID>{id}</OriginatingMessageID>
  <IncidentInformation><rm:IncidentDescription>heidebrand</rm:IncidentDescription></IncidentInformation>
  <ContactInformation>
    <rm:ContactDescription>meldkamer</rm:ContactDescription><rm:ContactRole>Sender</rm:ContactRole>
    <rm:AdditionalContactInformation><xpil:PartyName/></rm:AdditionalContactInformation>
  </ContactInformation>
  <ContactInformation>
    <rm:ContactDescription>voorzitter</rm:ContactDescription><rm:ContactRole>Approver</rm:ContactRole>
  </ContactInformation>
  <ResourceInformation>
    <ResourceInfoElementID>001</ResourceInfoElementID>
    <Resource>
      <Name>peloton</Name>
      <TypeStructure>
        <rm:ValueListURN>urn:slagkracht:inzetmogelijkheid</rm:ValueListURN><rm:Value>basiseenheid</rm:Value>
      </TypeStructure>
    </Resource>
    <AssignmentInformation>
      <Quantity><rm:MeasuredQuantity><rm:Amount>2</rm:Amount></rm:MeasuredQuantity></Quantity>
      <AnticipatedFunction>waterwinning</AnticipatedFunction>
    </AssignmentInformation>
    <ScheduleInformation>
      <ScheduleType>RequestedArrival</ScheduleType>
      <DateTime>2030-07-01T14:00:00+02:00</DateTime>
      <Location>
        <rm:LocationDescription>Veluwe</rm:LocationDescription>
        <rm:TargetArea><gml:Point><gml:pos>52.1551729 5.3872037</gml:pos></gml:Point></rm:TargetArea>
      </Location>
    </ScheduleInformation>
    <ScheduleInformation>
      <ScheduleType>EstimatedReturnDeparture</ScheduleType><DateTime>2030-07-02T02:00:00+02:00</DateTime>
    </ScheduleInformation>
  </ResourceInformation>
</RequestResource>"""
"""A request as another system writes it: default namespace for the message, rm: for the common types."""


def send(browser: Any, path: str, text: str | bytes) -> Any:
    return browser.post(API + path, text, content_type="application/xml")


def read(browser: Any, path: str) -> bytes:
    answer = browser.get(API + path)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"].startswith("application/xml")
    content: bytes = answer.content
    return content


# ── EDXL-RM ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sixteen_messages() -> None:
    assert len(edxl.MESSAGES) == len(set(edxl.MESSAGES)) == 16


def test_a_request_of_another_system_is_a_request_here_once() -> None:
    asker, text = client("demo-officier-vr06"), ASKED.format(id="urn:meldkamer:" + secrets.token_hex(4))
    first, second = send(asker, "/berichten", text), send(asker, "/berichten", text)
    assert (first.status_code, second.status_code) == (201, 200), first.content
    assert (second.json()["herhaald"], second.json()["gevolg"]) == (True, first.json()["gevolg"])
    request = first.json()["gevolg"].removeprefix("aanvraag ")
    (line,) = asker.get(f"{API}/regels?aanvraag={request}").json()["resultaten"]
    assert (line["formatie"], line["inzetmogelijkheid"], line["aantal"], line["uren"]) == (
        "peloton", "basiseenheid", 2, 12.0,
    )  # fmt: skip
    assert (line["x_m"], line["y_m"]) == (pytest.approx(155_000, abs=0.5), pytest.approx(463_000, abs=0.5))
    other = send(asker, "/berichten", text.replace("heidebrand", "bosbrand"))
    assert (other.status_code, "andere inhoud" in other.json()["detail"]) == (409, True)


def test_a_request_for_an_incident_that_is_open_here_opens_no_other() -> None:
    browser = client("demo-officier-vr06")
    incident = post(browser, "/incidenten", {"wat": "heidebrand", "x_m": 155_000, "y_m": 463_000}).json()["id"]
    named = ASKED.replace(
        "<rm:IncidentDescription>", f"<rm:IncidentID>{incident}</rm:IncidentID><rm:IncidentDescription>"
    )
    request = send(browser, "/berichten", named.format(id=secrets.token_hex(6))).json()["gevolg"].split()[1]
    assert browser.get(f"{API}/aanvragen/{request}").json()["incident"] == incident
    post(browser, f"/incidenten/{incident}/sluiten")
    request = send(browser, "/berichten", named.format(id=secrets.token_hex(6))).json()["gevolg"].split()[1]
    assert browser.get(f"{API}/aanvragen/{request}").json()["incident"] != incident


def test_from_request_to_release_in_messages_alone() -> None:
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    first, second = new_units("VR07", 2)
    request, line = asked(asker, grond="wvr51_5_buurregio", buurregio="VR07")
    name, told = edxl.read_edxl(read(lender, f"/aanvragen/{request}/edxl"))
    assert (name, told["OriginatingMessageID"]) == ("RequestResource", request)
    assert told["ResourceInformation"][0]["ResourceInfoElementID"] == line

    def heading(kind: str, **more: object) -> dict[str, Any]:
        return {
            "MessageID": secrets.token_hex(6), "SentDateTime": "2030-07-01T10:00:00+02:00", "MessageContentType": kind,
            "OriginatingMessageID": request, "ContactInformation": [{"ContactRole": "Sender"}], **more,
        }  # fmt: skip

    def answer(unit: str, kind: str = "Accept") -> dict[str, Any]:
        response = {"PrecedingResourceInfoElementID": line, "ResponseType": kind}
        return {"ResourceInfoElementID": unit, "ResponseInformation": response, "Resource": {"ResourceID": unit}}

    kind = "ResponseToRequestResource"
    content = heading(kind, PrecedingMessageID=request, ResourceInformation=[answer(first), answer(second)])
    offered = send(lender, "/berichten", edxl.write_edxl(kind, content))
    assert offered.status_code == 201, offered.content
    offer = offered.json()["gevolg"].split()[1]
    name, told = edxl.read_edxl(read(asker, f"/aanboden/{offer}/edxl"))
    assert (name, [r["Resource"]["ResourceID"] for r in told["ResourceInformation"]]) == (kind, sorted([first, second]))
    commitments = post(asker, f"/aanboden/{offer}/aanvaarden").json()["ids"]
    assert edxl.read_edxl(read(asker, f"/aanboden/{offer}/edxl"))[0] == "CommitResource"

    step = {"ValueListURN": edxl.STEPS, "Value": ["unit_en_route"]}
    moving = [
        {"ResourceInfoElementID": c, "Resource": {"ResourceID": unit, "ResourceStatus": {"DeploymentStatus": step}}}
        for c, unit in zip(commitments, sorted([first, second]), strict=True)
    ]
    kind = "ReportResourceDeploymentStatus"
    crossed = edxl.write_edxl(
        kind, heading(kind, ResourceInformation=[{**moving[0], "Resource": moving[1]["Resource"]}])
    )
    assert f"is van {min(first, second)}" in send(lender, "/berichten", crossed).json()["detail"]
    moved = send(lender, "/berichten", edxl.write_edxl(kind, heading(kind, ResourceInformation=moving)))
    assert moved.json()["gevolg"].count("onderweg") == 2
    assert edxl.read_edxl(read(lender, f"/toezeggingen/{commitments[0]}/edxl"))[0] == kind
    kind = "ReleaseResource"
    release = [{"ResourceInfoElementID": c} for c in commitments]
    not_theirs = send(lender, "/berichten", edxl.write_edxl(kind, heading(kind, ResourceInformation=release)))
    assert "vraagt een reden" in not_theirs.json()["detail"]
    why = {"PrecedingResourceInfoElementID": line, "ResponseType": "Decline", "ResponseReason": "brand in Ede",
           "ReasonCode": {"ValueListURN": edxl.REASONS, "Value": ["eigen_inzet"]}}  # fmt: skip
    recall = heading(kind, ResourceInformation=[{**release.pop(), "ResponseInformation": why}])
    assert send(lender, "/berichten", edxl.write_edxl(kind, recall)).status_code == 201
    _, told = edxl.read_edxl(read(asker, f"/toezeggingen/{commitments[1]}/edxl"))
    assert told["ResourceInformation"][0]["ResponseInformation"] == why, "the requester's system reads why"
    assert told["ContactInformation"][0]["ContactDescription"] == "VR07"
    released = send(asker, "/berichten", edxl.write_edxl(kind, heading(kind, ResourceInformation=release)))
    assert released.json()["gevolg"].count("vrijgegeven") == 1
    assert edxl.read_edxl(read(asker, f"/toezeggingen/{commitments[0]}/edxl"))[0] == kind


def test_a_refusal_keeps_its_reason_both_ways() -> None:
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    request, line = asked(asker, grond="wvr51_5_buurregio", buurregio="VR07")
    response = {
        "PrecedingResourceInfoElementID": line, "ResponseType": "Decline",
        "ReasonCode": {"ValueListURN": edxl.REASONS, "Value": ["restdekking"]}, "ResponseReason": "nacht",
    }  # fmt: skip
    kind = "ResponseToRequestResource"
    content = {
        "MessageID": secrets.token_hex(6), "SentDateTime": "2030-07-01T10:00:00+02:00", "MessageContentType": kind,
        "OriginatingMessageID": request, "PrecedingMessageID": request,
        "ContactInformation": [{"ContactRole": "Sender"}],
        "ResourceInformation": [{"ResourceInfoElementID": "1", "ResponseInformation": response}],
    }  # fmt: skip
    told = send(lender, "/berichten", edxl.write_edxl(kind, content)).json()["gevolg"]
    refusal = told.split()[1]
    assert asker.get(f"{API}/aanboden/{refusal}").json()["reden"] == "restdekking"
    _, back = edxl.read_edxl(read(asker, f"/aanboden/{refusal}/edxl"))
    assert back["ResourceInformation"][0]["ResponseInformation"] == response


def test_another_message_is_noted() -> None:
    kind = "OfferUnsolicitedResource"
    content = {
        "MessageID": secrets.token_hex(6), "SentDateTime": "2030-07-01T10:00:00Z", "MessageContentType": kind,
        "OriginatingMessageID": "1", "ContactInformation": [{"ContactRole": "Sender"}],
        "ResourceInformation": [{"ResourceInfoElementID": "1", "Resource": {"Name": "waterwagen"}}],
    }  # fmt: skip
    browser = client("demo-officier-vr09")
    noted = send(browser, "/berichten", edxl.write_edxl(kind, content)).json()["gevolg"].removeprefix("genoteerd als ")
    assert browser.get(f"{API}/gebeurtenissen/{noted}").json()["inhoud"]["message"] == content


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("<MessageID>{id}</MessageID>", ""), "MessageID ontbreekt"),
        (("<ResourceInfoElementID>001</ResourceInfoElementID>", ""), "ResourceInformation[1]"),
        (("2030-07-01T10:00:00+02:00", "2030-07-01T10:00:00"), "tijdzone"),
        (("<rm:ContactRole>Sender</rm:ContactRole>", ""), "rol Sender"),
        (("<rm:ContactRole>Approver</rm:ContactRole>", ""), "ondertekend"),
        (("<Name>peloton</Name>", "<Name>peloton</Name><ResourceID>1</ResourceID>"), "ResourceID hoort hier niet"),
        (("<rm:Amount>2</rm:Amount>", "<rm:Amount>2.5</rm:Amount>"), "geheel aantal"),
        (("52.1551729 5.3872037", "5.3872037 52.1551729"), "breedte voor lengte"),
        (("urn:slagkracht:inzetmogelijkheid", "urn:anders"), "TypeStructure"),
        (("2030-07-02T02:00:00", "2030-07-01T02:00:00"), "na aankomst"),
        (("EstimatedReturnDeparture", "Ooit"), "'Ooit' is niet een van"),
        (("RM:1.0:msg", "RM:2.0:msg"), "geen bericht van EDXL-RM 1.0"),
        (("RequestResource", "RequestResources"), "geen bericht van EDXL-RM 1.0"),
        (("</RequestResource>", ""), "geen welgevormde XML"),
        (("<RequestResource ", '<!DOCTYPE a [<!ENTITY b "c">]><RequestResource '), "DOCTYPE"),
        (('encoding="UTF-8"', 'encoding="ooit"'), "tekencodering"),
    ],
)  # fmt: skip
def test_a_wrong_message_is_refused_with_its_reason(change: tuple[str, str], finding: str) -> None:
    answer = send(
        client("demo-officier-vr06"), "/berichten", ASKED.replace(*change).replace("{id}", secrets.token_hex(4))
    )
    assert answer.status_code == 400
    assert finding in answer.json()["detail"]


def test_every_finding_at_once() -> None:
    text = ASKED.replace("<rm:Amount>2<", "<rm:Amount>0<").replace("52.1551729 5.3872037", "ergens")
    detail = send(client("demo-officier-vr06"), "/berichten", text.replace("{id}", "1")).json()["detail"]
    assert "geheel aantal" in detail
    assert "plaats in Nederland" in detail


def test_nothing_is_done_of_a_message_that_fails_halfway() -> None:
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    (unit,) = new_units("VR07", 1)
    request, line = asked(asker, grond="wvr51_5_buurregio", buurregio="VR07")
    kind, information = "CommitResource", []
    for where, resource in ((line, unit), ("A-VR06-bestaatniet-1", unit)):
        response = {"PrecedingResourceInfoElementID": where, "ResponseType": "Accept"}
        one = {"ResourceInfoElementID": where, "ResponseInformation": response, "Resource": {"ResourceID": resource}}
        information.append(one)
    content = {
        "MessageID": secrets.token_hex(6), "SentDateTime": "2030-07-01T10:00:00Z", "MessageContentType": kind,
        "OriginatingMessageID": request, "ContactInformation": [{"ContactRole": "Sender"}],
        "ResourceInformation": information,
    }  # fmt: skip
    assert send(lender, "/berichten", edxl.write_edxl(kind, content)).status_code == 404
    assert asker.get(f"{API}/aanboden?regel={line}").json()["resultaten"] == []


def test_the_billion_laughs_and_other_attacks_are_refused() -> None:
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>'
    outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    for text in (laughs, outside, "<a>" * 100_000, "x" * 1_000_001, "", "\x00", "<a>&b;</a>"):
        with pytest.raises(MessageError):
            parse_xml(text.encode())


WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=12
)
TIMES = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1)).map(
    lambda at: at.replace(microsecond=0).isoformat() + "+02:00"
)


def contents(part: Part) -> Any:
    """Any content that a structure allows."""
    if isinstance(part.kind, tuple):
        return st.sampled_from(part.kind)
    if not part.parts:
        shapes = {
            "time": TIMES,
            "number": st.integers(0, 500).map(str),
            "points": st.just("52.0,5.0 52.1,5.0 52.0,5.0"),
        }
        return shapes.get(part.kind, WORDS.filter(lambda text: text.strip() == text and "\r" not in text))
    real = [below for below in part.parts if below.kind != "any"]
    if part.choice:
        return st.one_of([st.fixed_dictionaries({below.name: contents(below)}) for below in real])

    def several(below: Part) -> Any:
        one = contents(below)
        return st.lists(one, min_size=max(1, below.least), max_size=2) if below.most is None else one

    must = {below.name: several(below) for below in real if below.least}
    may = {below.name: several(below) for below in real if not below.least}
    return st.fixed_dictionaries(must, optional=may)


@quick
@given(st.data())
def test_any_message_survives_going_out_and_coming_in(data: Any) -> None:
    name = data.draw(st.sampled_from(edxl.MESSAGES))
    content = data.draw(contents(edxl.STRUCTURES[name]))
    content["ContactInformation"][0]["ContactRole"] = "Sender"
    for information in content.get("ResourceInformation", []):
        if "Resource" in information:
            information["Resource"]["Name"] = "peloton"
    text = edxl.write_edxl(name, content)
    assert edxl.read_edxl(text) == (name, content)
    root = ElementTree.fromstring(text)
    order = [re.sub("{.*}", "", child.tag) for child in root]
    listed = [below.name for below in edxl.STRUCTURES[name].parts]
    assert order == sorted(order, key=listed.index)
    assert all(child.tag.startswith(f"{{{edxl.MSG}}}") for child in root)


@quick
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_a_message_or_are_refused(given_bytes: bytes) -> None:
    for reader in (edxl.read_edxl, cap.read_cap):
        with pytest.raises(MessageError) as refused:
            reader(given_bytes)
        assert refused.value.findings


@quick
@given(st.data())
def test_a_damaged_message_is_done_or_refused(data: Any) -> None:
    text = ASKED.replace("{id}", data.draw(st.uuids()).hex)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "<", ">", "&", "x", "9", "-", " ", "\u0000", "é"]))
            + text[at + 1 :]
        )
    assert send(client("demo-officier-vr24"), "/berichten", text.encode()).status_code in (200, 201, 400, 409)


# ── CAP ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{id}</identifier><sender>nl-alert@voorbeeld</sender><sent>2026-07-01T14:00:00+02:00</sent>
  <status>{status}</status><msgType>Alert</msgType><scope>Public</scope>
  <info>
    <language>nl-NL</language><category>Fire</category><event>Natuurbrand</event><responseType>Evacuate</responseType>
    <urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
    <headline>Natuurbrand: ga weg uit het gebied</headline>
    <area><areaDesc>Veluwe</areaDesc><polygon>52.1,5.7 52.2,5.7 52.2,5.8 52.1,5.7</polygon>
      <circle>52.15,5.75 3</circle><geocode><valueName>veiligheidsregio</valueName><value>VR07</value></geocode></area>
  </info>
</alert>"""


def test_an_alert_is_noted_once() -> None:
    browser, text = client("demo-officier-vr07"), ALERT.format(id=secrets.token_hex(6), status="Actual")
    first, second = send(browser, "/waarschuwingen", text), send(browser, "/waarschuwingen", text)
    assert (first.status_code, second.status_code) == (201, 200), first.content
    noted = browser.get(f"{API}/gebeurtenissen/{first.json()['gevolg']}").json()
    assert noted["inhoud"]["text"].endswith("ga weg uit het gebied")
    assert noted["gebeurd_op"] == "2026-07-01T12:00:00Z", "when it was sent, not when it came in"


def test_a_signed_alert_with_empty_elements_is_an_alert_too() -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature></alert>'
    text = ALERT.replace("</alert>", signature).replace("<headline>", "<senderName/><headline>")
    told = cap.read_cap(text.format(id="a", status="Actual").encode())
    assert told["info"][0]["senderName"] == ""
    update = text.replace("<msgType>Alert", "<msgType>Update").replace("<info>", "<references/><info>")
    with pytest.raises(MessageError, match="references noemt"):
        cap.read_cap(update.format(id="a", status="Actual").encode())


def test_an_exercise_stays_out_of_the_real_world() -> None:
    text = ALERT.format(id=secrets.token_hex(6), status="Exercise")
    browser = client("demo-officier-vr07")
    assert send(browser, "/waarschuwingen", text).status_code == 400
    browser.post("/handelen-als", {"regio": "VR07", "wereld": "oefening"})
    assert send(browser, "/waarschuwingen", text).status_code == 201
    request, _ = asked(browser, toelichting="twee pelotons")
    told = read(browser, f"/aanvragen/{request}/edxl")
    assert edxl.read_edxl(told)[1]["MessageDescription"] == f"{edxl.EXERCISE}. twee pelotons"
    told_as = browser.get(f"{API}/bestanden/regels.csv").headers["Content-Disposition"]
    assert told_as == 'attachment; filename="OEFENING-regels.csv"'
    titles = [layer["title"] for layer in browser.get("/ogc/v1/collections").json()["collections"]]
    assert all(title.startswith("OEFENING: ") for title in titles)
    refused = send(client("demo-officier-vr06"), "/berichten", told)
    assert (refused.status_code, "een oefening hoort niet" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("<sender>nl-alert@voorbeeld</sender>", ""), "sender ontbreekt"),
        (("nl-alert@voorbeeld", "nl alert"), "geen spatie"),
        (("<category>Fire</category>", ""), "category ontbreekt"),
        (("<category>Fire</category>", "<category>Brand</category>"), "niet een van"),
        (("<scope>Public</scope>", "<scope>Restricted</scope>"), "restriction ontbreekt"),
        (("<scope>Public</scope>", "<scope>Private</scope>"), "addresses ontbreekt"),
        (("<msgType>Alert</msgType>", "<msgType>Cancel</msgType>"), "references"),
        (("<info>", "<references>a,b</references><info>"), "niet sender,identifier,sent"),
        (("52.1,5.7 52.2,5.7 52.2,5.8 52.1,5.7", "52.1,5.7 52.2,5.7 52.2,5.8"), "polygon"),
        (("52.15,5.75 3", "ergens"), "geen punt"),
        (("cap:1.2", "cap:1.1"), "verwacht alert"),
        (("2026-07-01T14:00:00+02:00", "2026-07-41T14:00:00+02:00"), "geen tijdstip"),
    ],
)  # fmt: skip
def test_a_wrong_alert_is_refused_with_its_reason(change: tuple[str, str], finding: str) -> None:
    text = ALERT.format(id=secrets.token_hex(6), status="Actual").replace(*change)
    answer = send(client("demo-officier-vr07"), "/waarschuwingen", text)
    assert answer.status_code == 400
    assert finding in answer.json()["detail"]


def test_an_incident_goes_out_as_an_alert() -> None:
    browser = client("demo-officier-vr07")
    given_incident = {"wat": "natuurbrand", "x_m": 155_000, "y_m": 463_000, "niveau": "GRIP 2", "classificatie": "Open"}
    incident = post(browser, "/incidenten", given_incident).json()["id"]
    first = cap.read_cap(read(browser, f"/incidenten/{incident}/cap"))
    assert (first["status"], first["msgType"], first["scope"]) == ("Actual", "Alert", "Public")
    assert first["info"][0]["area"][0]["circle"] == ["52.15517,5.38720 1"]
    post(browser, f"/incidenten/{incident}/sluiten")
    last = cap.read_cap(read(browser, f"/incidenten/{incident}/cap"))
    assert (last["msgType"], last["info"][0]["responseType"]) == ("Update", ["AllClear"])
    assert client("demo-officier-vr23").get(f"{API}/incidenten/{incident}/cap").status_code == 404


def test_an_alert_names_all_before_it_for_everyone_alike() -> None:
    browser, began = client("demo-officier-vr07"), "2026-07-01T12:00:00Z"
    given_incident = {"wat": "gaswolk", "x_m": 155_000, "y_m": 463_000, "niveau": "GRIP 1", "gebeurd_op": began}
    incident = post(browser, "/incidenten", given_incident).json()["id"]
    told = [cap.read_cap(read(browser, f"/incidenten/{incident}/cap"))]
    post(browser, f"/incidenten/{incident}/opschalen", {"niveau": "GRIP 2"})
    told.append(cap.read_cap(read(browser, f"/incidenten/{incident}/cap")))
    with acting("VR07") as own:
        let_see_incident(own, incident, ["VR06"])
    assert cap.read_cap(read(browser, f"/incidenten/{incident}/cap")) == told[1], "who sees it is no news"
    post(browser, f"/incidenten/{incident}/sluiten")
    told.append(cap.read_cap(read(client("demo-officier-vr06"), f"/incidenten/{incident}/cap")))
    assert cap.read_cap(read(browser, f"/incidenten/{incident}/cap")) == told[2]
    named = [",".join(alert[name] for name in ("sender", "identifier", "sent")) for alert in told]
    assert [alert.get("references", "").split() for alert in told] == [[], named[:1], named[:2]]
    assert [alert["info"][0]["onset"] for alert in told] == ["2026-07-01T12:00:00-00:00"] * 3, "UTC as CAP writes it"
    assert told[0]["sent"] > told[0]["info"][0]["onset"], "it was sent when it was recorded, not when it began"


@quick
@given(contents(cap.ALERT))
def test_any_alert_survives_going_out_and_coming_in(content: Any) -> None:
    content |= {"identifier": "a1", "sender": "b2", "restriction": "r", "addresses": "s"}
    content["references"] = "b2,a0,2026-07-01T14:00:00-00:00"
    for info in content.get("info", []):
        for area in info.get("area", []):
            area["polygon"] = ["52.1,5.7 52.2,5.7 52.2,5.8 52.1,5.7"]
    assert cap.read_cap(cap.write_cap(content)) == content


def test_what_xml_cannot_say_is_replaced_not_broken() -> None:
    browser = client("demo-officier-vr07")
    line = {**LINE, "formatie": " "}
    incident = post(browser, "/incidenten", {"wat": "\u0001 & <brand>", "x_m": 1e6, "y_m": 1e6}).json()["id"]
    given_request = {"incident": incident, "grond": "wvr51_minister", "mandaat": " ", "ondertekenaar": " "}
    request = post(browser, "/aanvragen", {**given_request, "regels": [line]}).json()["id"]
    assert "<brand>" in cap.read_cap(read(browser, f"/incidenten/{incident}/cap"))["info"][0]["event"]
    assert edxl.read_edxl(read(browser, f"/aanvragen/{request}/edxl"))[0] == "RequestResource"
