"""What assistance cost: entered by who lent, added up by the cost rule, and claimed within its terms."""

from __future__ import annotations

import csv
import datetime
import functools
import io
import secrets
from dataclasses import dataclass

from slagkracht.costs import KINDS, Claim, Cost, compute_claim
from slagkracht.log import NATIONAL_CHAIN, replay
from slagkracht.reports.dutch import write_day
from slagkracht.reports.letters import Column, Letter, Part, Table, write_letter
from slagkracht.rules import Rules
from slagkracht.server.database import Row, Scope
from slagkracht.server.documents import PDF, keep_document
from slagkracht.server.engine import CLOCK
from slagkracht.server.journal import read_events, record
from slagkracht.server.ledger import NOUNS, LedgerError, NotAllowedError, NotFoundError, read_stated
from slagkracht.sources.rule_files import read_rules

MINISTER = ("De Minister van Justitie en Veiligheid",)


@functools.cache
def _rules() -> Rules:
    return read_rules()


@dataclass(frozen=True)
class ClaimFile:
    """What one region spent on one request: its entries, what may be claimed of it, and the claim once it was filed.

    ``units`` that it lent · ``unit_hours`` from under way to home · ``ended_at`` when the last was home (None = not
    yet) · ``filed`` row of the claim.
    """

    region: str
    entries: list[Row]
    claim: Claim
    units: int
    unit_hours: float
    ended_at: datetime.datetime | None
    filed: Row | None


def enter_cost(
    scope: Scope,
    request: str,
    kind: str,
    cents: int,
    spent_on: datetime.date,
    what: str,
    evidence: str = "",
    happened_at: datetime.datetime | None = None,
) -> str:
    """Enters what the acting region spent on a request that it lent for; returns the entry's id.

    ``happened_at`` when it was entered in its own books (None = now), as in every step that follows.

    Raises LedgerError for an unknown kind, an amount that is not positive, a day to come, or a claim that was filed.
    """
    row = _request(scope, request)
    lent = scope.row(
        "select 1 as one from slagkracht.commitment c join slagkracht.request_line l using (line_id) "
        "where l.request_id = %s and c.region = %s limit 1",
        request,
        scope.region,
    )
    if lent is None:
        raise NotAllowedError("kosten opvoeren is aan een regio die voor deze aanvraag eenheden toezegde")
    if kind not in KINDS:
        raise LedgerError("kies een kostensoort: {kinds}", kinds=", ".join(KINDS))
    if not 0 < cents <= 10**12 or not what.strip():
        raise LedgerError("zeg wat het was, en vul een bedrag van meer dan 0 in")
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["made"])
    if spent_on > (happened_at or scope.at).astimezone(CLOCK).date():
        raise LedgerError("kosten worden opgevoerd als zij gemaakt zijn: de dag ligt nog in de toekomst")
    _refuse_filed(scope, request)
    entry, audience = f"K-{scope.region}-{secrets.token_hex(5)}", _parties(row)
    scope.insert(
        "cost_entry",
        entry_id=entry,
        region=scope.region,
        receiver=row["region"],
        audience=sorted(set(audience) - {scope.region, row["region"]}),
        request_id=request,
        kind=kind,
        cents=cents,
        spent_on=spent_on,
        what=what.strip(),
        evidence=evidence.strip(),
        made_by=scope.actor,
        made_at=happened_at or scope.at,
    )
    told = {"entry": entry, "request": request, "kind": kind, "cents": cents, "what": what.strip()}
    told |= {"spent_on": spent_on.isoformat(), "evidence": evidence.strip()}
    record(scope, "cost_entered", told, audience, happened_at)
    return entry


