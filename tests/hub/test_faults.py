"""Every fault ends in a whole download or in its own error, never in a bad blob."""

import dataclasses
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from qwen_tui.errors import HubError, QwenTuiError
from qwen_tui.hub.claim import try_claim
from qwen_tui.hub.client import HttpOptions
from qwen_tui.hub.digest import file_hash
from qwen_tui.hub.download import Job, download
from qwen_tui.hub.progress import Progressed
from qwen_tui.hub.retry import Stopped, TransferOptions
from tests.fake_hub import FakeHub, Fault, etag
from tests.helpers import wait_until
from tests.hub.conftest import BIG, BIG_BYTES, QUICK, REPO, Mover, failure
from tests.hub.models import same_as

SHORT_TEMPERED = dataclasses.replace(QUICK, attempts=2, http=HttpOptions(30, 0.7))


@pytest.fixture(params=["cache", "plain"])
def local_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "plain" if request.param == "plain" else None


def options_for(fault: Fault) -> TransferOptions:
    """Nobody wants to wait long for what never comes."""
    return SHORT_TEMPERED if fault.kind in ("hang", "hold") else QUICK


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", path=BIG, after_bytes=600_000, times=3),
        Fault("close", path=BIG, after_bytes=600_000, times=3),
        Fault("reset", path=BIG, times=2),
        Fault("status", path=BIG, origin="cdn", status=403),
        Fault("status", path=BIG, status=503, times=2),
        Fault("status", path="/api/", status=500, times=3),
        Fault("status", path="/tree/", status=429, headers={"Retry-After": "0"}),
        Fault("status", path=BIG, status=408),
        Fault("wrong_bytes", path=BIG),
        Fault("wrong_bytes", path="config.json"),
        Fault("strip_headers", times=-1),
        Fault("short_length", path=BIG, after_bytes=1000, times=1),
        Fault("long_length", path=BIG, after_bytes=1000),
        Fault("expired", path=BIG, origin="cdn", times=2),
        Fault("unnumbered", times=-1),
        Fault("hang", path="/revision/"),
        Fault("hang", path=BIG, origin="cdn"),
        Fault("hold", path=BIG, after_bytes=600_000),
    ],
    ids=str,
)
def test_what_passes_is_survived(
    mover: Mover, files: dict[str, bytes], hub: FakeHub, fault: Fault
) -> None:
    mover.options = options_for(fault)
    hub.faults.append(fault)
    assert same_as(mover.fetch(), files)
    if fault.times >= 0:
        assert fault.times == 0, "the fault never happened"
    if fault.kind == "close":  # a reset also loses what is in the sockets
        assert hub.file_bytes(BIG) == BIG_BYTES


def test_every_retry_asks_the_hub_for_a_fresh_address(
    mover: Mover, hub: FakeHub
) -> None:
    hub.faults.append(Fault("reset", path=BIG, after_bytes=100_000, times=2))
    mover.fetch()
    assert len(hub.requests(BIG, "hub")) == len(hub.requests(BIG, "cdn")) == 3


def test_a_stall_is_noticed_and_tried_again(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    mover.options = dataclasses.replace(QUICK, http=HttpOptions(30, 1.0))
    hub.faults.append(Fault("hold", path=BIG, after_bytes=700_000))
    assert same_as(mover.fetch(), files)
    assert mover.retries
    second = hub.requests(BIG, "cdn")[-1]
    assert second.first_byte >= 700_000 - 256 * 1024


def test_retry_after_is_honoured(mover: Mover, hub: FakeHub) -> None:
    hub.faults.append(
        Fault("status", path="/tree/", status=429, headers={"Retry-After": "1"})
    )
    start_s = time.monotonic()
    mover.fetch()
    assert time.monotonic() - start_s >= 1
    assert mover.retries[0].wait_s >= 1


def test_retry_after_may_be_a_date_and_is_bounded(mover: Mover, hub: FakeHub) -> None:
    mover.options = dataclasses.replace(QUICK, longest_retry_after_s=0.2)
    later = formatdate(time.time() + 3600, usegmt=True)
    for headers in (
        {"Retry-After": later},
        {"RateLimit": '"api";r=0;t=300'},
        {"Retry-After": "nonsense"},
    ):
        hub.faults.append(Fault("status", path="/tree/", status=503, headers=headers))
    mover.fetch()
    assert [r.wait_s >= 0.2 for r in mover.retries] == [True, True, False]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("status", status=500), "server_error"),
        (Fault("status", status=429), "rate_limited"),
        (Fault("status", status=401), "unauthorized"),
        (Fault("status", status=403), "unauthorized"),
        (Fault("status", status=404), "not_found"),
        (Fault("status", status=418), "bad_reply"),
        (Fault("status", path=BIG, origin="cdn", status=403), "server_error"),
        (
            Fault("status", status=403, headers={"X-Error-Code": "GatedRepo"}),
            "gated",
        ),
        (Fault("html"), "captive_portal"),
        (Fault("html", path=BIG, origin="cdn"), "captive_portal"),
        (Fault("wrong_bytes", path=BIG), "hash_mismatch"),
        (Fault("short_length", path="config", after_bytes=1), "size_mismatch"),
        (Fault("reset", path=BIG), "unreachable"),
        (Fault("redirect", location="ftp://127.0.0.1"), "bad_reply"),
        (Fault("redirect", location="http://127.0.0.1:9"), "redirected"),
        (Fault("redirect", path=BIG, location="http://127.0.0.1:9"), "unreachable"),
        (Fault("expired", path=BIG, origin="cdn"), "server_error"),
        (Fault("close", path=BIG), "unreachable"),
        (Fault("hold", path=BIG), "stalled"),
        (Fault("hang"), "stalled"),
        (Fault("hang", path=BIG, origin="cdn"), "stalled"),
        (Fault("long_length", path=BIG, after_bytes=1), "size_mismatch"),
        (Fault("compressed", path=BIG), "bad_reply"),
        (Fault("wrong_bytes", path="config.json"), "hash_mismatch"),
    ],
    ids=str,
)
def test_what_does_not_pass_has_its_own_code(
    mover: Mover,
    hub: FakeHub,
    files: dict[str, bytes],
    local_dir: Path | None,
    fault: Fault,
    code: str,
) -> None:
    mover.options = options_for(fault)
    hub.faults.append(dataclasses.replace(fault, times=-1))
    with pytest.raises(QwenTuiError) as caught:
        mover.fetch(local_dir=local_dir)
    error = caught.value
    assert error.code == code
    assert error.message.endswith(".")
    assert "\n" not in error.message
    assert error.hint
    assert len(hub.seen) < 60
    for blob in mover.cache_dir.glob("models--*/blobs/*"):
        if blob.suffix != ".incomplete":
            assert file_hash(blob, blob.name) == blob.name
    for path, content in files.items() if local_dir else ():
        file = (local_dir or Path()) / path
        assert not file.exists() or file.read_bytes() == content


