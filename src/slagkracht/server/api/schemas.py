"""What goes over the line, in the words of the field."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, FiniteFloat

from slagkracht.server.invalid import WORDS


def _written(words: str, kind: type) -> BeforeValidator:
    """A moment or a day as text alone: a number would be taken for seconds since 1970."""

    def check(value: object) -> object:
        text = isinstance(value, str) and not value.strip().replace(".", "").lstrip("+-").isdigit()
        if value is not None and not text and not isinstance(value, kind):
            raise ValueError(words)
        return value

    return BeforeValidator(check)


def _of_our_age(value: datetime.datetime) -> datetime.datetime:
    if not 1900 <= value.year <= 2200:
        raise ValueError("ligt niet tussen 1900 en 2200")
    return value


def _in_utc(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**step, "at": datetime.datetime.fromisoformat(step["at"]).astimezone(datetime.UTC)} if "at" in step else step
        for step in steps
    ]


Text = Annotated[str, Field(max_length=2000)]
Code = Annotated[str, Field(min_length=1, max_length=100)]
RegionCode = Annotated[str, Field(pattern=r"^(VR[0-9]{2}|LAC)$")]
Metres = Annotated[FiniteFloat, Field(ge=-100_000, le=1_000_000, strict=True)]
Count = Annotated[int, Field(ge=1, le=500, strict=True)]
Hours = Annotated[FiniteFloat, Field(gt=0, le=2000, strict=True)]
Moment = Annotated[AwareDatetime, AfterValidator(_of_our_age), _written(WORDS["datetime_parsing"], datetime.datetime)]
Day = Annotated[datetime.date, _written(WORDS["date_parsing"], datetime.date)]


class Incoming(Schema):
    """What comes in has no field that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """What went wrong, by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None


class Ik(Schema):
    naam: str
    regio: str
    wereld: str
    rollen: list[str]


class Regio(Schema):
    id: str
    naam: str


class Incident(Schema):
    id: str
    regio: str
    wat: str
    x_m: float
    y_m: float
    niveau: str
    classificatie: str
    geopend_op: datetime.datetime
    gesloten_op: datetime.datetime | None
    versie: int


class Eenheid(Schema):
    id: str
    regio: str
    type: str
    inzetmogelijkheden: list[str]
    bezetting: int | None
    kazerne: str | None
    status: str
    status_sinds: datetime.datetime | None
    x_m: float | None
    y_m: float | None
    plaats_sinds: datetime.datetime | None
    herbezetting: str | None
    herbezetting_stap: str | None
    herbezetting_sinds: datetime.datetime | None


class Aanvraag(Schema):
    id: str
    regio: str
    incident: str
    grond: str
    mandaat: str
    ondertekenaar: str
    toelichting: str
    gedeeld_met: list[str]
    gedaan_op: datetime.datetime
    gesloten_op: datetime.datetime | None
    dossier: str | None
    versie: int


class Regel(Schema):
    id: str
    regio: str
    aanvraag: str
    formatie: str
    inzetmogelijkheid: str
    aantal: int
    vervuld: int
    x_m: float
    y_m: float
    nodig_op: datetime.datetime
    uren: float
    golf: int
    lost_af: list[str]
    onvervuld: int
    reden_onvervuld: str | None
    versie: int


class Aanbod(Schema):
    id: str
    regio: str
    aan: str
    regel: str
    eenheden: list[str]
    aantal: int
    voorwaarden: str
    toestand: str
    reden: str | None
    gedaan_op: datetime.datetime
    versie: int


class Toezegging(Schema):
    id: str
    regio: str
    aan: str
    aanbod: str
    regel: str
    eenheid: str
    stap: str
    stap_sinds: datetime.datetime
    afgevallen: bool
    teruggeroepen: str | None
    toelichting: str
    versie: int


class Gebeurtenis(Schema):
    id: str
    keten: str
    nummer: int
    soort: str
    gebeurd_op: datetime.datetime
    vastgelegd_op: datetime.datetime
    door: str
    inhoud: dict[str, Any]
    hash: str


class Controlepunt(Schema):
    chain: str
    number: int
    hash: str
    at: str
    key: str
    signature: str


class Toestemming(Schema):
    id: str
    regio: str
    ontvanger: str
    trap: str
    weggelakt: list[str]
    tot: datetime.datetime
    beeindigd_op: datetime.datetime | None


class DossierUit(Schema):
    id: str
    regio: str
    procedure: str
    toestand: str
    sinds: datetime.datetime
    partijen: dict[str, str]
    stappen: Annotated[list[dict[str, Any]], BeforeValidator(_in_utc)]
    versie: int


class Besluit(Schema):
    id: str
    regio: str
    bestuursorgaan: str
    plan: str
    verantwoording: str
    besluit: str
    datum: datetime.date
    ingangsdatum: datetime.date | None
    vervaldatum: datetime.date | None
    voorbehoud: str


class Procedure(Schema):
    id: str
    naam: str
    versie: int
    bron: str
    status: str
    partijen: list[str]
    toestanden: list[dict[str, Any]]
    stappen: list[dict[str, Any]]
    termijnen: list[dict[str, Any]]
    velden: list[dict[str, Any]]


class Beeld(Schema):
    tijdstip: datetime.datetime | None
    bekend_op: datetime.datetime | None
    eenheden: list[dict[str, Any]]
    incidenten: list[dict[str, Any]]
    aanvragen: list[dict[str, Any]]
    regels: list[dict[str, Any]]
    toezeggingen: list[dict[str, Any]]
    tegenspraken: list[dict[str, Any]]


class GebeurdIn(Incoming):
    """When a step was really taken, where that was before it is told; not in the future, nor before what it follows."""

    gebeurd_op: Moment | None = None


class IncidentIn(GebeurdIn):
    wat: Code
    x_m: Metres
    y_m: Metres
    niveau: Text = ""
    classificatie: Literal["Open", "Intern", "Vertrouwelijk", "Geheim"] = "Intern"


class NiveauIn(GebeurdIn):
    niveau: Code


class RegelIn(Incoming):
    formatie: Code
    inzetmogelijkheid: Code
    aantal: Count
    x_m: Metres
    y_m: Metres
    nodig_op: Moment
    uren: Hours


class AanvraagIn(GebeurdIn):
    incident: Code
    grond: Literal["wvr51_minister", "wvr51_5_buurregio"]
    mandaat: Code
    ondertekenaar: Code
    regels: Annotated[list[RegelIn], Field(min_length=1, max_length=50)]
    buurregio: RegionCode | None = None
    toelichting: Text = ""
    afspraak_in_crisisplan: Text = ""
    reden_van_spoed: Text = ""


class Stuk(Schema):
    id: str
    regio: str
    aanvraag: str | None
    naam: str
    soort: str
    sha256: str
    gemaakt_door: str
    gemaakt_op: datetime.datetime


class Kostenpost(Schema):
    id: str
    regio: str
    aan: str
    aanvraag: str
    soort: str
    centen: int
    dag: datetime.date
    omschrijving: str
    bewijsstuk: str
    opgevoerd_op: datetime.datetime
    teruggenomen_op: datetime.datetime | None
    reden: str | None


class Rijksbijdrage(Schema):
    id: str
    regio: str
    aan: str
    aanvraag: str
    in_aanmerking_centen: int
    gevraagd_centen: int
    stuk: str
    gevraagd_op: datetime.datetime
    beslissen_voor: datetime.datetime
    toegekend_centen: int | None
    reden: str | None
    beslist_op: datetime.datetime | None


class KostenpostIn(GebeurdIn):
    soort: Code
    centen: Annotated[int, Field(ge=1, le=10**12, strict=True)]
    dag: Day
    omschrijving: Code
    bewijsstuk: Text = ""


class TerugnemenIn(GebeurdIn):
    reden: Code


class BeslissenIn(GebeurdIn):
    centen: Annotated[int, Field(ge=0, le=10**12, strict=True)]
    reden: Code


class Kostendossier(Schema):
    regio: str
    eenheden: int
    eenheid_uren: float
    afgelopen_op: datetime.datetime | None
    per_soort_centen: dict[str, int]
    totaal_centen: int
    in_aanmerking_centen: int
    eigen_deel_centen: int
    bijdrage_centen: int
    boven_drempel: bool
    aanvragen_voor: datetime.datetime | None
    regel: str
    status_van_de_regel: str


class AflossingIn(GebeurdIn):
    tot: Moment | None = None


class AflossingAanvragenIn(GebeurdIn):
    golven: Annotated[int, Field(ge=1, le=50, strict=True)] = 1
    mandaat: Code
    ondertekenaar: Code


class Aflossing(Schema):
    id: str
    incident: str
    begint: datetime.datetime
    tot: datetime.datetime
    gemaakt_op: datetime.datetime
    gemaakt_door: str
    methode: str
    gewijzigd: int
    golven: list[dict[str, Any]]
    diensten: list[dict[str, Any]]


class Overgenomen(Schema):
    ingezet: int
    afgelost: int


class UitzettenIn(GebeurdIn):
    regios: Annotated[list[RegionCode], Field(min_length=1, max_length=26)]


class AanbodIn(GebeurdIn):
    regel: Code
    eenheden: Annotated[list[Code], Field(min_length=1, max_length=500)]
    aantal: Count
    voorwaarden: Text = ""
    bewust_onder_bodem: Text = ""


class WeigeringIn(GebeurdIn):
    regel: Code
    reden: Code
    toelichting: Text = ""


class IntrekkenIn(GebeurdIn):
    reden: Code


class StapIn(GebeurdIn):
    stap: Code
    reden: Code | None = None
    toelichting: Text = ""


class HerbezettingIn(GebeurdIn):
    stap: Literal["ordered", "arrived", "returning", "ended"]
    kazerne: Code | None = None
    regel: Code | None = None


class MeldingIn(Incoming):
    status: Literal["available", "alerted", "en_route", "on_scene", "returning", "unavailable"]
    x_m: Metres | None = None
    y_m: Metres | None = None
    gebeurd_op: Moment | None = None


class GebeurtenisIn(Incoming):
    soort: Literal["note", "decision_recorded", "command_handed_over", "function_handed_over", "correction"]
    inhoud: dict[str, Any]
    gebeurd_op: Moment | None = None


class ToestemmingIn(Incoming):
    ontvanger: RegionCode
    trap: Literal["beschikbaarheid", "plaats", "volledig"]
    tot: Moment
    weglakken: tuple[Literal["bezetting", "kazerne"], ...] = ()


class DossierIn(Incoming):
    procedure: Code
    partijen: dict[str, RegionCode] = Field(default_factory=dict)


class DossierStapIn(Incoming):
    stap: Code
    antwoorden: dict[str, str | int | FiniteFloat | bool] = Field(default_factory=dict)


class BesluitIn(Incoming):
    bestuursorgaan: Code
    plan: Code
    verantwoording: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    besluit: Literal["vastgesteld", "vastgesteld met voorbehoud", "afgewezen", "aangehouden"]
    datum: Day
    ingangsdatum: Day | None = None
    vervaldatum: Day | None = None
    voorbehoud: Text = ""


class SleutelIn(Incoming):
    naam: Code
    tot: Moment


class SleutelGemaakt(Schema):
    id: str
    sleutel: str


class Sleutel(Schema):
    id: str
    regio: str
    naam: str
    gemaakt_op: datetime.datetime
    tot: datetime.datetime
