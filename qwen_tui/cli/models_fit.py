"""Whether a model fits, in words."""

from qwen_tui.i18n import N_

FITS = {
    "fits": N_("fits"),
    "tight": N_("fits barely"),
    "too_big": N_("does not fit"),
    "unknown": N_("not known whether it fits"),
}
"""A verdict of `hub.fit` to its words, which are marked for the catalogue."""
