"""The chapters Tekort, Risico, Slagkracht and Uithoudingsvermogen: what is short, how soon it stands, how long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import compute_percentiles
from slagkracht.plan import compute_hash
from slagkracht.regions import Regions
from slagkracht.relief import Endurance
from slagkracht.reports.asked_figures import compute_asked_figures, describe_asked, draw_asked
from slagkracht.reports.dutch import write_count, write_often, write_range, write_share
from slagkracht.reports.figures import Figures
from slagkracht.reports.strength_drawings import compute_ranked, draw_curve, draw_endurance, draw_risk_diagram
from slagkracht.risks import (
    METHODS,
    Calendar,
    Profile,
    compute_rank_range,
    compute_rank_stability,
    compute_ranking,
)
from slagkracht.strength import Asked, Gap, StrengthMap

Floats = npt.NDArray[np.float64]

SHOWN_LEVELS = 4
PRINTED_RANKS = (1, 4)
WEIGHT_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Readiness:
    """What a plan can bring against what may happen, in one time window.

    ``at_once`` float64 [K+1] chance per year of at least k large events at one moment · ``together`` int32 [F] what
    fails when all that is needed once in ten years is asked at once · ``hours`` [H] and ``curve`` float64 [2, H]
    platoons that stand within them, every floor held and without floors · ``endurance`` of platoons, each region at
    home · ``asked`` when formations are asked for, by season and by time window · ``capabilities`` how many of each
    capability · ``unknown`` formations that are asked and doctrine lacks · ``floors`` where the floors come from ·
    ``years``, ``seed`` of the simulation.
    """

    window: str
    profile: Profile
    at_once: Floats
    gap: Gap
    together: npt.NDArray[np.int32]
    strength: StrengthMap
    hours: tuple[float, ...]
    curve: Floats
    endurance: Endurance
    asked: tuple[Calendar, Calendar]
    capabilities: Asked
    unknown: tuple[str, ...]
    floors: str
    years: int
    seed: int


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawing with the words for who cannot see it, and what is written beneath it."""

    svg: str
    alt: str
    caption: str


@dataclass(frozen=True, eq=False)
class TimeMap:
    """A map to draw: float64 [A] seconds (nan = never) on PLATOON_TIME."""

    title: str
    values: Floats


@dataclass(frozen=True, eq=False)
class Chapter:
    """``title``, ``sentence``, then ``parts`` as (heading, sentence, what is shown), then what is not yet verified."""

    title: str
    sentence: str
    parts: tuple[tuple[str, str, Figures | Picture | TimeMap], ...]
    unverified: tuple[str, ...]


def compute_readiness_number(found: Readiness, number: str) -> str:
    """SHA-256 of everything that the chapters come from: the receipt ``number`` of the result, profile, years, seed."""
    return compute_hash([number, found.profile, found.window, found.years, found.seed, found.floors])


def compute_chapters(found: Readiness, regions: Regions, people: Floats) -> list[Chapter]:
    """Tekort, Risico, Slagkracht and Uithoudingsvermogen, in that order; ``people`` float64 [A] live in each area."""
    return [_shortfall(found), _risks(found), _strength(found, people), _endurance(found, regions)]


def compute_platoon_s(found: Readiness, rank: int, *, floors: bool) -> Floats:
    """Seconds until the ``rank``-th platoon stands in every area, nan where it never does: float64 [A]."""
    table = found.strength.complete_s if floors else found.strength.free_s
    values = table[:, found.strength.rank.index(rank)].astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def compute_gap_figures(found: Readiness) -> Figures:
    """Needed, available and short, each with its interval: a row per formation, the shortest of all first."""
    gap = found.gap
    levels = [level.removeprefix("eens per ") for level in gap.levels[:SHOWN_LEVELS]]
    rows = []
    for f in _order(gap):
        needed, short = (
            [write_range(*(values[f, level] for values in figure)) for level in range(SHOWN_LEVELS)]
            for figure in (
                (gap.needed, gap.needed_low, gap.needed_high),
                (gap.shortfall, gap.shortfall_low, gap.shortfall_high),
            )
        )
        have = write_range(gap.available[f], gap.available_low[f], gap.available_high[f])
        rows.append((gap.formations[f].dutch, *needed, have, *short))
    columns = [
        ("Formatie", "text"),
        *((f"Nodig, 1× per {level}", "count") for level in levels),
        ("Beschikbaar", "count"),
    ]
    columns += [(f"Tekort, 1× per {level}", "count") for level in levels]
    return Figures("Nodig, beschikbaar en tekort op één moment, eens in zoveel tijd", tuple(columns), tuple(rows))


