"""Who may use the program in a browser: our own page, with the secret in its path.

Any page in a person's browser can send to a port of this machine, and so can every
other user of it. Hence for each request, whatever it asks for: the secret, a name of
this machine as Host (a foreign name may be made to lead here), and as Origin, where
there is one, our own page.

A cookie would not do for the secret: browsers send cookies of one port to all ports.
"""

import re
import secrets
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from qwen_tui.i18n import _

_SECRET_BYTES = 24
# The names a browser may know us by, with any port: a forwarded one may differ.
_OUR_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests in, or not, and tells the browser what the page may do."""

    secret: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))
    """The first part of every path."""

    @property
    def prefix(self) -> str:
        """The path that everything lies under."""
        return f"/{self.secret}"

    def lets_in(self, request: web.BaseRequest) -> bool:
        """Tell whether a request comes from our own page, or opens it."""
        host = request.headers.get(hdrs.HOST, "")
        origin = request.headers.get(hdrs.ORIGIN)
        if not _OUR_HOST.fullmatch(host):
            return False
        if origin is None and hdrs.UPGRADE in request.headers:
            return False  # a browser names the page that opens a websocket
        if origin not in (None, f"http://{host}"):
            return False
        first = request.path.strip("/").partition("/")[0]
        return secrets.compare_digest(first.encode(), self.secret.encode())

    def middleware(self) -> Middleware:
        """Return what refuses the others, with 403 for everything there is or not."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self.lets_in(request):
                text = _("Open the address that qwen-tui web has printed, all of it.")
                raise web.HTTPForbidden(text=f"{text}\n")
            return await handler(request)

        return guard


async def restrict(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser fetch nothing from elsewhere, and tell nobody the address."""
    host = request.headers.get(hdrs.HOST, "")
    socket = f"ws://{host}" if _OUR_HOST.fullmatch(host) else ""
    response.headers.update(
        {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; font-src 'self'; "
                "img-src 'self' data:; "
                "style-src 'self' 'unsafe-inline'; "  # xterm.js writes its own
                f"connect-src 'self' {socket}; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
    )
