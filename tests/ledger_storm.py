"""Random steps on the ledger by many at once, and the sums that must hold afterwards. Used by test and benchmark."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter

import psycopg

from slagkracht.log import UNMET_REASONS, replay, verify_chain
from slagkracht.server import ledger
from slagkracht.server.database import Addresses, Scope, scope
from slagkracht.server.journal import read_events

RECENT = 100
"""So many of the newest requests are worked on at once: two lines each, as in the busiest hour that is asked for."""

STEPS = ("unit_en_route", "unit_arrived", "unit_deployed", "unit_relieved", "unit_released", "unit_home")


class Storm:
    """Twenty-five regions and a centre that all act at random on the same few units."""

    def __init__(self, units_per_region: int, seed: int, world: str = "echt", most_requests: int = 60) -> None:
        self.world, self.most_requests = world, most_requests
        self.regions = [f"VR{n:02d}" for n in range(1, 26)]
        self.units: dict[str, list[str]] = {}
        self.requests: list[str] = []
        self.lines: list[tuple[str, str]] = []
        self.offers: list[tuple[str, str]] = []
        self.away: list[tuple[str, str, str]] = []
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self._lock = threading.Lock()
        for region in self.regions:
            with self.acting(region) as own:
                self.units[region] = [f"{region[2:]}-{secrets.token_hex(4)}" for _ in range(units_per_region)]
                for unit in self.units[region]:
                    own.insert(
                        "unit", unit_id=unit, region=region, type_code="TS6", capabilities=[], crew=6, station=""
                    )
        rng = random.Random(seed)
        for _ in range(6):
            self.step(rng, "request")

    def acting(self, region: str):  # type: ignore[no-untyped-def]
        return scope(region, self.world, f"Demo Officier {region}")

    def run(self, steps: int, rng: random.Random, until: float = float("inf")) -> None:
        kinds = ["request", "offer", "refuse", "accept", "withdraw", "move", "close"]
        weights = [2, 14, 4, 16, 2, 60, 1]
        for _ in range(steps):
            if time.perf_counter() > until:
                return
            self.step(rng, rng.choices(kinds, weights)[0])

    def step(self, rng: random.Random, kind: str) -> None:
        try:
            getattr(self, f"_{kind}")(rng)
            outcome = "gelukt"
        except (ledger.LedgerError, IndexError):
            outcome = "geweigerd"
        except Exception as error:
            outcome = "fout"
            self.errors.append(f"{kind}: {type(error).__name__} {error}")
        with self._lock:
            self.done[outcome] += 1

    def _request(self, rng: random.Random) -> None:
        if len(self.requests) > self.most_requests:
            return
        region = rng.choice(self.regions)
        with self.acting(region) as own:
            incident = ledger.open_incident(own, "brand", 1, 2)
            wanted = [ledger.Wanted("peloton", "", rng.randint(1, 4), 1, 2, own.at, 4) for _ in range(2)]
            request = ledger.make_request(own, incident, ledger.BY_MINISTER, "m", "s", wanted)
        with self.acting("LAC") as centre:
            ledger.ask_regions(centre, request, self.regions)
        self.requests.append(request)
        self.lines += [(region, f"{request}-{n}") for n in (1, 2)]

    def _offer(self, rng: random.Random) -> None:
        owner = rng.choice(self.regions)
        requester, line = rng.choice(self.lines[-2 * RECENT :])
        units = rng.sample(self.units[owner], rng.randint(1, 2))
        with self.acting(owner) as own:
            offer = ledger.offer_units(own, line, units, 1)
        self.offers.append((requester, offer))

    def _refuse(self, rng: random.Random) -> None:
        with self.acting(rng.choice(self.regions)) as own:
            ledger.refuse_line(own, rng.choice(self.lines[-2 * RECENT :])[1], rng.choice(sorted(UNMET_REASONS)))

    def _accept(self, rng: random.Random) -> None:
        requester, offer = rng.choice(self.offers[-40:])
        with self.acting(rng.choice([requester, "LAC"])) as own:
            made = ledger.accept_offer(own, offer)
        lender = offer.split("-")[1]
        self.away += [(requester, lender, commitment) for commitment in made]

    def _withdraw(self, rng: random.Random) -> None:
        _, offer = rng.choice(self.offers[-200:])
        with self.acting(offer.split("-")[1]) as own:
            ledger.withdraw_offer(own, offer, "materieel")

    def _move(self, rng: random.Random) -> None:
        requester, lender, commitment = rng.choice(self.away)
        with self.acting(lender) as own:
            row = own.row("select step from slagkracht.commitment where commitment_id = %s", commitment)
        assert row is not None
        reached = STEPS.index(row["step"]) + 1 if row["step"] in STEPS else 0
        step = STEPS[min(reached, 5)] if rng.random() < 0.8 else rng.choice(STEPS)
        with self.acting(lender if step in ledger.OWNER_STEPS else requester) as own:
            ledger.move_commitment(own, commitment, step)
        if step == "unit_home":
            self.away.remove((requester, lender, commitment))

    def _close(self, rng: random.Random) -> None:
        request = rng.choice(self.requests[-RECENT:])
        with self.acting(rng.choice([request.split("-")[1], "LAC"])) as own:
            ledger.close_request(own, request)

    def close_all(self) -> None:
        """Closes what is open still, so that every line has been answered for."""
        for request in self.requests:
            own: Scope
            with self.acting(request.split("-")[1]) as own:
                row = own.row("select closed_at from slagkracht.request where request_id = %s", request)
                if row and row["closed_at"] is None:
                    ledger.close_request(own, request)

    def find_faults(self, addresses: Addresses) -> list[str]:
        """Everything that does not add up, over all regions: read as the owner of the database, outside the ledger."""
        sums = {
            "twice committed": """select unit_id from slagkracht.commitment where step <> 'unit_home'
                group by world, unit_id having count(*) > 1""",
            "met is not what was accepted and came": """with closed as (
                    select body->>'request' as request_id, recorded_at from slagkracht.event
                    where kind = 'request_closed'),
                dropped as (select body->>'commitment' as commitment_id, recorded_at from slagkracht.event
                    where kind = 'unit_released' except select e.body->>'commitment', r.recorded_at
                    from slagkracht.event e join slagkracht.event r on r.body->>'commitment' = e.body->>'commitment'
                    where e.kind = 'unit_arrived' and r.kind = 'unit_released'),
                held as (select o.line_id, o.count * (count(*) - count(d.commitment_id)) / count(*) as count
                    from slagkracht.offer o join slagkracht.commitment c using (offer_id)
                    join slagkracht.request_line l on l.line_id = o.line_id left join closed q using (request_id)
                    left join dropped d on d.commitment_id = c.commitment_id
                    and d.recorded_at < coalesce(q.recorded_at, 'infinity')
                    where o.state = 'aanvaard' group by o.offer_id)
                select l.line_id from slagkracht.request_line l
                where l.met <> (select coalesce(sum(h.count), 0) from held h where h.line_id = l.line_id)""",
            "accepted without its commitments": """select offer_id from slagkracht.offer o where o.state = 'aanvaard'
                and cardinality(o.units) <>
                (select count(*) from slagkracht.commitment c where c.offer_id = o.offer_id)""",
            "commitment without acceptance": """select commitment_id from slagkracht.commitment c
                join slagkracht.offer o using (offer_id) where o.state <> 'aanvaard'""",
            "closed and neither met nor unmet": """select line_id from slagkracht.request_line l
                join slagkracht.request r using (request_id)
                where r.closed_at is not null and l.met + l.unmet <> l.count""",
            "unmet without a reason": """select line_id from slagkracht.request_line
                where unmet > 0 and unmet_reason is null""",
            "step without its fact": """select commitment_id from slagkracht.commitment c where not exists
                (select 1 from slagkracht.event e where e.world = c.world and e.kind = c.step
                 and e.body->>'commitment' = c.commitment_id)""",
        }
        faults = []
        with psycopg.connect(addresses.owner) as owner:
            for what, sql in sums.items():
                faults += [f"{what}: {row[0]}" for row in owner.execute(sql).fetchall()]
        for chain in [*self.regions, "LAC"]:
            with self.acting(chain) as own:
                faults += [str(finding) for finding in verify_chain(read_events(own, chain), chain)]
        with self.acting("LAC") as centre:
            conflicts = replay(read_events(centre)).conflicts
        told = {unit for units in self.units.values() for unit in units}
        faults += [c.what for c in conflicts if any(unit in c.what for unit in told)]
        return faults
