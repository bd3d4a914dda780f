"""What `doctor` tells of the network: proxies, and the sources it tries."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from qwen_tui.cli.context import Context
from qwen_tui.cli.doctor_parts import Problem, Section
from qwen_tui.cli.output import size_text
from qwen_tui.errors import UsageError
from qwen_tui.hub.endpoint import MIRROR, OFFICIAL, resolve_endpoint
from qwen_tui.hub.queries import ProbeResult, best_source
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_OPTIONS = {OFFICIAL: "official", MIRROR: "mirror"}
_SILENT = ("unreachable", "stalled")
_NAMES = {OFFICIAL: N_("official"), MIRROR: N_("mirror")}


def proxies(environ: Mapping[str, str]) -> Section:
    """Proxies by their host alone: what stands before it may be a password."""
    fields = {name: _place_of(value) for name, value in _set(environ, *_PROXIES)}
    fields |= dict(_set(environ, "NO_PROXY"))
    rows = [(name, sanitize_line(text)) for name, text in fields.items()]
    rows = rows or [(_("none"), "")]
    return Section("proxies", _("proxies"), rows, {"proxies": fields})


def _set(environ: Mapping[str, str], *names: str) -> list[tuple[str, str]]:
    """Of variables that are spelled in either case, those that are set."""
    spelled = [spelling for name in names for spelling in (name, name.lower())]
    return [(name, environ[name]) for name in spelled if environ.get(name)]


def sources_to_try(context: Context) -> tuple[dict[str, str], list[Problem]]:
    """Base URL to the name a person knows it by; the one in force comes first."""
    problems: list[Problem] = []
    try:
        urls = [resolve_endpoint(context.settings.downloads.endpoint)]
    except UsageError as error:
        urls = []
        origin = sanitize_line(context.settings.origins["downloads.endpoint"])
        # not its own sentence: that repeats the value, which may hold a password
        message = _("What {origin} sets is no endpoint.").format(origin=_(origin))
        problems.append(Problem(error.code, message, error.hint, is_broken=True))
    names = {url: _name_of(url) for url in [*urls, OFFICIAL, MIRROR]}
    return names, problems


def source_row(name: str, result: ProbeResult) -> tuple[str, str]:
    """One source: how soon, how fast, and from whom; or why not."""
    hosts = " > ".join(dict.fromkeys(map(sanitize_line, result.hosts)))
    if result.code:
        text = sanitize_line(result.message)
        return name, f"{text} ({hosts})" if hosts else text
    return name, _("{ms} ms, {speed}/s, served by {hosts}").format(
        ms=round(1000 * result.latency_s),
        speed=size_text(result.bytes_per_s),
        hosts=hosts,
    )


def source_problems(
    names: Mapping[str, str], results: Sequence[ProbeResult]
) -> list[Problem]:
    """What matters is the source in force, the first of `names`."""
    in_force = next((r for r in results if r.endpoint == next(iter(names))), None)
    if in_force is None or not in_force.code:
        return []
    best = best_source(results)
    hint = in_force.hint
    if best is not None:
        hint = _(
            "{name} answers: --endpoint {endpoint}, or change the setting."
        ).format(name=names[best], endpoint=_OPTIONS.get(best, best))
    elif all(result.code in _SILENT for result in results):
        hint = _("Check the network and proxy. Models that are here need neither.")
    return [Problem(in_force.code, in_force.message, hint)]


def _name_of(url: str) -> str:
    return _(_NAMES[url]) if url in _NAMES else sanitize_line(urlsplit(url).netloc)


def _place_of(address: str) -> str:
    """Scheme, host and port of a proxy's address."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return _("set, but no address")
    if not parts.hostname:
        return _("set, but no address")
    return f"{parts.scheme}://{parts.hostname}{port}"
