"""The word for every code that a screen may meet, in the language of who reads."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as said

from slagkracht.decisions import OUTCOMES
from slagkracht.log import COMMITMENT_STATES, KINDS, UNIT_STATUSES, UNMET_REASONS
from slagkracht.relief import REASONS as RELIEF_REASONS
from slagkracht.resources import REGIMES, WINDOWS
from slagkracht.server.database import CLASSES
from slagkracht.sources.procedure_files import read_procedures
from slagkracht.strength import REASONS_WHERE_ASSIGNED

WORDS = {
    **{role.code: role.dutch for role in read_procedures()[1].values()},
    **COMMITMENT_STATES,
    **UNIT_STATUSES,
    **UNMET_REASONS,
    **{code: kind.dutch for code, kind in KINDS.items() if code not in COMMITMENT_STATES},
    **{
        text: text
        for text in (*WINDOWS, *CLASSES, *OUTCOMES, *REASONS_WHERE_ASSIGNED.values(), *RELIEF_REASONS.values())
    },
    **{regime: regime.replace("_", " ") for regime in REGIMES},
    "wvr51_minister": said("Wvr art. 51 lid 1: via de minister (LOCC)"),
    "wvr51_5_buurregio": said("Wvr art. 51 lid 5: rechtstreeks aan een buurregio"),
    "aanbod staat": said("aangeboden"),
    "aanbod geweigerd": said("geweigerd"),
    "aanbod ingetrokken": said("ingetrokken"),
    "aanbod aanvaard": said("aanvaard"),
    "beschikbaarheid": said("beschikbaarheid"),
    "plaats": said("beschikbaarheid en plaats"),
    "volledig": said("alles"),
    "veld bezetting": said("bezetting"),
    "veld kazerne": said("kazerne"),
    "echt": said("echt"),
    "oefening": said("oefening"),
    "beheerder": said("beheerder"),
    "niemand": said("niemand"),
    "te verifiëren": said("te verifiëren"),
}
"""The Dutch word for every code; one that means more than one thing is named by its kind too."""


def tell(code: str, kind: str = "") -> str:
    """The word for a code in the language of the page; the code itself where there is none."""
    found = WORDS.get(f"{kind} {code}", WORDS.get(code))
    return gettext(found) if found else code