def compute_lost_figures(found: Readiness) -> Figures:
    """Where formations are lost between all that can be formed and what can stand there."""
    gap = found.gap
    rows = []
    for f in _order(gap):
        lost = (gap.whole[f] - gap.in_time[f], gap.in_time[f] - gap.ready[f], gap.ready[f] - gap.available[f])
        counts = (float(gap.whole[f]), *(max(float(v), 0.0) for v in lost), float(gap.available[f]))
        rows.append((gap.formations[f].dutch, *counts, float(gap.chance_per_year[f]), float(found.together[f])))
    headings = ("Te vormen", "Te ver", "Niet paraat", "Niet te missen", "Beschikbaar")
    columns = [("Formatie", "text"), *((heading, "count") for heading in headings)]
    columns += [("Tekort, kans per jaar", "share"), ("Ontbreekt, alles tegelijk", "count")]
    return Figures("Waar het blijft", tuple(columns), tuple(rows))


def compute_cause_figures(found: Readiness) -> Figures:
    """Which two scenarios ask most of a formation in the years that fall short (in all years where none does)."""
    cause = found.gap.cause
    rows = []
    for f in _order(found.gap):
        most = np.argsort(-cause[f], kind="stable")[:2].tolist()
        named = [
            f"{found.profile.risks[k].label} ({write_share(cause[f, k])})" if cause[f, k] > 0 else "–" for k in most
        ]
        rows.append((found.gap.formations[f].dutch, *named, *["–"] * (2 - len(named))))
    columns = (("Formatie", "text"), ("Vraagt het meest", "text"), ("Daarna", "text"))
    return Figures("Waardoor: aandeel in wat gevraagd wordt in de jaren met een tekort", columns, tuple(rows))


def compute_risk_figures(found: Readiness) -> Figures:
    """The scenarios by their number in the diagram: how often, how bad, and how sure that is."""
    rows = tuple(
        (
            f"{number}  {risk.label}",
            write_often(100 * risk.rate_per_year),
            f"{write_often(100 * risk.rate_low)}–{write_often(100 * risk.rate_high)}",
            "ABCDE"[round(score)] if np.isfinite(score) else "–",
            risk.status,
        )
        for number, (risk, score) in enumerate(compute_ranked(found.profile), start=1)
    )
    columns = (("Scenario", "text"), ("Keer per 100 jaar", "count"), ("Tussen", "count"), ("Effect (A–E)", "count"),
               ("Status", "text"))  # fmt: skip
    return Figures("De scenario’s, genummerd naar waarschijnlijkheid maal effect", columns, rows)


def compute_rank_figures(found: Readiness) -> Figures:
    """The rank of each scenario by every way of joining the criteria, with where it lies under other weights."""
    columns = []
    for method in METHODS:
        rank = np.argsort(compute_ranking(found.profile, method=method)) + 1
        stability = compute_rank_stability(found.profile, draws=WEIGHT_DRAWS, seed=found.seed, method=method)
        first, last = compute_rank_range(stability)
        columns.append([f"{r} ({a}–{b})" for r, a, b in zip(rank.tolist(), first.tolist(), last.tolist(), strict=True)])
    rows = tuple(
        (f"{number}  {found.profile.risks[k].label}", *(column[k] for column in columns))
        for number, k in enumerate(compute_ranking(found.profile).tolist(), start=1)
    )
    return Figures(
        "Rang per samenvoeging, en tussen haakjes waar zij bij negen van de tien gewichten ligt",
        (("Scenario", "text"), *((method.capitalize(), "count") for method in METHODS)),
        rows,
    )


def compute_season_figures(found: Readiness) -> Figures:
    """Formation-hours asked per year, by season and by time window, in the order of the shortfall."""
    season, window = found.asked
    rows = tuple(
        (found.gap.formations[f].dutch, *season.hours[k].tolist(), *window.hours[k].tolist())
        for f in _order(found.gap)
        for k in (season.formations.index(found.gap.formations[f].code),)
    )
    parts = (*season.parts, *window.parts)
    return Figures(
        "Formatie-uren per jaar die gemiddeld worden gevraagd, naar seizoen en naar tijdvenster",
        (("Formatie", "text"), *((part.capitalize(), "count") for part in parts)),
        rows,
    )


def compute_time_figures(found: Readiness, people: Floats) -> Figures:
    """How soon each formation stands for half and nine in ten of ``people`` [A], and for what share it never does."""
    strength = found.strength
    everyone = np.zeros(len(people), dtype=np.intp)
    rows = []
    for k, (formation, rank) in enumerate(zip(strength.formation, strength.rank)):
        held, free = (table[:, k].astype(np.float64) for table in (strength.complete_s, strength.free_s))
        half, most = (float(v[0]) for v in compute_percentiles(held, people, everyone, 1, (0.5, 0.9)))
        (loose,) = (float(v[0]) for v in compute_percentiles(free, people, everyone, 1, (0.5,)))
        never = float(people[np.isinf(held)].sum() / max(people.sum(), 1.0))
        rows.append((f"{formation.dutch}, {rank}e", half, most, loose, never))
    headings = ("Helft binnen", "Negen op tien binnen", "Helft, zonder ondergrens")
    columns = (("Formatie", "text"), *((heading, "duration") for heading in headings), ("Voor wie nooit", "share"))
    return Figures("Tijd van het alarm tot zij er staan, voor inwoners", columns, tuple(rows))


