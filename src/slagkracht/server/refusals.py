"""What a person reads when something cannot be done: a sentence with named places, and what stands in them."""

from __future__ import annotations


class SaidError(Exception):
    """``sentence`` in Dutch, with places like {unit}; ``values`` what stands in them.

    ``str`` gives the Dutch text, for the API and the log; a screen says it in the language of who reads.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence, self.values = sentence, values
