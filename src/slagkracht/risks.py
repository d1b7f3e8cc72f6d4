"""What may happen, where, how often and together with what, and what it asks for hour by hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

HOURS_PER_YEAR = 8_760

THEMES = (
    "natuurlijke omgeving", "gebouwde omgeving", "technologische omgeving", "vitale infrastructuur",
    "verkeer en vervoer", "gezondheid", "sociaal-maatschappelijk",
)  # fmt: skip
"""The seven themes of the regional risk profile (Handreiking Regionaal Risicoprofiel, 2009)."""

SEASONS = ("winter", "lente", "zomer", "herfst")
"""Meteorological: December to February, and three months each from there."""

CRITERIA = (
    "1.1 grondgebied", "2.1 doden", "2.2 gewonden", "2.3 lichamelijk lijden", "3.1 kosten", "4.1 natuur en milieu",
    "5.1 dagelijks leven", "5.2 bestuur", "5.3 sociaal-psychologisch", "6.1 cultureel erfgoed",
)  # fmt: skip
"""The ten impact criteria; each is scored A (limited) to E (catastrophic), or not at all."""

CLASSES = "ABCDE"

CLASS_CHANCES = {"A": (0.00005, 0.0005), "B": (0.0005, 0.005), "C": (0.005, 0.05), "D": (0.05, 0.5), "E": (0.5, 0.95)}
"""Chance within one policy period of four years per likelihood class (the outermost bounds are assumed)."""

PERIOD_YEARS = 4.0

METHODS = {"driemacht": 3.0, "gemiddelde": 1.0, "tienmacht": 10.0}
"""Ways of joining the ten criteria to one impact: how many times a class counts for the one below (1 = the mean)."""


@dataclass(frozen=True)
class Place:
    """Where a scenario can strike: RD New metres, ``weight`` relative to its other places."""

    name: str
    x_m: float
    y_m: float
    weight: float


@dataclass(frozen=True)
class Need:
    """``count`` formations of one code, from ``start_h`` to ``end_h`` hours after the start."""

    formation: str
    count: int
    start_h: float
    end_h: float


@dataclass(frozen=True)
class Risk:
    """A scenario of a region or of the nation.

    ``label`` the region's own name for it, kept · ``theme`` one of THEMES ("" = not classified: shown as such, never
    hidden) · ``regions`` codes where it can strike (empty = anywhere) · ``rate_per_year`` with ``rate_low`` and
    ``rate_high`` · ``months`` float [12] and ``hours`` float [24] relative weights of its start · ``impact`` class per
    criterion ("" = not scored) · ``group`` correlation group ("" = none) · ``shared`` name of the event it is a
    regional view of ("" = its own) · ``needs`` the demand it makes.
    """

    code: str
    label: str
    theme: str
    crisis_type: str
    regions: tuple[str, ...]
    places: tuple[Place, ...]
    rate_per_year: float
    rate_low: float
    rate_high: float
    months: tuple[float, ...]
    hours: tuple[float, ...]
    impact: tuple[str, ...]
    group: str
    shared: str
    needs: tuple[Need, ...]
    source: str
    status: str


@dataclass(frozen=True)
class Shock:
    """Years differ: in each, the rates of a group are multiplied by a gamma factor of mean 1 and this spread.

    ``spread`` coefficient of variation between years · ``days`` length of the spell in which the year's events of the
    group fall together (a drought, a storm, a high-water wave); 0 = they keep to their own season alone.
    """

    group: str
    spread: float
    days: float


@dataclass(frozen=True)
class Profile:
    """A risk profile: scenarios counted once, and the shocks that bind them."""

    risks: tuple[Risk, ...]
    shocks: tuple[Shock, ...]


NO_RISKS = Profile((), ())
"""The profile of a plan for which none was handed in."""


@dataclass(frozen=True, eq=False)
class Events:
    """Large events of many simulated years, in order of year and start.

    ``year`` int32 [E] · ``start_h`` float64 [E] hour of the year · ``end_h`` float64 [E] when its last need ends ·
    ``risk`` int32 [E] row of the profile · ``years`` how many were simulated · ``seed`` with which.
    """

    year: Indices
    start_h: Doubles
    end_h: Doubles
    risk: Indices
    years: int
    seed: int

    def __len__(self) -> int:
        return len(self.year)


@dataclass(frozen=True, eq=False)
class Demand:
    """The most that was asked for at one moment, per simulated year: ``peak`` int32 [Y, F], formation codes [F].

    ``rate_draw`` int32 [Y] which draw of the uncertain rates each year was simulated with: the spread between draws is
    what is not known about the rates, the spread within one is chance.
    """

    formations: tuple[str, ...]
    peak: Indices
    rate_draw: Indices


@dataclass(frozen=True, eq=False)
class Calendar:
    """When formations are asked for, by parts of the year that together are the year (seasons, hours, windows).

    ``formations`` codes [F] · ``parts`` names [B] · ``hours`` float64 [F, B] formation-hours asked per year within each
    part · ``begins`` float64 [F, B] formations per year whose need begins in it · ``peak`` int32 [Y, F, B] the most
    asked at one moment within it, per simulated year.
    """

    formations: tuple[str, ...]
    parts: tuple[str, ...]
    hours: Doubles
    begins: Doubles
    peak: Indices


def compute_rate(likelihood: str) -> tuple[float, float, float]:
    """A likelihood class as rates per year (middle, low, high): lambda = -ln(1 - p) / 4, p over a period of four years.

    The middle is the geometric mean. Raises KeyError for another class than A–E.
    """
    low, high = (-float(np.log(1 - chance)) / PERIOD_YEARS for chance in CLASS_CHANCES[likelihood])
    return float(np.sqrt(low * high)), low, high


def compute_likelihood(rate_per_year: float) -> str:
    """The likelihood class of a rate: the chance of at least one in four years."""
    chance = 1 - float(np.exp(-rate_per_year * PERIOD_YEARS))
    for letter in CLASSES:
        if chance <= CLASS_CHANCES[letter][1] or letter == "E":
            return letter
    raise AssertionError("the last class is open")


def merge_profiles(profiles: Sequence[Sequence[Risk]], shocks: Sequence[Shock]) -> Profile:
    """Regional profiles as one national profile, nothing counted twice.

    Risks that name the same ``shared`` event are one: the highest rate bounds and impact of any, all their regions and
    places, and of each formation the largest need. Risks with a code of their own are independent events and all stay.
    """
    merged: dict[str, Risk] = {}
    for risk in (risk for profile in profiles for risk in profile):
        key = f"event {risk.shared}" if risk.shared else f"{','.join(risk.regions)} {risk.code}"
        merged[key] = _join(merged[key], risk) if key in merged else risk
    return Profile(tuple(merged[key] for key in sorted(merged)), tuple(shocks))


def _join(one: Risk, other: Risk) -> Risk:
    wider = {(n.formation, n.start_h, n.end_h): n for n in one.needs}
    for need in other.needs:
        key = (need.formation, need.start_h, need.end_h)
        if key not in wider or need.count > wider[key].count:
            wider[key] = need
    fields = dict(one.__dict__)
    fields.update(
        label=one.label if one.label == other.label else f"{one.label} / {other.label}",
        regions=tuple(sorted({*one.regions, *other.regions})),
        places=tuple(dict.fromkeys((*one.places, *other.places))),
        rate_per_year=max(one.rate_per_year, other.rate_per_year),
        rate_low=max(one.rate_low, other.rate_low),
        rate_high=max(one.rate_high, other.rate_high),
        impact=tuple(max(a, b) for a, b in zip(one.impact, other.impact)),
        needs=tuple(wider[key] for key in sorted(wider)),
    )
    return Risk(**fields)


def compute_impact(impact: Sequence[str], weights: Doubles | None = None, method: str = "driemacht") -> float:
    """One impact score out of the criteria that were scored: 0 (A) to 4 (E); nan when none was.

    ``driemacht``: a class counts three times the one below (RIVM, Nationale Risicobeoordeling) · ``gemiddelde``: the
    weighted mean class · ``tienmacht``: ten times, as damage in euros goes. Raises ValueError for another method.
    """
    base = METHODS.get(method)
    if base is None:
        raise ValueError(f"onbekende samenvoeging {method!r}: kies uit {', '.join(METHODS)}")
    scored = np.array([CLASSES.index(letter) if letter else -1 for letter in impact])
    weight = np.where(scored >= 0, np.ones(len(scored)) if weights is None else weights, 0.0)
    if weight.sum() <= 0:
        return float("nan")
    if base == 1.0:
        return float((weight * scored).sum() / weight.sum())
    mean = (weight * np.where(scored >= 0, base**scored, 0.0)).sum() / weight.sum()
    return float(np.log(mean) / np.log(base))


def compute_ranking(profile: Profile, weights: Doubles | None = None, method: str = "driemacht") -> Indices:
    """Rows of the profile by rate times impact, the largest first, those alike in order of the profile: int32 [K].

    A risk whose impact nobody scored comes last. An impact score is taken back to the scale on which its classes were
    weighed: three times per class, or ten (``tienmacht``).
    """
    step = 10.0 if method == "tienmacht" else 3.0
    scores = [compute_impact(risk.impact, weights, method) for risk in profile.risks]
    value = np.array([r.rate_per_year * step**s if np.isfinite(s) else 0.0 for r, s in zip(profile.risks, scores)])
    return np.argsort(-value, kind="stable").astype(np.int32)


def compute_rank_stability(profile: Profile, *, draws: int, seed: int, method: str = "driemacht") -> Doubles:
    """How often each risk takes each place in the ranking by rate times impact, over random weights: float64 [K, K].

    Weights are drawn evenly from all that add up to one (Dirichlet). Row = risk, column = place.
    """
    rng = np.random.default_rng(seed)
    count = len(profile.risks)
    places = np.zeros((count, count))
    for weights in rng.dirichlet(np.ones(len(CRITERIA)), draws):
        places[compute_ranking(profile, weights, method), np.arange(count)] += 1
    return places / draws


def compute_rank_range(stability: Doubles, share: float = 0.9) -> tuple[Indices, Indices]:
    """Between which places each risk ends in ``share`` of all draws of the weights: int32 [K] first, last, from 1."""
    below = np.cumsum(stability, axis=1)
    first = (below > (1 - share) / 2 + 1e-9).argmax(axis=1) + 1
    last = (below >= (1 + share) / 2 - 1e-9).argmax(axis=1) + 1
    return first.astype(np.int32), last.astype(np.int32)


def compute_events(
    profile: Profile, years: int, seed: int, *, draws: int = 20, progress: Callable[[int, int], None] | None = None
) -> tuple[Events, Indices]:
    """Large events of ``years`` simulated years: (events, which draw of the uncertain rates each year had int32 [Y]).

    In each of ``draws`` equal blocks of years every rate is drawn once, lognormal between its low and high (taken as
    the 5th and 95th percentile); within a block each year has its own shock per group. Same seed, same years.
    """
    rng = np.random.default_rng(seed)
    names = [shock.group for shock in profile.shocks]
    member = np.array([names.index(r.group) if r.group in names else -1 for r in profile.risks], dtype=np.int64)
    months = np.array([r.months for r in profile.risks], dtype=np.float64).reshape(-1, 12)
    hours = np.array([r.hours for r in profile.risks], dtype=np.float64).reshape(-1, 24)
    ends = np.array([max((n.end_h for n in r.needs), default=0.0) for r in profile.risks])
    draw_of = (np.arange(years) * draws // max(years, 1)).astype(np.int32)
    low = np.array([max(r.rate_low, 1e-12) for r in profile.risks])
    high = np.array([max(r.rate_high, 1e-12) for r in profile.risks])
    middle = np.array([max(r.rate_per_year, 1e-12) for r in profile.risks])
    spread = np.log(high / low) / (2 * 1.6448536269514722)
    parts: list[tuple[Indices, Doubles, Indices]] = []
    for draw in range(draws):
        block = np.flatnonzero(draw_of == draw)
        rate = middle * np.exp(rng.standard_normal(len(middle)) * spread)
        factor = np.ones((len(block), len(profile.risks)))
        spell = np.full((len(block), len(names)), np.nan)
        for g, shock in enumerate(profile.shocks):
            yearly = rng.gamma(1 / shock.spread**2, shock.spread**2, len(block)) if shock.spread > 0 else 1.0
            factor[:, member == g] = np.broadcast_to(np.asarray(yearly), (len(block),))[:, None]
            if shock.days > 0 and (member == g).any():
                weight = (months[member == g] * middle[member == g, None]).sum(axis=0)
                spell[:, g] = _moments(rng, weight[None, :], np.zeros(len(block), dtype=np.int64))
        counts = rng.poisson(rate * factor)
        year, risk = (each.repeat(counts.ravel()) for each in np.indices(counts.shape).reshape(2, -1))
        start = _moments(rng, months, risk)
        for g, shock in enumerate(profile.shocks):
            if shock.days > 0:
                inside = member[risk] == g
                width = shock.days * 24.0
                start[inside] = spell[year[inside], g] + width * (rng.random(int(inside.sum())) - 0.5)
        start = np.floor(start / 24) * 24 + _hours(rng, hours, risk)
        parts.append((block[year].astype(np.int32), np.clip(start, 0, HOURS_PER_YEAR - 1), risk.astype(np.int32)))
        if progress is not None:
            progress(draw + 1, draws)
    year = np.concatenate([p[0] for p in parts])
    start_h = np.concatenate([p[1] for p in parts])
    risk = np.concatenate([p[2] for p in parts])
    order = np.lexsort((risk, start_h, year))
    year, start_h, risk = year[order], start_h[order], risk[order]
    return Events(year, start_h, start_h + ends[risk], risk, years, seed), draw_of


def _moments(rng: np.random.Generator, months: Doubles, row: npt.NDArray[np.integer]) -> Doubles:
    """A moment of the year (hours) by monthly weights: month from its row, evenly within the month."""
    edges = np.cumsum(months / months.sum(axis=1, keepdims=True), axis=1)
    month = (rng.random(len(row))[:, None] > edges[row]).sum(axis=1)
    moment: Doubles = (np.minimum(month, 11) + rng.random(len(row))) * HOURS_PER_YEAR / 12
    return moment


def _hours(rng: np.random.Generator, hours: Doubles, row: npt.NDArray[np.integer]) -> Doubles:
    edges = np.cumsum(hours / hours.sum(axis=1, keepdims=True), axis=1)
    hour = (rng.random(len(row))[:, None] > edges[row]).sum(axis=1)
    moment: Doubles = np.minimum(hour, 23) + rng.random(len(row))
    return moment


def compute_simultaneous(events: Events) -> Doubles:
    """Chance per year that at least k large events are under way at one moment: float64 [K+1], entry k."""
    most = _most_at_once(events.year, events.start_h, events.end_h, events.years)
    top = int(most.max(initial=0))
    return np.array([(most >= k).mean() if len(most) else 0.0 for k in range(top + 1)])


def compute_peak_demand(events: Events, draw_of: Indices, profile: Profile, formations: Sequence[str]) -> Demand:
    """The largest demand at one moment per year and formation, over all events of that year together."""
    rows = _need_rows(profile, formations)
    peak = _peaks(events.year, events.start_h, events.risk, *rows, events.years, len(formations))
    return Demand(tuple(formations), peak, draw_of)


def _need_rows(profile: Profile, formations: Sequence[str]) -> tuple[Indices, Indices, Indices, Doubles, Doubles]:
    """Needs of ``formations`` as columns: first need of each risk [K+1], formation, count, from_h, to_h."""
    column = {code: f for f, code in enumerate(formations)}
    rows = [
        (r, column[n.formation], n.count, n.start_h, n.end_h)
        for r, risk in enumerate(profile.risks)
        for n in risk.needs
        if n.formation in column
    ]
    return (
        np.searchsorted([row[0] for row in rows], np.arange(len(profile.risks) + 1)).astype(np.int32),
        np.array([row[1] for row in rows], dtype=np.int32), np.array([row[2] for row in rows], dtype=np.int32),
        np.array([row[3] for row in rows]), np.array([row[4] for row in rows]),
    )  # fmt: skip


def season_of_hours() -> Indices:
    """The season (row of SEASONS) of every hour of a year of twelve equal months: int32 [8760]."""
    month = np.arange(HOURS_PER_YEAR) * 12 // HOURS_PER_YEAR
    return ((month + 1) // 3 % 4).astype(np.int32)


def compute_calendar(
    events: Events, profile: Profile, formations: Sequence[str], parts: Sequence[str], part_of_hour: Indices
) -> Calendar:
    """When each formation is asked for, by ``part_of_hour`` int32 [8760], rows of ``parts``.

    The hours of all parts add up to what is asked in a year, and the largest peak of any part is that year's peak. What
    runs on after the last hour of a year counts in the parts of its first hours, beside that year's own demand there.
    """
    rows = _need_rows(profile, formations)
    hours, begins, peak = _by_part(
        events.year, events.start_h, events.risk, *rows, part_of_hour.astype(np.int32), events.years, len(formations),
        len(parts),
    )  # fmt: skip
    years = max(events.years, 1)
    return Calendar(tuple(formations), tuple(parts), hours / years, begins / years, peak)


def compute_return_level(demand: Demand, every_years: float) -> tuple[Doubles, Doubles, Doubles]:
    """What is asked for once in ``every_years``: (middle, low, high) float64 [F], P5–P95 over the draws of the rates.

    The smallest demand that is exceeded less than once in so many years: the annual maximum at chance
    exp(-1 / every_years) (Langbein's relation between annual maxima and exceedances).
    """
    chance = float(np.exp(-1.0 / every_years))
    middle = np.quantile(demand.peak, chance, axis=0, method="inverted_cdf").astype(np.float64)
    per_draw = np.array(
        [
            np.quantile(demand.peak[demand.rate_draw == d], chance, axis=0, method="inverted_cdf")
            for d in np.unique(demand.rate_draw)
        ]
    )
    return middle, np.quantile(per_draw, 0.05, axis=0), np.quantile(per_draw, 0.95, axis=0)


def compute_causes(events: Events, profile: Profile, formation: str) -> Doubles:
    """Which scenarios ask for a formation: share of its asked formation-hours per risk, float64 [K]."""
    asked = np.array(
        [sum(n.count * (n.end_h - n.start_h) for n in r.needs if n.formation == formation) for r in profile.risks]
    )
    total = asked * np.bincount(events.risk, minlength=len(profile.risks))
    return np.asarray(total / total.sum() if total.sum() > 0 else total, dtype=np.float64)


@njit(cache=True, nogil=True)
def _most_at_once(year, start_h, end_h, years):  # type: ignore[no-untyped-def]
    most = np.zeros(years, np.int32)
    i = 0
    while i < len(year):
        j = i
        while j < len(year) and year[j] == year[i]:
            j += 1
        for k in range(i, j):  # the moment an event starts is when there are most
            under_way = 0
            for m in range(i, k + 1):
                if end_h[m] > start_h[k]:
                    under_way += 1
            most[year[i]] = max(most[year[i]], under_way)
        i = j
    return most


@njit(cache=True, nogil=True)
def _peaks(year, start_h, risk, first, formation, count, from_h, to_h, years, formations):  # type: ignore[no-untyped-def]
    """Per year and formation the most at one moment: the sum is largest just when some need begins."""
    peak = np.zeros((years, formations), np.int32)
    i = 0
    while i < len(year):
        j = i
        while j < len(year) and year[j] == year[i]:
            j += 1
        for k in range(i, j):
            for n in range(first[risk[k]], first[risk[k] + 1]):
                moment = start_h[k] + from_h[n]
                total = 0
                for m in range(i, j):
                    for o in range(first[risk[m]], first[risk[m] + 1]):
                        if (
                            formation[o] == formation[n]
                            and start_h[m] + from_h[o] <= moment
                            and moment < start_h[m] + to_h[o]
                        ):
                            total += count[o]
                peak[year[i], formation[n]] = max(peak[year[i], formation[n]], total)
        i = j
    return peak


@njit(cache=True, nogil=True)
def _by_part(  # type: ignore[no-untyped-def]
    year, start_h, risk, first, formation, count, from_h, to_h, part_of_hour, years, formations, parts,
):  # fmt: skip
    """Hours and beginnings [F, B] over all years, and the peak [Y, F, B], by walking every stretch of equal demand."""
    hours = np.zeros((formations, parts))
    begins = np.zeros((formations, parts))
    peak = np.zeros((years, formations, parts), np.int32)
    i = 0
    while i < len(year):
        j = i
        changes = 0
        while j < len(year) and year[j] == year[i]:
            changes += 2 * (first[risk[j] + 1] - first[risk[j]])
            j += 1
        moment, change, whose = np.empty(changes), np.empty(changes, np.int32), np.empty(changes, np.int32)
        k = 0
        for m in range(i, j):
            for n in range(first[risk[m]], first[risk[m] + 1]):
                moment[k], change[k], whose[k] = start_h[m] + from_h[n], count[n], formation[n]
                moment[k + 1], change[k + 1], whose[k + 1] = start_h[m] + to_h[n], -count[n], formation[n]
                begins[formation[n], part_of_hour[int(moment[k]) % len(part_of_hour)]] += count[n]
                k += 2
        order = np.argsort(moment)
        level, since = np.zeros(formations, np.int64), np.zeros(formations)
        for k in order:
            f = whose[k]
            at = since[f]
            while level[f] > 0 and at < moment[k]:
                until = min(np.floor(at) + 1.0, moment[k])
                part = part_of_hour[int(at) % len(part_of_hour)]
                hours[f, part] += level[f] * (until - at)
                peak[year[i], f, part] = max(peak[year[i], f, part], level[f])
                at = until
            level[f] += change[k]
            since[f] = moment[k]
        i = j
    return hours, begins, peak
