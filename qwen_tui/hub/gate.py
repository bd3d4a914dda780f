"""What to do about a gated model, in words."""

from urllib.parse import urlsplit

from qwen_tui.errors import HubError
from qwen_tui.hub.endpoint import OFFICIAL
from qwen_tui.hub.environment import token_file
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_NO_TOKEN = 401
_REPO_PARTS = 2


def gated(what: str, *, status: int, host: str) -> HubError:
    """The owner of a repo decides who may read it.

    Args:
        what: "owner/repo", or a file below it.
        status: 401 where the hub saw no token, 403 where the token may not read.
        host: Who refused.
    """
    repo = "/".join(what.split("/")[:_REPO_PARTS])
    page = f"{OFFICIAL}/{sanitize_line(repo)}"
    if host != urlsplit(OFFICIAL).netloc:
        hint = _(
            "Accept its terms on {page}, then use --endpoint official with a token: "
            "{host} is shown none unless downloads.token_hosts names it."
        )
    elif status == _NO_TOKEN:
        hint = _(
            "Accept its terms on {page}, then set HF_TOKEN or save your token in "
            "{file}."
        )
    else:
        hint = _(
            "Your token may not read it: accept its terms on {page} and wait for the "
            "owner, or check what the token is allowed to do."
        )
    return HubError(
        _("{repo} is gated: its owner decides who may read it.").format(
            repo=sanitize_line(what)
        ),
        hint=hint.format(
            page=page, host=sanitize_line(host), file=sanitize_line(str(token_file()))
        ),
        code="gated",
    )