def test_an_endless_redirect_ends(mover: Mover, hub: FakeHub) -> None:
    hub.faults.append(Fault("redirect", times=-1))
    assert failure(mover).code == "bad_reply"
    assert len(hub.seen) <= 10


def test_bytes_that_stay_wrong_are_asked_for_twice_and_never_kept(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    hub.faults.append(Fault("wrong_bytes", path=BIG, times=-1))
    assert failure(mover).code == "hash_mismatch"
    assert len(hub.requests(BIG, "cdn")) == 2
    assert not mover.blob(etag(BIG, files[BIG])).exists()
    assert not mover.blob(etag(BIG, files[BIG]) + ".incomplete").exists()
    assert not list(mover.cache_dir.glob("models--*/refs/main"))


def test_a_hub_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with FakeHub() as hub:
        url = hub.url
    with pytest.raises(HubError) as caught:
        download(Job(REPO, url, tmp_path), print, options=QUICK)
    assert caught.value.code == "unreachable"


def test_certificates_that_cannot_be_read_are_told(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    assert failure(Mover(hub, tmp_path)).code == "unreachable"


def test_a_proxy_of_an_unknown_kind_is_told(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1")
    assert failure(Mover(hub, tmp_path)).code == "unreachable"


def test_an_unknown_repo_or_revision_is_not_found(
    hub: FakeHub, mover: Mover, tmp_path: Path
) -> None:
    for job in (
        Job("no/body", hub.url, tmp_path),
        Job(REPO, hub.url, tmp_path, revision="v9"),
    ):
        with pytest.raises(HubError) as caught:
            download(job, print, options=QUICK)
        assert caught.value.code == "not_found"


def test_a_gated_repo_is_explained(
    hub: FakeHub, tmp_path: Path, files: dict[str, bytes]
) -> None:
    hub.add_repo(REPO, files, gated=True, readers=("hf_good",))
    error = failure(Mover(hub, tmp_path))
    assert error.code == "gated"
    assert REPO in error.message


def test_a_file_that_another_process_holds_is_waited_for(
    mover: Mover, files: dict[str, bytes]
) -> None:
    lock = mover.cache_dir / ".locks" / "models--owner--model"
    file = lock / f"{etag(BIG, files[BIG])}.lock"
    done: list[Path] = []
    with try_claim(file, 5) as claim:
        assert claim is not None
        thread = threading.Thread(target=lambda: done.append(mover.fetch()))
        thread.start()
        wait_until(lambda: any(r.file == BIG for r in mover.retries))
        assert not mover.blob(etag(BIG, files[BIG]) + ".incomplete").exists()
    thread.join(60)
    assert same_as(done[0], files)


def test_a_stop_ends_soon_and_keeps_the_partial(
    hub: FakeHub, mover: Mover, files: dict[str, bytes]
) -> None:
    stop = threading.Event()
    hub.faults.append(Fault("hold", path=BIG, after_bytes=1_000_000))
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")

    def report(event: object) -> None:
        if isinstance(event, Progressed) and event.done_bytes > 500_000:
            stop.set()

    job = Job(REPO, hub.url, mover.cache_dir)
    options = dataclasses.replace(
        QUICK, report_interval_s=0.01, http=HttpOptions(30, 1.0)
    )
    with pytest.raises(Stopped):
        download(job, report, options=options, stop=stop)
    assert 0 < partial.stat().st_size < BIG_BYTES
