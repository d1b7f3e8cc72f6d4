"""The log: what was told is what is replayed, in whatever order it came; a tampered chain shows."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.log import (
    COMMITMENT_STEPS,
    Event,
    advance,
    append_event,
    compute_checkpoint,
    compute_standing_at,
    count_met,
    format_event,
    parse_event,
    replay,
    verify_chain,
    verify_checkpoint,
)
from slagkracht.log.situation import EMPTY
from slagkracht.server.verify_log import FIELDS, main, verify
from two_stations import two_stations

NOON = datetime.datetime(2026, 7, 1, 12, 0, tzinfo=datetime.UTC)
VERIFIER = Path(__file__).parent.parent / "src" / "slagkracht" / "server" / "verify_log.py"


def minutes(n: float) -> datetime.datetime:
    return NOON + datetime.timedelta(minutes=n)


def told(*facts: tuple[float, str, dict[str, Any]], chain: str = "VR06", late: float = 0) -> list[Event]:
    """A chain of facts (minute, kind, body), each recorded when it happened or, if ``late``, all at that minute."""
    chained: list[Event] = []
    for minute, kind, body in facts:
        recorded_at = minutes(late or minute)
        previous = chained[-1] if chained else None
        chained.append(append_event(previous, chain, kind, minutes(minute), recorded_at, "OvD", body))
    return chained


FIRE = told(
    (0, "incident_opened", {"incident": "brand-1", "what": "natuurbrand", "x_m": 190_000.0, "y_m": 460_000.0}),
    (2, "request_made", {"request": "a1", "region": "VR06", "incident": "brand-1", "ground": "wvr51"}),
    (2, "line_asked", {"request": "a1", "line": "a1-1", "formation": "peloton", "count": 2}),
    (10, "offer_made", {"offer": "o1", "line": "a1-1", "region": "VR07", "units": ["07-1231"]}),
    (11, "offer_refused", {"line": "a1-1", "region": "VR05", "reason": "restdekking"}),
    (12, "unit_committed", {"commitment": "c1", "line": "a1-1", "unit": "07-1231", "region": "VR07"}),
    (15, "unit_en_route", {"commitment": "c1"}),
    (40, "unit_arrived", {"commitment": "c1"}),
    (41, "unit_deployed", {"commitment": "c1"}),
    (60, "command_handed_over", {"incident": "brand-1", "function": "TC", "from": "", "to": "TC VR06"}),
    (300, "unit_relieved", {"commitment": "c1"}),
    (301, "unit_released", {"commitment": "c1"}),
    (330, "unit_home", {"commitment": "c1"}),
    (340, "incident_closed", {"incident": "brand-1"}),
)


def test_the_picture_of_a_deployment() -> None:
    at_noon = replay(FIRE, at=minutes(41))
    assert at_noon.units["07-1231"].commitment == "c1"
    assert at_noon.commitments["c1"].step == "unit_deployed"
    assert dict(at_noon.commitments["c1"].steps)["unit_arrived"] == minutes(40)
    assert at_noon.lines["a1-1"].refusals == (("VR05", "restdekking"),)
    assert at_noon.incidents["brand-1"].closed_at is None
    assert at_noon.command == {}
    assert at_noon.conflicts == ()
    after = replay(FIRE)
    assert after.units["07-1231"].commitment == ""
    assert after.incidents["brand-1"].closed_at == minutes(340)
    assert after.command["brand-1", "TC"].leads == "TC VR06"


def test_the_picture_as_it_was_known_then() -> None:
    early = told((0, "unit_status", {"unit": "06-1231", "status": "available"}))
    late = append_event(
        early[-1], "VR06", "unit_status", minutes(5), minutes(30), "CaCo", {"unit": "06-1231", "status": "unavailable"}
    )
    events = [*early, late]
    assert replay(events, at=minutes(10)).units["06-1231"].status == "unavailable"
    assert replay(events, at=minutes(10), known_at=minutes(10)).units["06-1231"].status == "available"


def test_a_correction_replaces_the_fact_from_the_moment_it_was_known() -> None:
    wrong = told((0, "incident_opened", {"incident": "i", "what": "brand", "x_m": 1.0, "y_m": 2.0}))
    right = {
        "corrects": "VR06-1",
        "reason": "adres",
        "body": {"incident": "i", "what": "brand", "x_m": 7.0, "y_m": 2.0},
    }
    events = [*wrong, append_event(wrong[-1], "VR06", "correction", minutes(9), minutes(9), "CaCo", right)]
    assert replay(events, at=minutes(1)).incidents["i"].x_m == 7.0
    assert replay(events, at=minutes(1), known_at=minutes(5)).incidents["i"].x_m == 1.0
    back = {"corrects": "VR06-1", "reason": "loos"}
    events.append(append_event(events[-1], "VR06", "correction", minutes(10), minutes(10), "CaCo", back))
    assert replay(events).incidents == {}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            [
                (0, "unit_status", {"unit": "e", "status": "available"}),
                (0, "unit_status", {"unit": "e", "status": "unavailable"}),
            ],
            "tegelijk beschikbaar en niet beschikbaar",
        ),
        (
            [
                (0, "unit_position", {"unit": "e", "x_m": 1, "y_m": 1}),
                (0, "unit_position", {"unit": "e", "x_m": 2, "y_m": 1}),
            ],
            "op twee plaatsen",
        ),
        ([(0, "incident_closed", {"incident": "i"})], "nooit geopend"),
        ([(0, "unit_home", {"commitment": "c"})], "nooit gedaan"),
        ([(0, "offer_refused", {"line": "l", "region": "VR01", "reason": "te_ver"})], "nooit gevraagd"),
        (
            [
                (0, "unit_committed", {"commitment": "c", "line": "l", "unit": "e", "region": "VR01"}),
                (1, "unit_committed", {"commitment": "d", "line": "l", "unit": "e", "region": "VR01"}),
            ],
            "twee keer toegezegd",
        ),
        (
            [
                (0, "unit_committed", {"commitment": "c", "line": "l", "unit": "e", "region": "VR01"}),
                (1, "unit_home", {"commitment": "c"}),
            ],
            "thuis na toegezegd",
        ),
        (
            [
                (0, "command_handed_over", {"incident": "i", "function": "TC", "from": "A", "to": "B"}),
                (1, "command_handed_over", {"incident": "i", "function": "TC", "from": "A", "to": "C"}),
            ],
            "had B de leiding",
        ),
        (
            [
                (0, "unit_committed", {"commitment": "c", "line": "l", "unit": "e", "region": "VR01"}),
                (1, "unit_en_route", {"commitment": "c"}),
                (2, "unit_arrived", {"commitment": "c"}),
                (3, "unit_status", {"unit": "e", "status": "available"}),
            ],
            "beschikbaar, maar is ter plaatse",
        ),
    ],
)
def test_contradictions_are_kept_and_listed(facts: list[tuple[float, str, dict[str, Any]]], words: str) -> None:
    conflicts = replay(told(*facts)).conflicts
    assert len(conflicts) == 1
    assert words in conflicts[0].what
    assert f"VR06-{len(facts)}" in conflicts[0].events


def test_another_region_contradicts_but_does_not_correct() -> None:
    ours = told((0, "incident_opened", {"incident": "i", "what": "brand", "x_m": 1.0, "y_m": 2.0}))
    theirs = told((1, "correction", {"corrects": "VR06-1", "reason": "onzin"}), chain="VR07")
    situation = replay([*ours, *theirs])
    assert situation.incidents["i"].x_m == 1.0
    assert "VR07 spreekt een feit uit het logboek van VR06 tegen" in situation.conflicts[0].what


def test_a_half_correction_is_not_applied() -> None:
    ours = told(
        (0, "incident_opened", {"incident": "i", "what": "brand", "x_m": 1.0, "y_m": 2.0}),
        (1, "correction", {"corrects": "VR06-1", "reason": "plaats", "body": {"incident": "i"}}),
    )
    assert "what, x_m, y_m ontbreekt" in replay(ours).conflicts[0].what
    assert replay(ours).incidents["i"].x_m == 1.0


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("unit_flew", {}, "onbekende soort feit"),
        ("unit_status", {"unit": "e"}, "mist status"),
        ("unit_status", {"unit": "e", "status": "moe"}, "onbekende status"),
        ("offer_refused", {"line": "l", "region": "VR01", "reason": "geen zin"}, "onbekende reden"),
    ],
)
def test_a_fact_outside_the_vocabulary_is_refused(kind: str, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        told((0, kind, body))


def test_a_chain_keeps_its_name_and_its_order() -> None:
    first = told((5, "note", {"text": "x"}))[0]
    with pytest.raises(ValueError, match="hoort in het logboek van VR07"):
        append_event(first, "VR07", "note", NOON, minutes(6), "OvD", {"text": "y"})
    with pytest.raises(ValueError, match="voor de vorige vastlegging"):
        append_event(first, "VR06", "note", NOON, NOON, "OvD", {"text": "y"})
    with pytest.raises(ValueError, match="tijdzone"):
        append_event(first, "VR06", "note", NOON.replace(tzinfo=None), minutes(6), "OvD", {"text": "y"})


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

bodies = st.one_of(
    st.builds(
        lambda u, s: ("unit_status", {"unit": f"e{u}", "status": s}),
        st.integers(0, 3),
        st.sampled_from(["available", "alerted", "en_route", "unavailable"]),
    ),
    st.builds(
        lambda u, x: ("unit_position", {"unit": f"e{u}", "x_m": x, "y_m": 1.5}),
        st.integers(0, 3),
        st.floats(0, 3e5, allow_nan=False),
    ),
    st.builds(
        lambda u, c: ("unit_committed", {"commitment": f"c{c}", "line": "l", "unit": f"e{u}", "region": "VR01"}),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    st.builds(
        lambda k, c: (k, {"commitment": f"c{c}"}), st.sampled_from(sorted(COMMITMENT_STEPS)[1:]), st.integers(0, 5)
    ).filter(lambda fact: fact[0] != "unit_committed"),
    st.builds(
        lambda i: ("incident_opened", {"incident": f"i{i}", "what": "brand", "x_m": 1, "y_m": 2}), st.integers(0, 2)
    ),
    st.builds(lambda i: ("incident_closed", {"incident": f"i{i}"}), st.integers(0, 2)),
    st.builds(lambda t: ("note", {"text": t}), st.text(max_size=5)),
)
histories = st.lists(st.tuples(st.integers(0, 20), bodies), max_size=25).map(
    lambda facts: told(*[(float(m), kind, body) for m, (kind, body) in sorted(facts, key=lambda f: f[0])])
)


@given(histories)
@settings(max_examples=60, deadline=None)
def test_replay_equals_running(events: list[Event]) -> None:
    assert functools.reduce(advance, events, EMPTY) == replay(events)


@given(histories, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_facts_come_in_does_not_matter(events: list[Event], rng: Any) -> None:
    shuffled = events[:]
    rng.shuffle(shuffled)
    assert replay(shuffled) == replay(events)


@given(histories, st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_the_past_does_not_change_by_what_happens_after(events: list[Event], minute: int) -> None:
    before = [event for event in events if event.happened_at <= minutes(minute)]
    assert replay(events, at=minutes(minute)) == replay(before, at=minutes(minute))


@given(histories)
@settings(max_examples=60, deadline=None)
def test_a_line_gives_back_its_event(events: list[Event]) -> None:
    assert [parse_event(format_event(event)) for event in events] == events
    assert verify_chain(events, "VR06") == []


def test_running_refuses_what_belongs_in_the_past() -> None:
    situation = replay(FIRE)
    with pytest.raises(ValueError, match="speel het logboek opnieuw af"):
        advance(situation, FIRE[0])


# ── the chain ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "note"},
        {"happened_at": NOON + datetime.timedelta(microseconds=1)},
        {"recorded_at": NOON + datetime.timedelta(minutes=2, microseconds=1)},
        {"actor": "OvD "},
        {"body": {"text": "anders"}},
        {"number": 99},
        {"event_id": "VR06-77"},
        {"chain": "VR07"},
        {"previous_hash": "1" * 64},
        {"hash": "1" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_is_under_the_hash(change: dict[str, Any]) -> None:
    tampered = FIRE[:]
    tampered[2] = dataclasses.replace(FIRE[2], **change)
    assert verify_chain(tampered, "VR06")


def test_a_chain_rewritten_from_its_middle_still_breaks_on_the_checkpoint() -> None:
    checkpoint, _ = compute_checkpoint(FIRE[-1], minutes(400))
    rewritten = told(*[((e.happened_at - NOON).total_seconds() / 60, e.kind, e.body) for e in FIRE[:-1]])
    rewritten[3:] = []
    for event in FIRE[3:]:
        body = {**event.body, "extra": 1}
        rewritten.append(
            append_event(rewritten[-1], "VR06", event.kind, event.happened_at, event.recorded_at, "OvD", body)
        )
    assert verify_chain(rewritten, "VR06") == []
    assert "andere geschiedenis" in str(verify_checkpoint(rewritten, checkpoint)[0])
    assert "afgekapt" in str(verify_checkpoint(FIRE[:-1], checkpoint)[0])
    assert verify_checkpoint(FIRE, checkpoint) == []


# ── the stand-alone verifier ──────────────────────────────────────────────────────────────────────────────────────────

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
LOG = "".join(format_event(event) + "\n" for event in FIRE)


def signed_checkpoint(events: list[Event]) -> str:
    _, message = compute_checkpoint(events[-1], minutes(400))
    record = json.loads(message.decode().split("\n", 1)[1])
    return json.dumps({**record, "key": PUBLIC, "signature": KEY.sign(message).hex()}) + "\n"


CHECKPOINTS = signed_checkpoint(FIRE)


def test_the_verifier_passes_a_whole_log() -> None:
    assert verify(LOG, CHECKPOINTS, {"VR06": PUBLIC}) == []


def test_the_verifier_finds_any_changed_byte() -> None:
    raw = LOG.encode()
    rng = np.random.default_rng(7)
    for place in rng.choice(len(raw), size=1_500, replace=False).tolist():
        flipped = bytearray(raw)
        flipped[place] ^= 1 << int(rng.integers(0, 7))
        assert verify(flipped.decode(), CHECKPOINTS, {"VR06": PUBLIC}), (
            f"byte {place}: {flipped[place - 9 : place + 9]!r}"
        )


def test_the_verifier_finds_removal_reordering_insertion_and_truncation() -> None:
    lines = LOG.splitlines(keepends=True)
    for i in range(len(lines)):
        assert verify("".join(lines[:i] + lines[i + 1 :]), CHECKPOINTS), f"removed {i}"
        assert verify("".join(lines[:i]), CHECKPOINTS), f"cut off at {i}"
        assert verify("".join([*lines[: i + 1], *lines[i:]]), CHECKPOINTS), f"doubled {i}"
    for i in range(len(lines) - 1):
        swapped = [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]]
        assert verify("".join(swapped), CHECKPOINTS), f"swapped {i}"
    assert verify(LOG.rstrip("\n"), CHECKPOINTS)


def test_beside_the_log_of_one_region_the_checkpoints_of_others_accuse_nobody() -> None:
    of_another = signed_checkpoint(FIRE).replace('"VR06"', '"VR07"')
    assert verify(LOG, CHECKPOINTS + of_another, {"VR06": PUBLIC}) == []
    assert verify("", of_another, {"VR07": PUBLIC}), "where a whole log is gone nothing is passed over"
    both = LOG + "".join(format_event(event) + "\n" for event in told((0, "note", {"text": "x"}), chain="VR08"))
    assert verify(both, of_another), "among the logs of many, one that is missing shows"


def forked(at: int) -> list[Event]:
    """The same history up to ``at``, told otherwise from there: as long, whole in itself, and signed by its owner."""
    told_otherwise = FIRE[:at]
    for event in FIRE[at:]:
        body = {**event.body, "anders": 1}
        told_otherwise = [
            *told_otherwise,
            append_event(
                told_otherwise[-1], "VR06", event.kind, event.happened_at, event.recorded_at, event.actor, body
            ),
        ]
    return told_otherwise


def test_the_checkpoints_of_another_region_alone_prove_nothing_and_it_says_so() -> None:
    elsewhere = told((0, "note", {"text": "x"}), chain="VR07")
    found = verify(LOG, signed_checkpoint(elsewhere), {"VR06": PUBLIC, "VR07": PUBLIC})
    assert found == [
        "alle 1 controlepunten gaan over andere logboeken, geen over VR06: "
        "of dit logboek is afgekapt of herschreven, is hiermee niet te zien"
    ]
    relabelled = signed_checkpoint(elsewhere).replace('"VR07"', '"VR06"')
    assert verify(LOG, relabelled, {"VR06": PUBLIC}) == ["controlepunt 1: de handtekening klopt niet"]


@pytest.mark.parametrize("at", range(1, len(FIRE)))
def test_a_fork_of_equal_length_is_found_from_either_side(at: int) -> None:
    fork = forked(at)
    other = "".join(format_event(event) + "\n" for event in fork)
    assert len(fork) == len(FIRE)
    assert verify(other) == [], "in itself it is whole"
    for log, points in ((other, CHECKPOINTS), (LOG, signed_checkpoint(fork))):
        (found,) = verify(log, points, {"VR06": PUBLIC})
        assert "VR06 nr. 14: een andere geschiedenis dan getekend op" in found
    both = verify(LOG, CHECKPOINTS + signed_checkpoint(fork), {"VR06": PUBLIC})
    assert both[-1] == "VR06 tekende twee geschiedenissen voor nr. 14"


def test_a_checkpoint_later_than_the_log_says_how_much_is_gone() -> None:
    for length in range(1, len(FIRE)):
        short = "".join(format_event(event) + "\n" for event in FIRE[:length])
        (found,) = verify(short, CHECKPOINTS, {"VR06": PUBLIC})
        assert found.startswith("controlepunt 1: VR06 is afgekapt: op ")
        assert found.endswith(f"waren er 14 feiten, nu {length}")


def test_what_was_cut_off_after_the_last_checkpoint_is_told_as_unproven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, log, points = signed_checkpoint(FIRE[:10]), tmp_path / "log.jsonl", tmp_path / "punten.jsonl"
    log.write_text("".join(format_event(event) + "\n" for event in FIRE[:12]), "utf-8")
    for held, said in (
        (early, "VR06: getekend tot en met nr. 10; of er na nr. 12 iets ontbreekt, is niet te zien"),
        ("", "VR06: geen controlepunt; of er aan het eind iets ontbreekt, is niet te zien"),
        (signed_checkpoint(FIRE[:12]), None),
    ):
        points.write_text(held, "utf-8")
        assert main([str(log), str(points)]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("in orde: 12 feiten")
        assert shown.splitlines()[1:] == ([said] if said else [])
    points.write_text(early + CHECKPOINTS, "utf-8")
    assert main([str(log), str(points)]) == 1
    assert "VR06 is afgekapt" in capsys.readouterr().out


def test_the_verifier_trusts_only_the_key_it_was_given() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32)))).public_key().public_bytes_raw().hex()
    assert "niet getekend met de sleutel van VR06" in verify(LOG, CHECKPOINTS, {"VR06": other})[0]
    forged = CHECKPOINTS.replace('"number":14', '"number":13').replace('"number": 14', '"number": 13')
    assert "de handtekening klopt niet" in verify(LOG, forged)[0]


@given(st.binary(max_size=40), st.integers(0, 63), st.integers(0, 7))
@settings(max_examples=25, deadline=None)
def test_its_signature_check_agrees_with_cryptography(message: bytes, byte: int, bit: int) -> None:
    from slagkracht.server.verify_log import is_signed

    signature = bytearray(KEY.sign(message))
    assert is_signed(bytes.fromhex(PUBLIC), message, bytes(signature))
    signature[byte] ^= 1 << bit
    assert not is_signed(bytes.fromhex(PUBLIC), message, bytes(signature))


def test_it_runs_without_the_platform(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(LOG)
    (tmp_path / "points.jsonl").write_text(CHECKPOINTS)
    (tmp_path / "keys.json").write_text(json.dumps({"VR06": PUBLIC}))
    program = tmp_path / "verify_log.py"
    program.write_text(VERIFIER.read_text())

    def run() -> subprocess.CompletedProcess[str]:
        files = ["log.jsonl", "points.jsonl", "keys.json"]
        return subprocess.run(
            [sys.executable, "-I", "-S", str(program), *files],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    whole = run()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "in orde: 14 feiten" in whole.stdout
    assert "1 controlepunten kloppen" in whole.stdout
    (tmp_path / "log.jsonl").write_text(LOG.replace("natuurbrand", "natuurbrant"))
    assert run().returncode == 1


# ── the standing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_standing_follows_the_facts() -> None:
    events = told(
        (0, "unit_status", {"unit": "e1", "status": "returning"}),
        (1, "unit_position", {"unit": "e1", "x_m": 9_000.0, "y_m": 300.0}),
        (2, "unit_committed", {"commitment": "c", "line": "l", "unit": "e2", "region": "VR06"}),
        (3, "unit_status", {"unit": "e3", "status": "unavailable"}),
        (4, "unit_status", {"unit": "onbekend", "status": "available"}),
    )
    now = compute_standing_at(replay(events), two_stations(), "dag", minutes(5))
    assert now.standing.origin.tolist() == [1, 0, 1]
    assert now.standing.free.tolist() == [True, False, False]
    assert now.standing.turnout_s.tolist() == [0.0, 90.0, 90.0]
    assert now.standing.readiness.tolist() == pytest.approx([1.0, 0.9, 0.0])
    assert now.age_s.tolist() == [240.0, np.inf, 120.0]
    assert now.shift_m[0] == pytest.approx(np.hypot(1_000, 300))


def test_a_unit_that_moves_up_covers_from_neither_until_it_stands() -> None:
    move = {"unit": "e1", "move_up": "K-2"}
    events = told(
        (0, "unit_position", {**move, "x_m": 0.0, "y_m": 0.0, "move_up_step": "ordered"}),
        (20, "unit_position", {**move, "x_m": 9_000.0, "y_m": 300.0, "move_up_step": "arrived"}),
        (60, "unit_position", {**move, "x_m": 0.0, "y_m": 0.0, "move_up": "", "move_up_step": "ended"}),
    )
    plan = two_stations()
    seen = [compute_standing_at(replay(events, minutes(at)), plan, "dag", minutes(at)).standing for at in (1, 21, 61)]
    assert [(bool(each.free[0]), int(each.origin[0])) for each in seen] == [(False, 0), (True, 1), (True, 0)]
    assert [float(each.turnout_s[0]) for each in seen][1:] == [60.0, 90.0], "a crew that waits there, and one at home"
    before = told((0, "unit_position", {**move, "x_m": 9_000.0, "y_m": 300.0}))
    assert compute_standing_at(replay(before), plan, "dag", minutes(1)).standing.free[0], "a log of before"


def test_without_facts_the_plan_speaks() -> None:
    now = compute_standing_at(replay([]), two_stations(), "nacht", NOON)
    assert now.standing.free.all()
    assert now.standing.origin.tolist() == [0, 0, 1]
    assert np.isinf(now.age_s).all()


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda below: (
            st.lists(below, max_size=3) | st.dictionaries(st.sampled_from([*sorted(FIELDS), "x"]), below, max_size=12)
        ),
        max_leaves=15,
    ).map(json.dumps)
)
def test_any_line_is_an_entry_or_is_refused(line: str) -> None:
    with contextlib.suppress(ValueError):
        parse_event(line)
    assert verify(line + "\n"), "no made-up line is part of a log"
    verify("", line, {})


def test_a_line_of_a_hundred_thousand_brackets_is_refused() -> None:
    with pytest.raises(ValueError, match="geen logboekregel"):
        parse_event("[" * 100_000)
    assert verify("[" * 100_000 + "\n", "[" * 100_000)


def test_what_is_met_follows_who_dropped_out_and_survives_an_odd_count() -> None:
    asked = [
        (0, "request_made", {"request": "a", "region": "VR06", "incident": "i", "ground": "g"}),
        (1, "line_asked", {"request": "a", "line": "l", "formation": "peloton", "count": 3}),
        (2, "offer_made", {"offer": "o", "line": "l", "region": "VR07", "units": ["1", "2", "3", "4"], "count": 2}),
        *[(3, "unit_committed", {"commitment": f"c{n}", "line": "l", "unit": f"{n}", "region": "VR07", "offer": "o"})
          for n in range(1, 5)],
    ]  # fmt: skip
    assert count_met(replay(told(*asked))) == {"l": 2}
    gone = [(4, "unit_released", {"commitment": "c1"}), (5, "unit_released", {"commitment": "c2", "reason": "te_ver"})]
    assert [count_met(replay(told(*asked, *gone[:n])))["l"] for n in (1, 2)] == [1, 1], "only whole formations count"
    closed = [(6, "line_unmet", {"line": "l", "count": 2, "reason": "te_ver"}), (7, "request_closed", {"request": "a"})]
    late = (8, "unit_released", {"commitment": "c3"})
    assert count_met(replay(told(*asked, *gone, *closed, late))) == {"l": 1}, "as it was answered"
    odd = [(at, kind, body | {"count": "veel"} if "count" in body else body) for at, kind, body in (*asked, *closed)]
    assert count_met(replay(told(*odd))) == {"l": 0}
