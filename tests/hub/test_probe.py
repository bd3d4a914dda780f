"""One source is tried: who serves the bytes, how soon, how fast, or why not."""

import pytest

from qwen_tui.hub.client import HttpOptions
from qwen_tui.hub.probe import ProbeOptions, probe
from qwen_tui.wire_hub import ProbeResult
from tests.fake_hub import FakeHub, Fault
from tests.hub.conftest import BIG, BIG_BYTES, REPO

QUICK = ProbeOptions(
    read_bytes=1_000_000, read_s=1.0, http=HttpOptions(5.0, read_timeout_s=1.0)
)


def tried(hub: FakeHub, options: ProbeOptions = QUICK) -> ProbeResult:
    return probe(hub.url, repo=REPO, file=BIG, options=options)


@pytest.fixture(autouse=True)
def repo(hub: FakeHub, files: dict[str, bytes]) -> None:
    hub.add_repo(REPO, files)


def test_the_last_host_is_the_one_that_serves_the_bytes(hub: FakeHub) -> None:
    result = tried(hub)
    hub_host, cdn_host = (u.partition("//")[2] for u in (hub.url, hub.cdn_url))
    assert (result.reachable, result.code) == (True, "")
    assert result.hosts == (hub_host, cdn_host)
    assert result.api_hosts == (hub_host,)
    assert result.latency_s > 0
    assert result.bytes_per_s > 0


def test_it_asks_for_one_byte_and_then_for_a_little(hub: FakeHub) -> None:
    tried(hub)
    ranges = [seen.headers.get("range") for seen in hub.requests(BIG, "cdn")]
    assert ranges == ["bytes=0-0", "bytes=0-999999"]
    assert len(hub.seen) == 5
    assert not [seen for seen in hub.seen if "authorization" in seen.headers]


def test_a_server_that_ignores_the_range_is_not_read_to_its_end(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    large = {**files, BIG: bytes(40 * BIG_BYTES)}
    hub.add_repo(REPO, large)
    hub.faults.append(Fault("ignore_range", path=BIG, times=-1))
    result = tried(hub)
    assert result.reachable
    assert hub.file_bytes(BIG) < len(large[BIG])


@pytest.mark.parametrize("after_bytes", [0, 300_000])
def test_a_source_that_falls_silent_is_given_up(hub: FakeHub, after_bytes: int) -> None:
    fault = Fault("hold", path=BIG, origin="cdn", after_bytes=after_bytes, times=-1)
    hub.faults.append(fault)
    result = tried(hub)
    assert result.code == "stalled"
    assert result.hosts[-1] == hub.cdn_url.partition("//")[2]
    assert result.bytes_per_s == 0
    # the first byte came, the short read did not
    assert result.reachable is bool(after_bytes)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("status", path="/resolve/", status=404), "not_found"),
        (Fault("status", path="/resolve/", status=429), "rate_limited"),
        (Fault("status", origin="cdn", status=503), "server_error"),
        (Fault("expired", origin="cdn"), "server_error"),
        (Fault("html", origin="cdn"), "captive_portal"),
        (Fault("html", path="/api/"), "captive_portal"),
        (Fault("compressed", path=BIG), "bad_reply"),
        (Fault("reset", path=BIG), "unreachable"),
    ],
    ids=str,
)
def test_every_failure_has_a_code_a_sentence_and_a_hint(
    hub: FakeHub, fault: Fault, code: str
) -> None:
    fault.times = -1
    hub.faults.append(fault)
    result = tried(hub)
    assert (result.reachable, result.code) == (False, code)
    assert result.message
    assert result.hint
    assert result.api_hosts


def test_an_api_that_leads_elsewhere_is_told_and_not_followed(hub: FakeHub) -> None:
    with FakeHub() as other:
        hub.faults.append(Fault("redirect", path="/api/", location=other.url))
        result = tried(hub)
        assert not other.seen
    assert result.code == "redirected"
    assert other.url.partition("//")[2] in result.message