def withdraw_cost(scope: Scope, entry: str, reason: str, happened_at: datetime.datetime | None = None) -> None:
    """Takes back an entry of the acting region, with the reason; it stays in the log. Not after the claim was filed."""
    row = scope.row("select * from slagkracht.cost_entry where entry_id = %s for update", entry)
    if row is None or row["region"] != scope.region:
        seen = scope.row("select region from slagkracht.cost_entry where entry_id = %s", entry)
        if seen is None:
            raise NotFoundError("deze kostenpost is hier niet bekend")
        raise NotAllowedError("een kostenpost terugnemen is aan wie haar opvoerde")
    if row["withdrawn_at"] is not None or not reason.strip():
        raise LedgerError("een kostenpost wordt één keer teruggenomen, met een reden")
    _refuse_filed(scope, row["request_id"])
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["entered"])
    scope.run(
        "update slagkracht.cost_entry set withdrawn_at = %s, withdrawn_why = %s where entry_id = %s",
        happened_at or scope.at,
        reason.strip(),
        entry,
    )
    told = {"entry": entry, "reason": reason.strip(), "request": row["request_id"]}
    record(scope, "cost_withdrawn", told, [row["receiver"], *row["audience"]], happened_at)


def read_own_files(scope: Scope) -> list[tuple[Row, ClaimFile]]:
    """What the acting region lent, newest first: the request with its incident, and its own claim file (no hours)."""
    lent = scope.rows(
        "select q.request_id, q.region, i.what, max(c.step_at) as last from slagkracht.commitment c "
        "join slagkracht.request_line l using (line_id) join slagkracht.request q using (request_id) "
        "left join slagkracht.incident i on i.incident_id = q.incident_id where c.region = %s and c.world = %s "
        "group by q.request_id, q.region, i.what order by max(c.step_at) desc limit 30",
        scope.region,
        scope.world,
    )
    return [
        (row, each)
        for row in lent
        for each in read_files(scope, row["request_id"], hours=False)
        if each.region == scope.region
    ]


def read_files(scope: Scope, request: str, hours: bool = True) -> list[ClaimFile]:
    """The claim file of every lender of a request that the acting region may see, in order of region.

    ``hours`` False leaves out how long units were away, which the whole log is read for.
    """
    lent = scope.rows(
        "select c.region, array_agg(c.commitment_id) as commitments, max(c.step_at) as last, "
        "bool_and(c.step = 'unit_home') as home from slagkracht.commitment c join slagkracht.request_line l "
        "using (line_id) where l.request_id = %s group by c.region order by c.region",
        request,
    )
    entries = scope.rows(
        "select * from slagkracht.cost_entry where request_id = %s order by spent_on, made_at, entry_id", request
    )
    claims = {row["region"]: row for row in scope.rows("select * from slagkracht.claim where request_id = %s", request)}
    steps = {}
    if lent and hours:
        steps = {key: dict(each.steps) for key, each in replay(read_events(scope)).commitments.items()}
    files = []
    for row in lent:
        mine = [entry for entry in entries if entry["region"] == row["region"]]
        filed = claims.get(row["region"])
        ended_at = row["last"].astimezone(CLOCK) if row["home"] else None
        away_h = 0.0
        for commitment in row["commitments"]:
            told = steps.get(commitment, {})
            if "unit_en_route" in told:
                away_h += (told.get("unit_home", scope.at) - told["unit_en_route"]).total_seconds() / 3600
        costs = [Cost(e["kind"], int(e["cents"]), e["spent_on"]) for e in mine if e["withdrawn_at"] is None]
        day = (ended_at or scope.at.astimezone(CLOCK)).date()
        filed_at = filed["filed_at"].astimezone(CLOCK) if filed else None
        claim = compute_claim(costs, _rules(), day, ended_at=ended_at, filed_at=filed_at)
        files.append(ClaimFile(row["region"], mine, claim, len(row["commitments"]), away_h, ended_at, filed))
    return files


