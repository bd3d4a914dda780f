"""What the hub process says to a query."""

import pytest

from qwen_tui import wire
from qwen_tui.hub.answers import answer
from qwen_tui.wire_hub import (
    Info,
    InfoResult,
    Probe,
    ProbeResult,
    QueryFailed,
    RemoteInfo,
    RemoteModel,
    Search,
    SearchResult,
)
from tests.fake_hub import FakeHub, Fault
from tests.hub.conftest import BIG, BIG_BYTES, REPO

CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens


def said(request: Probe | Search | Info) -> wire.Message:
    messages: list[wire.Message] = []
    answer(request, messages.append)
    (message,) = messages
    return message


def found(hub: FakeHub, query: str = "model", limit: int = 30) -> list[RemoteModel]:
    message = said(Search(1, hub.url, query, limit))
    assert isinstance(message, SearchResult)
    return list(message.models)


def described(hub: FakeHub, repo: str = REPO) -> RemoteInfo:
    message = said(Info(1, hub.url, repo))
    assert isinstance(message, InfoResult)
    return message.info


@pytest.fixture(autouse=True)
def repo(hub: FakeHub, files: dict[str, bytes]) -> None:
    hub.add_repo(REPO, files)


def test_a_search_tells_what_a_person_chooses_by(hub: FakeHub) -> None:
    formats = {"parameters": {"BF16": 600, "F8_E4M3": 50}}
    hub.add_repo(
        "qwen/model-FP8",
        {"config.json": b"{}"},
        gated=True,
        info={"downloads": 1234, "likes": 5, "safetensors": formats, "tags": ["a", 7]},
    )
    hub.add_repo("qwen/model", {"README.md": b"x"}, info={"downloads": "many"})
    hub.add_repo("qwen/../model", {"README.md": b"x"})
    first, *others = found(hub)
    assert (first.repo, first.downloads, first.likes) == ("qwen/model-FP8", 1234, 5)
    assert (first.size_bytes, first.gated, first.tags) == (1250, True, ("a",))
    assert first.updated_at == "2025-07-26T03:46:27.000Z"
    assert {m.repo: m.size_bytes for m in others} == {
        REPO: BIG_BYTES,
        "qwen/model": None,
    }


def test_a_search_takes_one_page_wherever_the_next_one_is(hub: FakeHub) -> None:
    for number in range(5):
        hub.add_repo(f"owner/model-{number}", {"README.md": b"x"})
    hub.next_link_base = "https://huggingface.co"
    assert len(found(hub, limit=3)) == 3
    assert len(hub.seen) == 1


def test_a_listing_whose_next_page_leaves_the_mirror_is_read_from_it(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.page_entries = 1
    hub.next_link_base = CLOSED
    assert {file.path for file in described(hub).files} == set(files)


def test_what_a_repo_says_wrongly_is_left_out(hub: FakeHub) -> None:
    files = {"config.json": b"[1]", "a.gguf": b"GGUF1", "b.gguf": b"GGUF22"}
    hub.add_repo("owner/odd", files, info={"cardData": 5, "tags": ["license:mit"]})
    info = described(hub, "owner/odd")
    assert (info.license, info.config, info.context_length) == ("mit", {}, 0)
    assert info.weights_bytes == len(b"GGUF1")  # the other is the same model again
    hub.add_repo("owner/page", {"config.json": b"<html>"})
    assert described(hub, "owner/page").config == {}


def test_a_gated_repo_is_described_as_far_as_it_may_be(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.add_repo("owner/gated", files, gated=True)
    info = described(hub, "owner/gated")
    assert info.gated
    assert info.weights_bytes == BIG_BYTES
    assert info.config == {}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("status", status=401), "unauthorized"),
        (Fault("status", status=403), "unauthorized"),
        (
            Fault("status", status=403, headers={"X-Error-Code": "GatedRepo"}),
            "gated",
        ),
        (Fault("status", status=404), "not_found"),
        (Fault("status", status=429, headers={"Retry-After": "60"}), "rate_limited"),
        (Fault("status", status=503), "server_error"),
        (Fault("status", status=418), "bad_reply"),
        (Fault("status", status=200, body=b"{"), "bad_reply"),
        (Fault("html"), "captive_portal"),
        (Fault("redirect", location=CLOSED), "redirected"),
        (Fault("redirect", location="ftp://127.0.0.1"), "bad_reply"),
    ],
    ids=str,
)
def test_every_refusal_has_its_own_code_sentence_and_hint(
    hub: FakeHub, fault: Fault, code: str
) -> None:
    fault.times, fault.path = -1, "/api/"
    hub.faults.append(fault)
    requests = (
        Search(1, hub.url, "model"),
        Info(2, hub.url, REPO),
        Probe(3, (hub.url,), REPO, BIG),
    )
    for request in requests:
        message = said(request)
        assert isinstance(message, QueryFailed | ProbeResult)
        assert message.code == code
        assert message.message
        assert message.hint
    assert len(hub.seen) <= 6


@pytest.mark.parametrize("body", [b"7", b"{}", b'[{"path": 3}]', b'"text"'])
def test_an_answer_of_another_shape_is_no_answer(hub: FakeHub, body: bytes) -> None:
    hub.faults.append(Fault("status", status=200, body=body, times=-1))
    for request in (Search(1, hub.url, "model"), Info(2, hub.url, REPO)):
        message = said(request)
        if body == b'[{"path": 3}]' and isinstance(request, Search):
            assert message == SearchResult(1, ())
        else:
            assert isinstance(message, QueryFailed)
            assert message.code == "bad_reply"


def test_one_broken_connection_is_tried_again(hub: FakeHub) -> None:
    hub.faults.append(Fault("status", status=502))
    assert found(hub)
    assert [seen.status for seen in hub.seen] == [502, 200]


def test_what_the_hub_wants_to_be_waited_for_is_told_at_once(hub: FakeHub) -> None:
    fault = Fault("status", status=503, headers={"Retry-After": "60"}, times=-1)
    hub.faults.append(fault)
    message = said(Search(1, hub.url, "model"))
    assert isinstance(message, QueryFailed)
    assert message.code == "server_error"
    assert len(hub.seen) == 1


def test_a_source_that_never_answers_holds_up_no_other(hub: FakeHub) -> None:
    with FakeHub() as silent:
        silent.faults.append(Fault("hang", times=-1))
        messages: list[wire.Message] = []
        request = Probe(1, (silent.url, hub.url), REPO, BIG)
        answer(request, messages.append, longest_probe_s=2.0)
    results = {m.endpoint: m for m in messages if isinstance(m, ProbeResult)}
    assert len(messages) == 2
    assert results[hub.url].reachable
    given_up = results[silent.url]
    assert (given_up.reachable, given_up.code) == (False, "stalled")
    assert silent.url.partition("//")[2] in given_up.message
