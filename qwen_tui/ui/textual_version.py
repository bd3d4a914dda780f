"""Whether Textual is the version whose inside some of our parts know."""

from pathlib import Path

KNOWN = "8.2.8"


def is_known_textual() -> bool:
    """Tell whether parts that lean on Textual's inside may be used."""
    import textual

    # its own `__version__` looks at every package's metadata: 20 ms before a frame
    if "__version__" not in vars(textual):
        folder = Path(textual.__file__).parents[1]
        if (folder / f"textual-{KNOWN}.dist-info").is_dir():
            return True
    return textual.__version__ == KNOWN