def file_claim(scope: Scope, request: str, happened_at: datetime.datetime | None = None) -> str:
    """Files the acting region's claim with the minister, with its overview as a document; returns the claim's id.

    Raises LedgerError before the assistance is over, after the term, below the threshold, or a second time.
    """
    row = _request(scope, request)
    mine = next((each for each in read_files(scope, request) if each.region == scope.region), None)
    if mine is None:
        raise NotAllowedError("een rijksbijdrage vragen is aan een regio die voor deze aanvraag eenheden leverde")
    _refuse_filed(scope, request)
    if mine.ended_at is None:
        raise LedgerError("de bijstand is nog niet afgelopen: er is nog een eenheid niet thuis")
    assert mine.claim.file_before is not None
    happened_at = read_stated(scope, happened_at, mine.ended_at, NOUNS["ended"])
    at = happened_at or scope.at
    if at >= mine.claim.file_before:
        raise LedgerError("de termijn om aan te vragen liep tot {day}", day=f"{mine.claim.file_before:%d-%m-%Y}")
    if not mine.claim.passes:
        raise LedgerError("de kosten komen niet boven de drempel: er is geen rijksbijdrage te vragen")
    audience = sorted({row["region"], NATIONAL_CHAIN} - {scope.region})
    content = _write(scope, row, [mine], f"Aanvraag rijksbijdrage in bijstandskosten van {scope.region}")
    document = keep_document(scope, "aanvraag rijksbijdrage", content, PDF, request, audience, with_request=False)
    filed = compute_claim([], _rules(), mine.ended_at.date(), filed_at=at.astimezone(CLOCK))
    claim = f"R-{scope.region}-{secrets.token_hex(5)}"
    scope.insert(
        "claim",
        claim_id=claim,
        region=scope.region,
        receiver=row["region"],
        audience=[NATIONAL_CHAIN],
        request_id=request,
        counted=mine.claim.counted,
        contribution=mine.claim.contribution,
        document_id=document,
        decide_before=filed.decide_before,
        filed_by=scope.actor,
        filed_at=at,
    )
    told = {"claim": claim, "request": request, "cents": mine.claim.contribution, "document": document}
    record(scope, "claim_filed", {**told, "counted": mine.claim.counted}, audience, happened_at)
    return claim


def decide_claim(
    scope: Scope, claim: str, cents: int, reason: str, happened_at: datetime.datetime | None = None
) -> None:
    """Records what the minister grants of a claim, with the reason. By the minister, once."""
    row = scope.row("select * from slagkracht.claim where claim_id = %s", claim)
    if row is None:
        raise NotFoundError("deze aanvraag van een rijksbijdrage is hier niet bekend")
    if scope.region != NATIONAL_CHAIN or "minister" not in scope.roles:
        raise NotAllowedError("beslissen over een rijksbijdrage is aan de minister")
    if row["decided_at"] is not None or not 0 <= cents <= row["counted"] or not reason.strip():
        raise LedgerError("er wordt één keer beslist, met een reden, over hoogstens wat in aanmerking komt")
    happened_at = read_stated(scope, happened_at, row["filed_at"], NOUNS["filed"])
    scope.run(
        "update slagkracht.claim set granted = %s, decided_why = %s, decided_at = %s where claim_id = %s",
        cents,
        reason.strip(),
        happened_at or scope.at,
        claim,
    )
    told = {"claim": claim, "cents": cents, "reason": reason.strip(), "request": row["request_id"]}
    record(scope, "claim_decided", told, [row["region"], row["receiver"]], happened_at)


# ── told to others ────────────────────────────────────────────────────────────────────────────────────────────────────


def write_csv(scope: Scope, request: str) -> str:
    """Every entry of a request that the acting region may see, as CSV that a Dutch spreadsheet opens: with a mark, ;
    between fields and a comma in amounts.
    """
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(
        ["post", "regio", "aanvraag", "soort", "bedrag_euro", "dag", "omschrijving", "bewijsstuk", "opgevoerd_door",
         "opgevoerd_op", "teruggenomen_op", "reden"]
    )  # fmt: skip
    for each in read_files(scope, request):
        for entry in each.entries:
            writer.writerow(
                [entry["entry_id"], entry["region"], request, entry["kind"],
                 f"{entry['cents'] // 100},{entry['cents'] % 100:02}",
                 entry["spent_on"].isoformat(), _plain(entry["what"]), _plain(entry["evidence"]), entry["made_by"],
                 entry["made_at"].isoformat(), entry["withdrawn_at"] and entry["withdrawn_at"].isoformat(),
                 entry["withdrawn_why"] and _plain(entry["withdrawn_why"])]
            )  # fmt: skip
    return out.getvalue()


