"""Random concurrent steps on the ledger, and whether it still adds up.

python benchmarks/ledger.py [steps] [threads] [seconds]

Runs on an embedded PostgreSQL in a temporary folder, with fsync and data checksums on. The national figure is
1,000,000 steps; a smaller run says how long that takes here. After so many seconds no new step is begun, and what was
done until then is added up.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from ledger_storm import Storm
from slagkracht.server import database, demo


def main(steps: int, threads: int, at_most_s: float) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slagkracht-"))
    addresses = database.start_embedded(folder)
    database.migrate(addresses)
    demo.lay_regions(addresses)
    database.open_pool(addresses, most=threads + 4)
    storm = Storm(units_per_region=20, seed=1, most_requests=steps)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        until = started + at_most_s
        list(pool.map(lambda n: storm.run(steps // threads, random.Random(n), until), range(threads)))
    took_s = time.perf_counter() - started
    storm.close_all()
    faults = storm.find_faults(addresses)
    done = sum(storm.done.values())
    print(f"{done:,} steps, {threads} threads, {took_s:.1f} s: {done / took_s:,.0f} steps/s")
    print(", ".join(f"{what} {count:,}" for what, count in storm.done.most_common()))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("\n".join(faults + storm.errors[:20]) or "adds up: no double commitment, every unmet line with its reason")
    database.close_pool()
    database.stop_embedded(folder)
    shutil.rmtree(folder)
    sys.exit(bool(faults or storm.errors))


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    steps, threads, seconds = [*given, *(20_000, 12, float("inf"))[len(given) :]]
    main(int(steps), int(threads), seconds)
