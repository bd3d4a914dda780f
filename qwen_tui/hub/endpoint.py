"""Where a hub is: the official one, the mirror, or any base URL."""

from urllib.parse import urlsplit

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

OFFICIAL = "https://huggingface.co"
MIRROR = "https://hf-mirror.com"

_NAMES = {"official": OFFICIAL, "mirror": MIRROR}


def resolve_endpoint(value: str) -> str:
    """Return the base URL of "official", "mirror" or a URL.

    The URL comes back with scheme and host in lower case, without a trailing
    slash, and without a default port.

    Raises:
        UsageError: not a name we know, no http(s) URL, or a URL that carries a
            user name, a query or a fragment.
    """
    text = value.strip()
    named = _NAMES.get(text.lower())
    if named is not None:
        return named
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refused(text) from error
    has_extra = parts.username is not None or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or has_extra:
        raise _refused(text)
    if not text.isprintable() or any(c.isspace() for c in text):
        raise _refused(text)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default_port = 443 if parts.scheme == "https" else 80
    place = host if port in (None, default_port) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def is_official(endpoint: str) -> bool:
    """Whether a normalised base URL is the official hub's."""
    return endpoint == OFFICIAL


def _refused(value: str) -> UsageError:
    return UsageError(
        _('"{value}" is no endpoint.').format(value=sanitize_line(value)),
        hint=_("Use official, mirror, or a URL such as {example}.").format(
            example=MIRROR
        ),
    )
