"""Every scale is told apart by readers of every colour sense, and the one-way scales also in grey."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from slagkracht.reports.colours import MISSING_COLOUR, SCALES, colour_of

Colours = npt.NDArray[np.float64]

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
SENSES = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(codes: list[str]) -> Colours:
    rgb = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colours) -> Colours:
    """CIELAB (D65) of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(rgb, 0, 1) @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("name", SCALES)
def test_any_two_classes_are_told_apart(name: str, sense: str) -> None:
    seen = lab(linear(list(SCALES[name].colours)) @ SENSES[sense].T)
    for i in range(len(seen)):
        for j in range(i):
            assert np.linalg.norm(seen[i] - seen[j]) > 7, f"{name}: classes {j} and {i} look alike with {sense}"


@pytest.mark.parametrize("name", ["tijd", "marge", "kans", "winst", "staat", "ondergrens"])
def test_a_scale_that_runs_one_way_does_so_in_grey(name: str) -> None:
    lightness = lab(linear(list(SCALES[name].colours)))[:, 0]
    steps = np.diff(lightness)
    assert (steps < -4).all() or (steps > 4).all(), f"{name}: {lightness.round(1)}"


@pytest.mark.parametrize("name", SCALES)
def test_a_class_has_a_colour_and_a_label(name: str) -> None:
    scale = SCALES[name]
    assert list(scale.breaks) == sorted(scale.breaks)
    assert len(scale.colours) == len(scale.labels) == len(scale.breaks) + 1
    assert len(set(scale.labels)) == len(scale.labels)
    assert MISSING_COLOUR not in scale.colours


def test_a_value_on_a_break_falls_in_the_class_above() -> None:
    scale = SCALES["tijd"]
    assert colour_of(scale, 359) == scale.colours[0]
    assert colour_of(scale, 360) == scale.colours[1]
    assert colour_of(scale, 5000) == scale.colours[-1]
    assert colour_of(scale, None) == MISSING_COLOUR


def test_exactly_on_the_norm_is_in_time() -> None:
    scale = SCALES["marge"]
    assert scale.labels[scale.colours.index(colour_of(scale, 0))] == "op tijd"
    assert scale.labels[scale.colours.index(colour_of(scale, 1))] == "tot 1 minuut te laat"