def compute_endurance_figures(found: Readiness, regions: Regions) -> Figures:
    """Platoons kept up for days, per region and for the nation, whole ones, and what runs out first at the longest."""
    endurance = found.endurance

    def whole(values: Floats) -> tuple[float, ...]:
        return tuple(np.floor(values + 1e-6).tolist())

    rows = tuple(
        (
            str(name), *whole(endurance.per_region[:, r]),
            _scarce(str(endurance.scarce_region[-1, r]), str(endurance.window_region[-1, r])),
        )
        for r, name in enumerate(regions.name.tolist())
    )  # fmt: skip
    total = ("Nederland", *whole(endurance.sustained), _scarce(str(endurance.scarce[-1]), str(endurance.window[-1])))
    days = [(f"{d} dag" if d == 1 else f"{d} dagen", "count") for d in endurance.days.tolist()]
    title = f"{endurance.formation.dutch}: hoeveel er vol te houden zijn, elke regio bij zich thuis"
    return Figures(title, (("Regio", "text"), *days, ("Eerst op", "text")), rows, total)


def _shortfall(found: Readiness) -> Chapter:
    gap = found.gap
    ten = gap.levels.index("eens per 10 jaar")
    short = [f for f in _order(gap) if gap.shortfall[f, ten] >= 0.5]
    said = ", ".join(
        f"{write_range(gap.shortfall[f, ten], gap.shortfall_low[f, ten], gap.shortfall_high[f, ten])} × "
        f"{gap.formations[f].dutch.lower()}"
        for f in short[:3]
    )
    sentence = (
        f"Eens per 10 jaar wordt van {len(short)} van de {len(gap.formations)} formaties meer op één moment gevraagd "
        f"dan er op tijd kan staan. Het meest ontbreekt: {said}."
        if short
        else "Wat eens per 10 jaar op één moment nodig is, kan van elke formatie op tijd staan."
    )
    explained = (
        "Nodig: zoveel tegelijk. Beschikbaar: staat op tijd, terwijl elke regio boven haar ondergrens blijft. "
        "Tussen haakjes de marge (P5–P95) over kansen, paraatheid en plaatsen; bij het tekort de gunstigste en de "
        "ongunstigste combinatie daarvan."
    )
    causes = (
        "Van alles wat te vormen is, valt af wat te ver is, niet paraat is of thuis niet gemist kan worden. De laatste "
        "kolom: wat ontbreekt als alles wat eens per 10 jaar nodig is, tegelijk wordt gevraagd."
    )
    doubts = [f"formatie {each.dutch.lower()}" for each in gap.formations if each.status != "vastgesteld"]
    doubts += [f"formatie {code!r} wordt gevraagd, maar de doctrine kent haar niet" for code in found.unknown]
    return Chapter(
        "Tekort",
        sentence,
        (("Wat nodig is en wat er is", explained, compute_gap_figures(found)),
         ("Waar het blijft", causes, compute_lost_figures(found)),
         ("Waardoor", "", compute_cause_figures(found))),
        (*doubts, f"ondergrens: {found.floors}"),
    )  # fmt: skip


