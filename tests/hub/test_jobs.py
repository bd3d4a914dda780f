"""What a download is asked for: checked, and with the token where it may go."""

from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.errors import HubError, UsageError
from qwen_tui.hub.endpoint import MIRROR, OFFICIAL
from qwen_tui.hub.jobs import download_request
from tests.hub.conftest import REPO


def test_the_token_is_found_as_the_library_finds_it(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    def token(endpoint: str = "official", **changes: str) -> str:
        return download_request(
            REPO,
            endpoint=endpoint,
            cache_dir=tmp_path,
            environ=environ | changes,
        ).token

    assert token() == "hf_saved"
    assert token(HF_TOKEN=" hf_variable ") == "hf_variable"
    (tmp_path / "other").write_text("hf_other")
    assert token(HF_TOKEN_PATH=str(tmp_path / "other")) == "hf_other"
    assert token(HF_HOME=str(tmp_path / "nothing")) == ""
    assert token(HF_HUB_DISABLE_IMPLICIT_TOKEN="1") == ""
    assert token("mirror") == token("http://127.0.0.1:1") == ""
    assert token("https://huggingface.co/") == "hf_saved"
    assert token(HF_TOKEN="two\nlines") == "hf_saved"


def test_a_host_that_a_person_allows_is_given_the_token(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    def request(endpoint: str) -> wire.Download:
        return download_request(
            REPO,
            endpoint=endpoint,
            cache_dir=tmp_path,
            token_hosts=("hub.example.com",),
            environ=environ,
        )

    allowed = request("https://hub.example.com/models")
    assert allowed.token == "hf_saved"
    assert "https://hub.example.com" in allowed.token_hosts
    assert request("http://hub.example.com").token == ""
    assert request("https://example.com").token == ""


def test_a_request_is_checked_and_whole(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    request = download_request(
        "qwen3-0.6b",
        revision="main",
        endpoint="mirror",
        cache_dir=Path("cache"),
        local_dir=Path("plain"),
        environ=environ,
    )
    assert request.repo == "Qwen/Qwen3-0.6B"
    assert request.endpoint == MIRROR != OFFICIAL
    assert request.cache_dir == str(tmp_path / "cache")
    assert request.local_dir == str(tmp_path / "plain")


@pytest.mark.parametrize(
    ("repo", "revision", "endpoint"),
    [("../x", "main", "mirror"), (REPO, "../x", "mirror"), (REPO, "main", "nowhere")],
)
def test_a_wrong_request_is_refused(
    tmp_path: Path, repo: str, revision: str, endpoint: str
) -> None:
    with pytest.raises(UsageError):
        download_request(
            repo, revision=revision, endpoint=endpoint, cache_dir=tmp_path, environ={}
        )


def test_offline_means_offline(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(HubError) as caught:
        download_request(
            REPO,
            endpoint="official",
            cache_dir=tmp_path,
            environ=environ | {"HF_HUB_OFFLINE": "1"},
        )
    assert "HF_HUB_OFFLINE" in caught.value.message
