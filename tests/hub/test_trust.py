"""What a server says is not believed, and what we know is not told."""

import gzip
from pathlib import Path

import pytest

from qwen_tui.errors import DownloadError
from qwen_tui.hub.endpoint import OFFICIAL
from tests.fake_hub import FakeHub, Fault
from tests.hub.conftest import REPO, Mover, failure
from tests.hub.models import same_as


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/evil",
        "a/../../evil",
        "a//evil",
        "C:/evil",
        "..\\evil",
        "a\\evil",
        ".git/hooks/evil",
        ".cache/huggingface/download/evil",
        "evil\x1b[2J",
        "evil\0",
        "./evil",
        "a/" * 600 + "evil",
        "evil" * 61,
        "模" * 81 + "evil",
        "",
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_a_path_that_leads_outside_stops_everything(
    mover: Mover, hub: FakeHub, tmp_path: Path, path: str, plain: bool
) -> None:
    hub.hidden_paths = [path]
    with pytest.raises(DownloadError) as caught:
        mover.fetch(local_dir=tmp_path / "plain" if plain else None)
    assert caught.value.code == "unsafe_path"
    assert "\x1b" not in caught.value.message
    assert not [f for f in tmp_path.rglob("*") if "evil" in f.name]
    assert not hub.requests("/resolve/")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tree/", b"{}"),
        ("/tree/", b"null"),
        ("/tree/", b"[1]"),
        ("/tree/", b'[{"type": "file"}]'),
        ("/tree/", b'[{"type": "file", "path": 1, "oid": "x", "size": 1}]'),
        ("/tree/", b'[{"type": "file", "path": "a", "oid": "../x", "size": 1}]'),
        ("/tree/", b'[{"type": "file", "path": "a", "oid": "0", "size": -1}]'),
        ("/tree/", b"[" * 200_000),
        ("/revision/", b'{"sha": "../../x"}'),
        ("/revision/", b"[]"),
        ("/revision/", b""),
    ],
)
def test_an_answer_that_is_none_is_a_bad_reply(
    mover: Mover, hub: FakeHub, path: str, body: bytes
) -> None:
    hub.faults.append(Fault("status", path=path, status=200, body=body, times=-1))
    assert failure(mover).code == "bad_reply"


def test_a_listing_may_come_compressed(mover: Mover, hub: FakeHub) -> None:
    body = gzip.compress(b'[{"type": "file", "path": "../x", "oid": "0", "size": 1}]')
    headers = {"Content-Encoding": "gzip"}
    hub.faults.append(
        Fault("status", path="/tree/", status=200, body=body, headers=headers)
    )
    assert failure(mover).code == "unsafe_path"  # it was read


def test_the_token_opens_a_gated_repo_and_never_reaches_the_cdn(
    hub: FakeHub, tmp_path: Path, files: dict[str, bytes]
) -> None:
    hub.add_repo(REPO, files, gated=True, readers=("hf_good",))
    mover = Mover(hub, tmp_path)
    folder = mover.fetch(token="hf_good", token_hosts=(hub.url,))
    assert same_as(folder, files)
    assert all("authorization" in s.headers for s in hub.requests(origin="hub"))
    assert hub.requests(origin="cdn")
    assert not any("authorization" in s.headers for s in hub.requests(origin="cdn"))


def test_the_token_reaches_no_other_endpoint(mover: Mover, hub: FakeHub) -> None:
    mover.fetch(token="hf_secret")
    assert len(hub.seen) > 5
    assert "hf_secret" not in str([s.headers for s in hub.seen])


@pytest.mark.parametrize("back", [False, True])
def test_the_token_follows_no_redirect_to_another_host(
    mover: Mover, files: dict[str, bytes], hub: FakeHub, back: bool
) -> None:
    with FakeHub() as other:
        other.add_repo(REPO, files)
        hub.faults.append(Fault("redirect", path="/resolve/", location=other.url))
        if back:
            other.faults.append(Fault("redirect", location=hub.url))
        mover.fetch(token="hf_secret", token_hosts=(hub.url, other.url))
        (sent_on,) = other.seen
        assert "authorization" not in sent_on.headers
        asked = [s.headers for s in hub.requests(sent_on.path)]
        assert ["authorization" in headers for headers in asked] == [True, False][
            : 1 + back
        ]


def test_a_listing_is_asked_of_the_chosen_host_alone(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    with FakeHub() as other:
        other.add_repo(REPO, files)
        hub.faults.append(Fault("redirect", path="/api/", location=other.url))
        error = failure(mover)
        assert error.code == "redirected"
        assert other.url.removeprefix("http://") in error.message
        assert not other.seen


def test_a_mirror_that_sends_us_to_the_official_hub_is_not_followed(
    mover: Mover, hub: FakeHub
) -> None:
    hub.faults.append(Fault("redirect", path="/resolve/", location=OFFICIAL))
    error = failure(mover)
    assert error.code == "redirected"
    assert "huggingface.co" in error.message


@pytest.mark.parametrize("location", ["http://[", "http://h:99999", "ftp://h"])
def test_a_redirect_that_is_none_is_a_bad_reply(
    mover: Mover, hub: FakeHub, location: str
) -> None:
    hub.faults.append(Fault("redirect", location=location))
    assert failure(mover).code == "bad_reply"


def test_a_link_that_is_none_is_a_bad_reply(mover: Mover, hub: FakeHub) -> None:
    hub.page_entries = 1
    hub.next_link_base = "http://["
    assert failure(mover).code == "bad_reply"


@pytest.mark.parametrize("host", ["http://127.0.0.1", "127.0.0.1", "https://mirror"])
def test_a_token_is_for_a_very_host_and_port(
    mover: Mover, hub: FakeHub, host: str
) -> None:
    mover.fetch(token="hf_secret", token_hosts=(host,))
    assert "hf_secret" not in str([s.headers for s in hub.seen])


def test_requests_ask_for_plain_bytes_and_say_nothing_more(
    mover: Mover, hub: FakeHub
) -> None:
    mover.fetch()
    for seen in hub.seen:
        assert seen.headers["accept-encoding"] == "identity"
        assert set(seen.headers) <= {
            "host", "accept", "accept-encoding", "connection", "user-agent", "range"
        }  # fmt: skip