def _risks(found: Readiness) -> Chapter:
    ranked = compute_ranked(found.profile)
    drawn = [risk.label for risk, score in ranked if np.isfinite(score) and risk.rate_per_year > 0]
    chances = [(k, float(c)) for k, c in enumerate(found.at_once) if k >= 1]
    two = next((c for k, c in chances if k == 2), 0.0)
    unsure = sum(risk.status != "vastgesteld" for risk, _ in ranked)
    top = "; ".join(f"{number} {label}" for number, label in enumerate(drawn[:5], start=1))
    picture = Picture(
        draw_risk_diagram(found.profile),
        f"Risicodiagram met {len(drawn)} scenario’s, waarschijnlijkheid naar rechts en effect van A onder tot "
        f"E boven. Bovenaan naar waarschijnlijkheid maal effect: {top}. De tabel hierna noemt ze alle.",
        "Een streep geeft de marge van de kans; de nummers staan in de tabel.",
    )
    heat = Picture(
        draw_asked(found.capabilities),
        describe_asked(found.capabilities),
        "Hoe donkerder, hoe meer de vraag dan begint; achter de naam hoeveel er gemiddeld per jaar worden gevraagd.",
    )
    at_once = Figures(
        "Kans per jaar op zoveel grote gebeurtenissen tegelijk",
        (("Tegelijk", "text"), ("Kans per jaar", "share")),
        tuple((f"{k} of meer", chance) for k, chance in chances if chance >= 0.0005),
    )
    return Chapter(
        "Risico",
        f"{len(ranked)} scenario’s, doorgerekend over {write_count(found.years)} jaren. In {write_share(two)} van de "
        "jaren zijn er op enig moment twee of meer grote gebeurtenissen tegelijk.",
        (("Risicodiagram", "", picture), ("Meer tegelijk", "", at_once),
         ("De scenario’s", "", compute_risk_figures(found)),
         ("Hoe vast de rangorde is", "De tien criteria worden op drie manieren samengevoegd; wie ze anders weegt, "
          "krijgt een andere volgorde.", compute_rank_figures(found)),
         ("Wanneer het wordt gevraagd", "De delen van een jaar zijn samen het jaar: de seizoenen, en de vier "
          "tijdvensters.", compute_season_figures(found)),
         ("Hoeveel van elke inzetmogelijkheid", "Over alle jaren, ook die waarin er niet om wordt gevraagd; eens per "
          "jaar is wat hoogstens 63 % van de jaren overschrijdt. Tussen haakjes de marge (P5–P95) van de kansen. Wat "
          "er volgens de doctrine ook mee mag, is niet afgetrokken.", compute_asked_figures(found.capabilities)),
         ("In welk seizoen, op welk uur", "", heat)),
        (f"{unsure} van de {len(ranked)} scenario’s berusten op aannamen",) if unsure else (),
    )  # fmt: skip


def _strength(found: Readiness, people: Floats) -> Chapter:
    platoon = found.strength.formation[0]
    parts: list[tuple[str, str, Figures | Picture | TimeMap]] = []
    for rank in PRINTED_RANKS:
        values = compute_platoon_s(found, rank, floors=True)
        title = f"Tijd tot het {rank}e peloton"
        parts.append((title, "", TimeMap(title, values)))
    told = "; ".join(
        f"binnen {h:g} uur {_decimal(float(held))} (zonder ondergrens {_decimal(float(free))})"
        for h, held, free in zip(found.hours, *found.curve, strict=True)
        if h == int(h)
    )
    parts.append(
        ("Pelotons tegen uren", f"Gemiddeld over plaatsen, gekozen naar inwoners: {told}.",
         Picture(draw_curve(found.hours, found.curve), f"Lijnen van pelotons tegen uren: {told}.",
                 "Hoeveel pelotons er op één plaats staan, tegen de uren na het alarm."))
    )  # fmt: skip
    parts.append(("Elke formatie", "", compute_time_figures(found, people)))
    return Chapter(
        "Slagkracht",
        f"Hoe snel het {platoon.dutch.lower()} ergens staat, elk gebied op zichzelf, vanaf het alarm; elke regio die "
        "leent blijft boven haar ondergrens.",
        tuple(parts),
        tuple(["de samenstelling en verzameltijd van het peloton"] * (platoon.status != "vastgesteld")),
    )


def _endurance(found: Readiness, regions: Regions) -> Chapter:
    endurance = found.endurance
    told = ", ".join(
        f"{d} {'dag' if d == 1 else 'dagen'}: {write_count(float(np.floor(n + 1e-6)))}"
        for d, n in zip(endurance.days.tolist(), endurance.sustained.tolist(), strict=True)
    )
    picture = Picture(
        draw_endurance(endurance.days.tolist(), np.floor(endurance.sustained + 1e-6)),
        f"Staven: hoeveel pelotons er landelijk vol te houden zijn. {told}.",
        "Pelotons die onafgebroken kunnen staan, tegen het aantal dagen.",
    )
    return Chapter(
        "Uithoudingsvermogen",
        "Hoeveel pelotons er onafgebroken kunnen staan, met aflossing en rust en met de paraatheid thuis bewaard: "
        f"{told}.",
        (
            ("Landelijk", "", picture),
            ("Per regio", "‘Eerst op’: wat bij de langste duur als eerste ontbreekt.",
             compute_endurance_figures(found, regions)),
        ),
        ("inzetduur, rust, functiemix en beschikbaarheid van vrijwilligers",),
    )  # fmt: skip


def _order(gap: Gap) -> list[int]:
    """Formations, the largest shortfall once in ten years first."""
    ten = gap.levels.index("eens per 10 jaar")
    order: list[int] = np.lexsort((-gap.needed[:, ten], -gap.expected, -gap.shortfall[:, ten])).tolist()
    return order


def _decimal(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def _scarce(resource: str, window: str) -> str:
    return f"{resource} ({window})" if resource else "–"
