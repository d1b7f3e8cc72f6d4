"""What can be read: for every Dutch noun its rows, in one place. The database decides whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from ninja import Schema

from slagkracht.server.api import schemas


@dataclass(frozen=True)
class Resource:
    """A noun: ``sql`` selects its rows under the names of ``schema``; ``filters`` are the fields that may be asked."""

    noun: str
    dutch: str
    schema: type[Schema]
    sql: str
    order: str
    filters: tuple[str, ...]


RESOURCES = (
    Resource(
        "regios", "de regio's", schemas.Regio, "select region as id, name as naam from slagkracht.region", "id", ()
    ),
    Resource(
        "incidenten",
        "incidenten",
        schemas.Incident,
        "select incident_id as id, region as regio, what as wat, x_m, y_m, level as niveau, "
        "information_class as classificatie, opened_at as geopend_op, closed_at as gesloten_op, version as versie "
        "from slagkracht.incident",
        "geopend_op desc, id",
        ("regio",),
    ),
    Resource(
        "eenheden",
        "eenheden, met zoveel erbij als hun eigenaar deelt",
        schemas.Eenheid,
        "select u.unit_id as id, u.region as regio, type_code as type, capabilities as inzetmogelijkheden, "
        "case when slagkracht.redacts(u.region, 'bezetting') then null else crew end as bezetting, "
        "case when slagkracht.redacts(u.region, 'kazerne') then null else station end as kazerne, "
        "status, status_at as status_sinds, p.x_m, p.y_m, p.place_at as plaats_sinds, "
        "case when slagkracht.redacts(u.region, 'kazerne') then null else nullif(p.move_up, '') end as herbezetting, "
        "case when coalesce(p.move_up, '') = '' or slagkracht.redacts(u.region, 'kazerne') then null "
        "when p.moving_back then 'returning' when p.moving_up then 'ordered' else 'arrived' end as herbezetting_stap, "
        "case when coalesce(p.move_up, '') = '' or slagkracht.redacts(u.region, 'kazerne') then null "
        "else p.move_up_at end as herbezetting_sinds "
        "from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id)",
        "id",
        ("regio", "type", "status"),
    ),
    Resource(
        "aanvragen",
        "bijstandsaanvragen",
        schemas.Aanvraag,
        "select request_id as id, region as regio, incident_id as incident, ground as grond, mandate as mandaat, "
        "signed_by as ondertekenaar, text as toelichting, audience as gedeeld_met, made_at as gedaan_op, "
        "closed_at as gesloten_op, dossier_id as dossier, version as versie from slagkracht.request",
        "gedaan_op desc, id",
        ("regio", "incident"),
    ),
    Resource(
        "regels",
        "regels van aanvragen",
        schemas.Regel,
        "select line_id as id, region as regio, request_id as aanvraag, formation as formatie, "
        "capability as inzetmogelijkheid, count as aantal, met as vervuld, x_m, y_m, needed_by as nodig_op, "
        "hours as uren, wave as golf, relieves as lost_af, unmet as onvervuld, unmet_reason as reden_onvervuld, "
        "version as versie from slagkracht.request_line",
        "id",
        ("regio", "aanvraag"),
    ),
    Resource(
        "aanboden",
        "aanboden en weigeringen",
        schemas.Aanbod,
        "select offer_id as id, region as regio, receiver as aan, line_id as regel, units as eenheden, "
        "count as aantal, conditions as voorwaarden, state as toestand, reason as reden, made_at as gedaan_op, "
        "version as versie from slagkracht.offer",
        "gedaan_op desc, id",
        ("regio", "regel", "toestand"),
    ),
    Resource(
        "toezeggingen",
        "toegezegde eenheden",
        schemas.Toezegging,
        "select commitment_id as id, region as regio, receiver as aan, offer_id as aanbod, line_id as regel, "
        "unit_id as eenheid, step as stap, step_at as stap_sinds, dropped as afgevallen, recalled as teruggeroepen, "
        "recalled_why as toelichting, version as versie from slagkracht.commitment",
        "stap_sinds desc, id",
        ("regio", "aan", "regel", "stap"),
    ),
    Resource(
        "gebeurtenissen",
        "het logboek",
        schemas.Gebeurtenis,
        "select chain || '-' || number as id, chain as keten, number as nummer, kind as soort, "
        "happened_at as gebeurd_op, recorded_at as vastgelegd_op, actor as door, body as inhoud, hash "
        "from slagkracht.event",
        "vastgelegd_op desc, keten, nummer desc",
        ("keten", "soort"),
    ),
    Resource(
        "toestemmingen",
        "wat met wie gedeeld wordt",
        schemas.Toestemming,
        "select consent_id as id, region as regio, receiver as ontvanger, tier as trap, redaction as weggelakt, "
        "until as tot, ended_at as beeindigd_op from slagkracht.consent",
        "tot desc, id",
        ("regio", "ontvanger"),
    ),
    Resource(
        "dossiers",
        "dossiers in een procedure",
        schemas.DossierUit,
        "select dossier_id as id, region as regio, procedure, content->>'state' as toestand, "
        "(content->>'since')::timestamptz as sinds, content->'parties' as partijen, content->'taken' as stappen, "
        "version as versie from slagkracht.dossier",
        "id",
        ("regio", "procedure", "toestand"),
    ),
    Resource(
        "besluiten",
        "besluiten van besturen",
        schemas.Besluit,
        "select decision_id::text as id, region as regio, body as bestuursorgaan, plan_name as plan, "
        "receipt as verantwoording, outcome as besluit, decided_on as datum, starts as ingangsdatum, "
        "ends as vervaldatum, reservation as voorbehoud from slagkracht.board_decision",
        "datum desc, id",
        ("regio", "verantwoording"),
    ),
    Resource(
        "stukken",
        "stukken bij aanvragen",
        schemas.Stuk,
        "select document_id as id, region as regio, request_id as aanvraag, name as naam, media_type as soort, sha256, "
        "made_by as gemaakt_door, made_at as gemaakt_op from slagkracht.document",
        "gemaakt_op desc, id",
        ("regio", "aanvraag", "naam"),
    ),
    Resource(
        "kosten",
        "opgevoerde kosten",
        schemas.Kostenpost,
        "select entry_id as id, region as regio, receiver as aan, request_id as aanvraag, kind as soort, "
        "cents as centen, spent_on as dag, what as omschrijving, evidence as bewijsstuk, made_at as opgevoerd_op, "
        "withdrawn_at as teruggenomen_op, withdrawn_why as reden from slagkracht.cost_entry",
        "opgevoerd_op desc, id",
        ("regio", "aanvraag", "soort"),
    ),
    Resource(
        "rijksbijdragen",
        "gevraagde rijksbijdragen",
        schemas.Rijksbijdrage,
        "select claim_id as id, region as regio, receiver as aan, request_id as aanvraag, "
        "counted as in_aanmerking_centen, contribution as gevraagd_centen, document_id as stuk, "
        "filed_at as gevraagd_op, decide_before as beslissen_voor, granted as toegekend_centen, decided_why as reden, "
        "decided_at as beslist_op from slagkracht.claim",
        "gevraagd_op desc, id",
        ("regio", "aanvraag"),
    ),
    Resource(
        "sleutels",
        "sleutels van andere systemen",
        schemas.Sleutel,
        "select key_id as id, region as regio, name as naam, made_at as gemaakt_op, until as tot "
        "from slagkracht.access_key",
        "tot desc, id",
        ("regio",),
    ),
)
