"""Where a hub is: the official one, the mirror, or any base URL."""

from collections.abc import Iterable
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


def token_origins(hosts: Iterable[str] = ()) -> tuple[str, ...]:
    """Origins that may see the token: the official hub, and those a person allows.

    Args:
        hosts: Of the setting downloads.token_hosts: "hub.example.com" (https) or an
            origin such as "http://10.0.0.5:8080".

    Raises:
        UsageError: an entry is neither.
    """
    allowed = [resolve_endpoint(h if "://" in h else f"https://{h}") for h in hosts]
    return (OFFICIAL, *map(_origin, allowed))


def may_see_token(endpoint: str, hosts: Iterable[str] = ()) -> bool:
    """Whether a normalised base URL is at one of `token_origins(hosts)`."""
    return _origin(endpoint) in token_origins(hosts)


def _origin(endpoint: str) -> str:
    """Scheme, host and port of a normalised base URL."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def _refused(value: str) -> UsageError:
    return UsageError(
        _('"{value}" is no endpoint.').format(value=sanitize_line(value)),
        hint=_("Use official, mirror, or a URL such as {example}.").format(
            example=MIRROR
        ),
    )