def _plain(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_overview(scope: Scope, request: str) -> bytes:
    """The costs of a request as far as the acting region sees them, as PDF."""
    row = _request(scope, request)
    return _write(scope, row, read_files(scope, request), "Overzicht van bijstandskosten")


def write_euros(cents: int) -> str:
    """An amount as Dutch readers write it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}€ {whole:,}".replace(",", ".") + f",{rest:02d}"


def _write(scope: Scope, row: Row, files: list[ClaimFile], title: str) -> bytes:
    incident = scope.row("select what from slagkracht.incident where incident_id = %s", row["incident_id"])
    today = scope.at.astimezone(CLOCK)
    parts = []
    for each in files:
        kept = [entry for entry in each.entries if entry["withdrawn_at"] is None]
        rows = tuple(
            (entry["entry_id"], KINDS[entry["kind"]], entry["what"], f"{entry['spent_on']:%d-%m-%Y}",
             entry["evidence"] or "–", write_euros(entry["cents"]))
            for entry in kept
        )  # fmt: skip
        claim = each.claim
        ended = f"{each.ended_at:%d-%m-%Y %H:%M}" if each.ended_at else "nog niet afgelopen"
        text = (
            f"{each.units} eenheden, samen {f'{each.unit_hours:.1f}'.replace('.', ',')} eenheid-uren onderweg en ter "
            f"plaatse. Afloop: {ended}.",
            f"In aanmerking: {write_euros(claim.counted)}. Eigen deel: {write_euros(claim.own_share)}. "
            f"Bijdrage: {write_euros(claim.contribution)}.",
            *([f"Aan te vragen tot {claim.file_before:%d-%m-%Y}."] if claim.file_before else []),
        )
        columns = (Column("Post"), Column("Soort"), Column("Omschrijving"), Column("Dag"), Column("Bewijsstuk"),
                   Column("Bedrag", True))  # fmt: skip
        table = Table("", columns, rows) if rows else None
        parts.append(Part(f"Regio {each.region}", text if rows else (*text, "Geen kosten opgevoerd."), table))
    rule = files[0].claim.rule if files else None
    letter = Letter(
        title,
        (f"Veiligheidsregio {scope.region}" if scope.region != NATIONAL_CHAIN else "Landelijk Actiecentrum Brandweer",),
        MINISTER,
        today.date(),
        (
            ("Aanvraag", row["request_id"]),
            ("Incident", incident["what"] if incident else "–"),
            ("Opgemaakt", f"{write_day(today.date())}, {today:%H:%M} uur, door {scope.actor}"),
            ("Regeling", rule.dutch if rule else "–"),
        ),
        tuple(parts) or (Part("", ("Voor deze aanvraag is niets geleverd.",)),),
        (),
        (f"Regel '{rule.code}': {rule.status}. {rule.source}.",) if rule and rule.status != "vastgesteld" else (),
        f"{title} · {row['request_id']}",
        "OEFENING: niets in dit stuk is echt" if scope.world == "oefening" else "",
    )
    return write_letter(letter)


def _request(scope: Scope, request: str) -> Row:
    row = scope.row("select * from slagkracht.request where request_id = %s", request)
    if row is None:
        raise NotFoundError("deze aanvraag is hier niet bekend")
    return row


def _parties(row: Row) -> list[str]:
    """Who takes part in the costs of a request: who asked, and the centre where it leads."""
    return [row["region"], *([NATIONAL_CHAIN] if NATIONAL_CHAIN in row["audience"] else [])]


def _refuse_filed(scope: Scope, request: str) -> None:
    filed = scope.row(
        "select 1 as one from slagkracht.claim where request_id = %s and region = %s", request, scope.region
    )
    if filed is not None:
        raise LedgerError("de rijksbijdrage is al gevraagd: de kosten staan vast")
