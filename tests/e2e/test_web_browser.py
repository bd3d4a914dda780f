"""The screen in a real browser, where one is installed."""

from pathlib import Path

import pytest

from tests.e2e.browser import CHROMIUM, chromium
from tests.e2e.programs import DONE
from tests.e2e.web import programs, serving
from tests.helpers import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

HEADER = (42, 42, 58)
"""The background of the first row in our dark theme."""


async def test_a_browser_draws_the_program_and_fetches_from_it_alone(tmp_path: Path):
    with serving(tmp_path, "--model=demo") as served:
        async with chromium(tmp_path / "profile") as tab:
            await tab.call("Page.navigate", url=served.address)
            await tab.wait_for("demo bf16")
            for key in "What is the capital of France?":
                await tab.press(key)
            await tab.press("Enter")
            await tab.wait_for("Paris")
            await tab.wait_for(DONE)
            assert (await tab.colours()).get(HEADER, 0) > 5_000
            own = (served.address, served.address.replace("http", "ws"), "data:")
            assert [url for url in tab.requests if not url.startswith(own)] == []
            assert tab.problems == []
            await tab.call("Page.close")
            await until(lambda: tab.dialogs == ["beforeunload"])
            assert len(programs(served)) == 2
            await tab.call("Page.handleJavaScriptDialog", accept=True)
            await until(lambda: not programs(served))
