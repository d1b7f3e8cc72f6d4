"""The 25 safety regions: each its own boss, together the nation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a plan, one row each, in the order that every ``region`` column counts in.

    ``code`` str [R] is VR01–VR25 (or a code of one's own in an example), ``name`` str [R] the official name.
    """

    code: Strings
    name: Strings

    def __len__(self) -> int:
        return len(self.code)
