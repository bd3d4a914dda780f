"""How often the screen is drawn: on a thin line less often, and more at a time."""

from typing import NamedTuple


class Pace(NamedTuple):
    """What a line to the terminal can carry."""

    frames_per_s: int
    """At most; a letter that is typed waits for the next frame."""
    flush_s: float
    """Seconds for which an answer's tokens are gathered."""
    status_s: float
    """Seconds from one telling of the progress to the next."""


USUAL = Pace(frames_per_s=30, flush_s=0.066, status_s=0.5)
SLOW_LINK = Pace(frames_per_s=15, flush_s=0.4, status_s=2.0)


def pace_for(*, slow_link: bool) -> Pace:
    """Return how often to draw."""
    return SLOW_LINK if slow_link else USUAL
