"""What the environment says of hubs: the token, offline mode, a child's variables."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.errors import HubError
from qwen_tui.hub.endpoint import may_see_token
from qwen_tui.i18n import _, language
from qwen_tui.paths import hf_home

_TRUE = frozenset(("1", "ON", "YES", "TRUE"))  # huggingface_hub 2.4 constants.py
NO_TOKEN_VARIABLE = "HF_HUB_DISABLE_IMPLICIT_TOKEN"  # noqa: S105 - a name
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


@dataclass(frozen=True, slots=True)
class Token:
    """The saved token of the official hub."""

    value: str = ""
    """Empty where there is none."""
    origin: str = ""
    """The variable or file it came from, or the one that is empty or forbids it."""


def look_up_token(environ: Mapping[str, str] | None = None) -> Token:
    """Find the token as huggingface_hub 2.4 does, and tell where."""
    env = os.environ if environ is None else environ
    if is_on(env, NO_TOKEN_VARIABLE):
        return Token(origin=NO_TOKEN_VARIABLE)
    for name in _TOKEN_VARIABLES:
        if token := _clean(env.get(name, "")):
            return Token(token, name)
    file = token_file(env)
    try:
        return Token(_clean(file.read_text(encoding="utf-8")), str(file))
    except (OSError, ValueError):
        return Token(origin=str(file))


def token_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where the library saves the token; it may not exist."""
    env = os.environ if environ is None else environ
    path = env.get("HF_TOKEN_PATH")
    return Path(path).expanduser() if path else hf_home(env) / "token"


def find_token(environ: Mapping[str, str] | None = None) -> str:
    """The saved token of the official hub, as the library finds it; may be empty."""
    return look_up_token(environ).value


def token_for(
    endpoint: str,
    token_hosts: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> str:
    """The saved token where an endpoint may see it, else nothing.

    Args:
        endpoint: Base URL, normalised.
        token_hosts: Hosts beside the official hub's that a person allows.
        environ: Where HF_TOKEN, HF_TOKEN_PATH and HF_HOME are looked up.
    """
    return find_token(environ) if may_see_token(endpoint, token_hosts) else ""


def check_online(environ: Mapping[str, str] | None = None) -> None:
    """Refuse to make a request where HF_HUB_OFFLINE forbids it.

    Raises:
        HubError: "unreachable".
    """
    if is_on(os.environ if environ is None else environ, "HF_HUB_OFFLINE"):
        raise HubError(
            _("HF_HUB_OFFLINE is set, so nothing is fetched."),
            hint=_("Unset it for this command, or use a model that is here."),
            code="unreachable",
        )


def child_environ(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a hub process: no token, no telemetry, no Xet.

    What the library freezes at import has to be set before the child starts.
    """
    env = os.environ if environ is None else environ
    kept = {k: v for k, v in env.items() if k not in _TOKEN_VARIABLES}
    return kept | {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "QWEN_TUI_LANG": language(),
    }


def is_on(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable of the library is set to one of its words for yes."""
    return environ.get(name, "").upper() in _TRUE


def _clean(token: str) -> str:
    token = token.strip()
    return token if token.isascii() and token.isprintable() else ""
