"""Procedures: a file that cannot be executed is refused, a step is open to whom the file says, terms pass in time."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.procedures import (
    Dossier,
    Field,
    Needs,
    Procedure,
    Role,
    Span,
    State,
    Step,
    StepRefusedError,
    Term,
    Who,
    available_steps,
    compare_texts,
    compute_deadlines,
    compute_end,
    compute_holidays,
    compute_versions,
    draw_procedure,
    find_faults,
    find_field,
    is_working_day,
    pass_terms,
    publish,
    start,
    take_step,
)
from slagkracht.procedures.dossier import check_answer
from slagkracht.sources.procedure_files import NATIONAL, read_procedures
from slagkracht.sources.refusal import RefusalError

CET = datetime.timezone(datetime.timedelta(hours=1))
MONDAY = datetime.datetime(2026, 3, 2, 9, 30, tzinfo=CET)
PROCEDURES, ROLES = read_procedures()
REGIONS = [f"VR{n:02d}" for n in range(1, 26)]


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


# ── terms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("holiday", "name"),
    [
        ("2026-04-03", "Goede Vrijdag"),
        ("2026-04-06", "tweede paasdag"),
        ("2026-05-14", "Hemelvaartsdag"),
        ("2026-05-25", "tweede pinksterdag"),
        ("2025-04-21", "tweede paasdag"),
        ("2025-04-26", "Koningsdag"),
        ("2026-04-27", "Koningsdag"),
        ("2013-04-30", "Koninginnedag"),
        ("2038-04-26", "tweede paasdag"),
    ],
)
def test_holidays(holiday: str, name: str) -> None:
    assert compute_holidays(day(holiday).year)[day(holiday)] == name


@pytest.mark.parametrize(
    ("amount", "unit", "last_day"),
    [
        (1, "kalenderdagen", "2026-03-03"),
        (5, "kalenderdagen", "2026-03-09"),  # Saturday 7 March becomes Monday
        (5, "werkdagen", "2026-03-09"),
        (24, "werkdagen", "2026-04-07"),  # over Good Friday and Easter Monday
        (12, "weken", "2026-05-26"),  # Whit Monday becomes Tuesday
        (1, "maanden", "2026-04-02"),
        (12, "maanden", "2027-03-02"),
        (4, "jaren", "2030-03-04"),  # a Saturday
    ],
)
def test_a_term_runs_to_the_end_of_its_last_day(amount: int, unit: str, last_day: str) -> None:
    midnight = datetime.datetime.combine(day(last_day) + datetime.timedelta(days=1), datetime.time(), CET)
    assert compute_end(MONDAY, amount, unit) == midnight


def test_hours_pass_whatever_the_clock_does_and_months_end_with_the_month() -> None:
    assert compute_end(MONDAY, 36, "uren") == MONDAY + datetime.timedelta(hours=36)
    for night in ("2027-03-28", "2027-10-31"):  # one hour of the Dutch clock is skipped, one comes twice
        start_at = datetime.datetime.fromisoformat(f"{night}T01:30").replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
        end = compute_end(start_at, 2, "uren")
        assert end.timestamp() - start_at.timestamp() == 7200, night
        assert end.tzinfo == start_at.tzinfo
    january = datetime.datetime(2028, 1, 31, 12, tzinfo=CET)
    assert compute_end(january, 1, "maanden").date() == day("2028-03-01")
    with pytest.raises(ValueError, match="onbekende tijdseenheid"):
        compute_end(MONDAY, 1, "eeuwen")


@given(
    st.datetimes(datetime.datetime(2015, 1, 1), datetime.datetime(2040, 1, 1)),
    st.integers(1, 60),
    st.sampled_from(["kalenderdagen", "werkdagen", "weken", "maanden"]),
)
def test_a_term_never_ends_on_a_holiday_and_never_shrinks(at: datetime.datetime, amount: int, unit: str) -> None:
    start_at = at.replace(tzinfo=CET)
    end = compute_end(start_at, amount, unit)
    assert is_working_day(end.date() - datetime.timedelta(days=1))
    assert start_at < end <= compute_end(start_at, amount + 1, unit)


# ── refused at load ───────────────────────────────────────────────────────────────────────────────────────────────────

SMALL = Procedure(
    code="klein",
    dutch="Klein",
    version=1,
    source="voorbeeld",
    status="vastgesteld",
    begin="open",
    parties=("aanvrager",),
    states=(State("open", "open", False), State("dicht", "dicht", True)),
    steps=(
        Step("sluiten", "Sluiten", ("open",), "dicht", ("baas",), "aanvrager", "regel 1", ("reden",), (), None, ()),
    ),
    terms=(Term("lang", "te lang", "open", Span(2, "weken"), "sluiten", "regel 2", "te verifiëren"),),
)
BAAS = [Role("baas", "de baas", False), Role("koningin", "de koningin", True)]


def with_step(**changes: object) -> Procedure:
    return dataclasses.replace(SMALL, steps=(dataclasses.replace(SMALL.steps[0], **changes),))  # type: ignore[arg-type]


def with_term(**changes: object) -> Procedure:
    return dataclasses.replace(SMALL, terms=(dataclasses.replace(SMALL.terms[0], **changes),))  # type: ignore[arg-type]


def with_field(**changes: object) -> Procedure:
    return dataclasses.replace(SMALL, fields=(dataclasses.replace(Field("reden", "Reden"), **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("procedure", "words"),
    [
        (dataclasses.replace(SMALL, begin="nergens"), "de begintoestand 'nergens' bestaat niet"),
        (dataclasses.replace(SMALL, status="misschien"), "status 'misschien'"),
        (with_step(to=""), "toestand 'open' kan niet verlaten worden"),
        (with_step(to="weg"), "toestand 'weg' bestaat niet"),
        (with_step(roles=("koning",)), "rol 'koning' bestaat niet"),
        (dataclasses.replace(with_step(roles=()), terms=()), "niemand mag deze stap zetten"),
        (with_step(party="buur"), "partij 'buur' doet niet mee"),
        (with_step(from_states=("open", "dicht")), "'dicht' is een eindtoestand"),
        (with_step(wait=Span(2, "maanden")), "mag pas na termijn 'lang' en kan dus nooit gezet worden"),
        (with_step(wait=Span(0, "weken")), "moet meer dan nul zijn"),
        (with_step(needs=(Needs("dromen", 1, None),)), "wacht op stap 'dromen', die niet bestaat"),
        (with_step(needs=(Needs("sluiten", 1, ("kleur", ("rood",))),)), "let op 'kleur'"),
        (with_step(needs=(Needs("sluiten", 1, ("reden", ())),)), "noem de antwoorden op 'reden'"),
        (with_step(when=("kleur", ("rood",))), "let op 'kleur', waar geen enkele stap om vraagt"),
        (with_step(again=True), "opnieuw zetten hoort bij een stap van elke regio"),
        (with_field(kind="getal"), "soort 'getal'"),
        (with_field(kind="keuze"), "keuzes horen bij de soort 'keuze'"),
        (with_field(name="kleur"), "geen enkele stap vraagt ernaar"),
        (with_field(public=True), "is openbaar, maar geen enkele toestand"),
        (
            dataclasses.replace(
                with_step(when=("reden", ("rood",))), fields=(Field("reden", "Reden", "keuze", ("geel", "blauw")),)
            ),
            "'rood' is geen keuze van veld 'reden'",
        ),
        (dataclasses.replace(SMALL, fields=(Field("reden", "Reden"),) * 2), "veld 'reden' staat er 2 keer"),
        (with_term(span=Span(2, "eeuwen")), "eenheid 'eeuwen'"),
        (with_term(state="dicht"), "loopt in eindtoestand"),
        (with_term(then="dromen"), "stap 'dromen' bestaat niet"),
        (with_term(status="zeker"), "status 'zeker'"),
        (
            dataclasses.replace(SMALL, states=(*SMALL.states, State("eiland", "eiland", True))),
            "toestand 'eiland' kan niet bereikt worden",
        ),
        (dataclasses.replace(SMALL, steps=SMALL.steps * 2), "stap 'sluiten' staat er 2 keer"),
        (
            dataclasses.replace(
                SMALL,
                steps=(*SMALL.steps, dataclasses.replace(SMALL.steps[0], code="verlopen")),
                terms=(*SMALL.terms, Term("ook", "ook", "open", Span(2, "weken"), "verlopen", "x", "vastgesteld")),
            ),
            "spreken elkaar tegen",
        ),
        (
            dataclasses.replace(
                SMALL,
                steps=(*SMALL.steps, dataclasses.replace(SMALL.steps[0], code="verlopen")),
                terms=(
                    *SMALL.terms,
                    Term("ook", "x", "open", Span(14, "kalenderdagen"), "verlopen", "x", "vastgesteld"),
                ),
            ),
            "spreken elkaar tegen",
        ),
        (dataclasses.replace(SMALL, code="klein/groot"), "'klein/groot': een code bestaat uit"),
        (with_step(needs=(Needs("sluiten", 1, None),)), "wacht op wat er niet aan vooraf kan gaan"),
        (with_step(needs=(Needs("sluiten", 0, None),)), "noem 1 of meer"),
        (with_term(span=Span(2_000, "jaren")), "langer dan honderd jaar"),
        (with_step(roles=("koningin",)), "handelt voor geen enkele regio"),
        (
            dataclasses.replace(
                with_step(when=("reden", ("geel",))), fields=(Field("reden", "Reden", "keuze", ("geel", "blauw")),)
            ),
            "toestand 'open' kan bij reden 'blauw' niet verlaten worden",
        ),
        (
            dataclasses.replace(
                SMALL,
                steps=(
                    *SMALL.steps,
                    dataclasses.replace(SMALL.steps[0], code="peilen", to="", party="elk"),
                    dataclasses.replace(SMALL.steps[0], code="tellen", needs=(Needs("peilen", 26, None),)),
                ),
            ),
            "wacht op 26 regio's, en er zijn er 25",
        ),
        (
            dataclasses.replace(
                SMALL,
                states=(*SMALL.states, State("wacht", "wacht", False)),
                steps=(
                    *SMALL.steps,
                    Step("opschuiven", "Opschuiven", ("open", "wacht"), "wacht", (), "", "x", (), (), None, ()),
                ),
                terms=(Term("even", "x", "open", Span(1, "uren"), "opschuiven", "x", "vastgesteld"),),
            ),
            "toestand 'wacht' kan niet verlaten worden",
        ),
        (
            dataclasses.replace(
                SMALL,
                states=(*SMALL.states, State("wacht", "wacht", False)),
                steps=(
                    dataclasses.replace(SMALL.steps[0], from_states=("open", "wacht")),
                    Step("heen", "Heen", ("open",), "wacht", (), "", "x", (), (), None, ()),
                    Step("terug", "Terug", ("wacht",), "open", (), "", "x", (), (), None, ()),
                ),
                terms=(
                    Term("een", "x", "open", Span(1, "uren"), "heen", "x", "vastgesteld"),
                    Term("twee", "x", "wacht", Span(1, "uren"), "terug", "x", "vastgesteld"),
                ),
            ),
            "termijnen voeren er vanzelf naar terug",
        ),
    ],
)
def test_a_procedure_that_cannot_be_executed_says_why(procedure: Procedure, words: str) -> None:
    assert find_faults(SMALL, BAAS) == []
    assert words in "\n".join(find_faults(procedure, BAAS))


def test_a_circle_without_an_end_is_found() -> None:
    step = SMALL.steps[0]
    circle = dataclasses.replace(
        SMALL,
        states=(State("a", "a", False), State("b", "b", False), State("c", "c", True)),
        begin="a",
        terms=(),
        steps=(
            dataclasses.replace(step, code="heen", from_states=("a",), to="b"),
            dataclasses.replace(step, code="terug", from_states=("b",), to="a"),
        ),
    )
    assert "vanuit toestand 'a' is geen einde te bereiken" in find_faults(circle, BAAS)


def test_a_folder_is_refused_with_all_that_is_wrong_in_it(tmp_path: Path) -> None:
    (tmp_path / "roles.toml").write_text((NATIONAL / "roles.toml").read_text())
    text = (NATIONAL / "les.toml").read_text()
    (tmp_path / "les.toml").write_text(text.replace('"rcdv"', '"raad"').replace('to = "aangetoond"', 'to = "nergens"'))
    (tmp_path / "pilot.toml").write_text("version = ")
    (tmp_path / "advies.toml").write_text(text.replace('code = "les"', 'code = 7\nkleur = "rood"', 1))
    with pytest.raises(RefusalError) as refusal:
        read_procedures(tmp_path)
    said = str(refusal.value)
    for words in ("rol 'raad' bestaat niet", "toestand 'nergens'", "leesbaar TOML", "een tekst", "'kleur'"):
        assert words in said


# ── executing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def who(region: str, *roles: str) -> Who:
    return Who(f"Demo {'/'.join(roles)} {region}".strip(), region, frozenset(roles))


def asking(at: datetime.datetime = MONDAY) -> Dossier:
    return start(PROCEDURES["bijstandsaanvraag"], "b-1", {"aanvrager": "VR06"}, at)


def test_assistance_through_the_minister() -> None:
    procedure, dossier = PROCEDURES["bijstandsaanvraag"], asking()
    chair, minister = who("VR06", "voorzitter"), who("", "minister")
    assert [s.code for s in available_steps(procedure, dossier, chair, MONDAY)] == [
        "ondertekenen",
        "rechtstreeks",
        "intrekken",
    ]
    assert available_steps(procedure, dossier, who("VR07", "voorzitter"), MONDAY) == ()
    dossier = take_step(procedure, dossier, "ondertekenen", chair, MONDAY, {"mandaat": "voorzitter"})
    dossier = take_step(procedure, dossier, "inwilligen", minister, MONDAY, {})
    dossier = take_step(procedure, dossier, "toezeggen", who("", "actiecentrum"), MONDAY, {"toezeggingen": "6"})
    assert dossier.state == "verleend"
    assert [t.role for t in dossier.taken] == ["voorzitter", "minister", "actiecentrum"]


def test_nobody_rewrites_in_passing_what_another_step_asked() -> None:
    """What lies before the boards, the text in consultation and who takes part stay as they were laid down."""
    dossier = consulted("ja")
    reader = who("VR06", "beleid")
    for strange in ({"inhoud": "heel iets anders"}, {"ijkfunctie": "nee"}, {"versie": "9"}):
        with pytest.raises(StepRefusedError, match=f"vraagt niet naar {next(iter(strange))}"):
            take_step(
                PROCEDURES["kwalificatiedossier"], dossier, "reageren", reader, MONDAY, {"reactie": "x", **strange}
            )
    procedure, laid = PROCEDURES["landelijk_plan"], at_councils()
    with pytest.raises(StepRefusedError, match="vraagt niet naar verantwoording"):
        take_step(procedure, laid, "zienswijze", reader, MONDAY, {"samenvatting": "x", "verantwoording": "0" * 64})
    signed = {"mandaat": "x", "aanvrager": "VR07"}
    with pytest.raises(StepRefusedError, match="vraagt niet naar aanvrager"):
        take_step(PROCEDURES["bijstandsaanvraag"], asking(), "ondertekenen", who("VR06", "voorzitter"), MONDAY, signed)


def at_councils() -> Dossier:
    procedure = PROCEDURES["landelijk_plan"]
    council, board = who("", "rcdv"), who("", "veiligheidsberaad")
    plan = {"plan": "plan", "verantwoording": "a" * 64}
    dossier = start(procedure, "p-1", {}, MONDAY)
    for step, by, answers in (("voorleggen", council, plan), ("positief_advies", council, {"advies": "goed"}),
                              ("beraad_stemt_in", board, {"versie": "1"})):  # fmt: skip
        dossier = take_step(procedure, dossier, step, by, MONDAY, answers)
    return dossier


def test_assistance_from_a_neighbour() -> None:
    procedure, dossier = PROCEDURES["bijstandsaanvraag"], asking()
    answers = {"buurregio": "VR07", "afspraak_in_crisisplan": "par. 4", "reden_van_spoed": "overslag"}
    dossier = take_step(procedure, dossier, "rechtstreeks", who("VR06", "officier"), MONDAY, answers)
    with pytest.raises(StepRefusedError, match="is aan VR07, niet aan VR06"):
        take_step(procedure, dossier, "buur_zegt_toe", who("VR06", "officier"), MONDAY, {"toezeggingen": "2"})
    dossier = take_step(procedure, dossier, "buur_zegt_toe", who("VR07", "officier"), MONDAY, {"toezeggingen": "2"})
    assert dossier.state == "verleend"


@pytest.mark.parametrize(
    ("step", "by", "answers", "words"),
    [
        ("ondertekenen", who("VR07", "voorzitter"), {"mandaat": "x"}, "is aan VR06, niet aan VR07"),
        ("ondertekenen", who("VR06", "beleid"), {"mandaat": "x"}, "is aan voorzitter"),
        ("ondertekenen", who("VR06", "voorzitter"), {}, "vul in mandaat"),
        ("inwilligen", who("", "minister"), {}, "zolang het dossier 'opgesteld' is"),
        ("vliegen", who("", "minister"), {}, "kent geen stap 'vliegen'"),
    ],
)
def test_a_refused_step_says_why(step: str, by: Who, answers: dict[str, str], words: str) -> None:
    with pytest.raises(StepRefusedError, match=words):
        take_step(PROCEDURES["bijstandsaanvraag"], asking(), step, by, MONDAY, answers)


def test_a_dossier_needs_its_parties() -> None:
    with pytest.raises(StepRefusedError, match="als partijen nodig: aanvrager"):
        start(PROCEDURES["bijstandsaanvraag"], "b-1", {"buur": "VR07"}, MONDAY)
    for second, words in (("VR26", "niet tweede VR26"), ("LAC", "niet tweede LAC"), ("VR06", "niet dezelfde regio")):
        with pytest.raises(StepRefusedError, match=words):
            start(PROCEDURES["overeenkomst"], "o-1", {"eerste": "VR06", "tweede": second}, MONDAY)
    agreed = start(PROCEDURES["overeenkomst"], "o-1", {"eerste": "VR06", "tweede": "VR07"}, MONDAY)
    with pytest.raises(StepRefusedError, match="vul in inhoud"):
        take_step(
            PROCEDURES["overeenkomst"], agreed, "eerste_tekent", who("VR06", "voorzitter"), MONDAY, {"inhoud": " "}
        )


def test_a_passed_term_does_what_the_procedure_says() -> None:
    procedure = PROCEDURES["bijstandsaanvraag"]
    dossier = dataclasses.replace(asking(), state="verleend", since=MONDAY)
    (deadline,) = compute_deadlines(procedure, dossier)
    assert deadline.ends_at.date() == day("2027-03-03")
    assert deadline.term.status == "te verifiëren"
    just_before = deadline.ends_at - datetime.timedelta(seconds=1)
    assert pass_terms(procedure, dossier, just_before) == dossier
    after = pass_terms(procedure, dossier, deadline.ends_at)
    assert after.state == "afgerekend"
    assert after.taken[-1].role == "van rechtswege"
    assert after.since == deadline.ends_at


def test_the_national_plan_goes_past_25_boards() -> None:
    procedure = PROCEDURES["landelijk_plan"]
    dossier = start(procedure, "plan-2027", {}, MONDAY)
    rcdv, beraad = who("", "rcdv"), who("", "veiligheidsberaad")
    dossier = take_step(procedure, dossier, "voorleggen", rcdv, MONDAY, {"plan": "2027", "verantwoording": "ab" * 32})
    dossier = take_step(procedure, dossier, "positief_advies", rcdv, MONDAY, {"advies": "doen"})
    dossier = take_step(procedure, dossier, "beraad_stemt_in", beraad, MONDAY, {"versie": "1"})
    with pytest.raises(StepRefusedError, match="kan pas vanaf 27-05-2026"):
        take_step(procedure, dossier, "naar_besturen", beraad, MONDAY, {})
    later = MONDAY + datetime.timedelta(weeks=13)
    dossier = take_step(procedure, dossier, "naar_besturen", beraad, later, {})
    for n, region in enumerate(REGIONS):
        with pytest.raises(StepRefusedError, match=f"vraagt 25 keer 'Bestuur besluit'; het staat op {n}"):
            take_step(procedure, dossier, "vaststellen", beraad, later, {})
        answers = {"besluit": "vastgesteld", "datum": "2026-07-01"}
        dossier = take_step(procedure, dossier, "bestuur_besluit", who(region, "bestuur"), later, answers)
        dossier = take_step(procedure, dossier, "bestuur_besluit", who(region, "bestuur"), later, answers)
    assert take_step(procedure, dossier, "vaststellen", beraad, later, {}).state == "vastgesteld"


def test_a_board_that_refuses_does_not_count() -> None:
    procedure = PROCEDURES["landelijk_plan"]
    dossier = dataclasses.replace(start(procedure, "p", {}, MONDAY), state="bij_besturen")
    for region in REGIONS:
        answers = {"besluit": "afgewezen" if region == "VR13" else "vastgesteld", "datum": "2026-07-01"}
        dossier = take_step(procedure, dossier, "bestuur_besluit", who(region, "bestuur"), MONDAY, answers)
    beraad = who("", "veiligheidsberaad")
    with pytest.raises(StepRefusedError, match="staat op 24"):
        take_step(procedure, dossier, "vaststellen", beraad, MONDAY, {})
    answers = {"besluit": "vastgesteld", "datum": "2026-09-01"}
    turned = take_step(procedure, dossier, "bestuur_besluit", who("VR13", "bestuur"), MONDAY, answers)
    assert take_step(procedure, turned, "vaststellen", beraad, MONDAY, {}).state == "vastgesteld"
    answers = {**answers, "besluit": "aangehouden"}
    back = take_step(procedure, turned, "bestuur_besluit", who("VR01", "bestuur"), MONDAY, answers)
    with pytest.raises(StepRefusedError, match="staat op 24"):
        take_step(procedure, back, "vaststellen", beraad, MONDAY, {})


def test_a_region_says_once_what_it_may_say_once() -> None:
    procedure, answers = PROCEDURES["kwalificatiedossier"], {"reactie": "akkoord"}
    dossier = dataclasses.replace(start(procedure, "k", {}, MONDAY), state="consultatie")
    dossier = take_step(procedure, dossier, "reageren", who("VR07", "beleid"), MONDAY, answers)
    with pytest.raises(StepRefusedError, match="VR07 heeft 'Reactie van de regio' al gezet"):
        take_step(procedure, dossier, "reageren", who("VR07", "beleid"), MONDAY, answers)
    take_step(procedure, dossier, "reageren", who("VR08", "beleid"), MONDAY, answers)


NIPV = who("", "nipv")
FIRST = "1. Leidt een ploeg.\n2. Verkent.\n3. Meldt."
SECOND = "1. Leidt een ploeg.\n2. Verkent ook natuurbrand.\n3. Meldt.\n4. Evalueert."


def consulted(ijkfunctie: str, at: datetime.datetime = MONDAY) -> Dossier:
    """A qualification dossier whose first text was sent back and whose second is in consultation."""
    procedure = PROCEDURES["kwalificatiedossier"]
    dossier = start(procedure, "k-1", {}, at)
    for text in (FIRST, SECOND):
        if dossier.taken:
            dossier = take_step(procedure, dossier, "terug", NIPV, at, {"reden": "na de reacties"})
        filled = {"functie": "bevelvoerder", "ijkfunctie": ijkfunctie, "versie": "1", "inhoud": text}
        dossier = take_step(procedure, dossier, "consulteren", NIPV, at, filled)
    return dossier


@pytest.mark.parametrize(
    ("ijkfunctie", "route", "other"), [("ja", "minister", "beraad"), ("nee", "beraad", "minister")]
)
def test_a_qualification_dossier_takes_the_route_of_its_function(ijkfunctie: str, route: str, other: str) -> None:
    procedure, dossier, later = (
        PROCEDURES["kwalificatiedossier"],
        consulted(ijkfunctie),
        MONDAY + datetime.timedelta(weeks=7),
    )
    with pytest.raises(StepRefusedError, match="kan pas vanaf 14-04-2026"):
        take_step(procedure, dossier, f"naar_{route}", NIPV, MONDAY, {})
    with pytest.raises(StepRefusedError, match=f"niet bij {ijkfunctie}"):
        take_step(procedure, dossier, f"naar_{other}", NIPV, later, {})
    dossier = take_step(procedure, dossier, f"naar_{route}", NIPV, later, {})
    by = who("", "minister" if route == "minister" else "veiligheidsberaad")
    another = who("", "veiligheidsberaad" if route == "minister" else "minister")
    for refusal in (f"{route}_wijst_af", f"{route}_vraagt_nieuw"):
        with pytest.raises(StepRefusedError, match="is aan"):
            take_step(procedure, dossier, refusal, another, later, {"reden": "niet zijn besluit"})
        assert take_step(procedure, dossier, refusal, by, later, {"reden": "nee"}).state in ("afgewezen", "voorstel")
    done = {"ingangsdatum": "2026-07-01"} | ({"vindplaats": "Stcrt."} if route == "minister" else {})
    after = take_step(procedure, dossier, f"{route}_stelt_vast", by, later, done)
    assert after.state == "register"
    told = publish(procedure, after)
    assert told is not None
    assert told["fields"]["functie"] == "bevelvoerder"
    assert told["fields"]["inhoud"] == SECOND
    assert [len(version["lines"]) for version in told["versions"]["inhoud"]] == [3, 5]
    assert "Demo" not in str(told), "nobody's name"
    assert "na de reacties" not in str(told)
    assert publish(procedure, dossier) is None, "not before it is in the register"


def test_versions_are_laid_beside_each_other() -> None:
    first, second = compute_versions(consulted("ja"), "inhoud")
    assert (first.number, first.text, {kind for kind, _ in first.lines}) == (1, FIRST, {"nieuw"})
    assert second.lines == (
        ("gelijk", "1. Leidt een ploeg."),
        ("vervallen", "2. Verkent."),
        ("nieuw", "2. Verkent ook natuurbrand."),
        ("gelijk", "3. Meldt."),
        ("nieuw", "4. Evalueert."),
    )
    assert second.changed == 3
    assert compute_versions(consulted("ja"), "inhoud", earlier=FIRST)[0].changed == 0


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_from_the_differences_both_texts_can_be_read_back(before: list[str], after: list[str]) -> None:
    lines = compare_texts("\n".join(before), "\n".join(after))
    assert [line for kind, line in lines if kind != "nieuw"] == before
    assert [line for kind, line in lines if kind != "vervallen"] == after


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (Field("x", "X"), "", "mag niet leeg zijn"),
        (Field("x", "X", optional=True), "", ""),
        (Field("x", "X", "keuze", ("ja", "nee")), "misschien", "kies uit ja, nee"),
        (Field("x", "X", "keuze", ("ja", "nee")), "ja", ""),
        (Field("x", "X", "datum"), "1 juli", "schrijf een dag"),
        (Field("x", "X", "datum"), "2026-02-30", "schrijf een dag"),
        (Field("x", "X", "datum"), "2026-02-28", ""),
        (Field("x", "X", "regio"), "VR26", "noem een regio"),
        (Field("x", "X", "regio"), "VR25", ""),
        (Field("x", "X", "plan"), "ab12", "een vingerafdruk"),
        (Field("x", "X", "plan"), "0f" * 32, ""),
    ],
)
def test_what_is_filled_in_is_checked(field: Field, value: str, words: str) -> None:
    found = check_answer(field, value)
    assert (words in found) if words else found == ""


EXAMPLES = {"tekst": "x", "stuk": "x", "datum": "2026-07-01", "regio": "VR02", "plan": "ab" * 32}


@given(st.data())
def test_whatever_is_taken_the_dossier_stays_in_its_procedure(data: st.DataObject) -> None:
    procedure = PROCEDURES[data.draw(st.sampled_from(sorted(PROCEDURES)))]
    parties = {name: REGIONS[i] for i, name in enumerate(procedure.parties)}
    dossier, at = start(procedure, "d", parties, MONDAY), MONDAY
    known = {state.code for state in procedure.states}
    for _ in range(8):
        at += datetime.timedelta(days=data.draw(st.integers(0, 200)))
        dossier = pass_terms(procedure, dossier, at)
        actor = who(data.draw(st.sampled_from(["", *REGIONS[:2]])), *ROLES)
        steps = available_steps(procedure, dossier, actor, at)
        if not steps:
            continue
        step = data.draw(st.sampled_from(steps))
        fields = [find_field(procedure, name) for name in step.asks]
        answers = {f.name: data.draw(st.sampled_from(f.choices)) if f.choices else EXAMPLES[f.kind] for f in fields}
        after = take_step(procedure, dossier, step.code, actor, at, answers)
        assert after.state in known
        assert after.taken[: len(dossier.taken)] == dossier.taken
        dossier = after


# ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", sorted(PROCEDURES))
def test_the_drawings_in_the_docs_are_those_of_the_files(code: str) -> None:
    drawn = draw_procedure(PROCEDURES[code], ROLES)
    stored = Path(__file__).parent.parent / "docs" / "procedures" / f"{code}.svg"
    assert stored.read_text(encoding="utf-8") == drawn + "\n", "draw again: see docs/procedures/README.md"


def test_a_drawing_holds_every_state_and_step_and_marks_where_the_dossier_is() -> None:
    procedure = PROCEDURES["bijstandsaanvraag"]
    drawn = draw_procedure(procedure, ROLES, current="bij_minister")
    roles = [ROLES[code].dutch for step in procedure.steps for code in step.roles]
    for name in [*(s.dutch for s in procedure.steps), *(s.dutch for s in procedure.states), *roles]:
        assert name.replace("'", "&#x27;") in drawn
    assert drawn.count("#ffe9b8") == 1
    assert "#ffe9b8" not in draw_procedure(procedure, ROLES)
