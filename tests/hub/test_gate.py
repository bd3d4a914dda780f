"""A gated model is explained with what to do about it."""

from pathlib import Path

import pytest

from qwen_tui.errors import HubError
from qwen_tui.hub.faults import refusal

GATED = {"x-error-code": "GatedRepo"}


def explained(status: int, host: str, what: str = "owner/model/config.json") -> str:
    error = refusal(status, GATED, what=what, host=host, at_endpoint=True)
    assert isinstance(error, HubError)
    assert error.code == "gated"
    assert what in error.message
    assert "https://huggingface.co/owner/model" in error.hint.replace(",", " ").split()
    return error.hint


def test_without_a_token_it_says_where_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN_PATH", raising=False)
    hint = explained(401, "huggingface.co")
    assert "HF_TOKEN" in hint
    assert str(tmp_path / "token") in hint
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere") in explained(401, "huggingface.co")


def test_with_a_token_that_may_not_read_it_names_the_owner() -> None:
    hint = explained(403, "huggingface.co", what="owner/model")
    assert "owner" in hint
    assert "HF_TOKEN" not in hint


def test_on_a_mirror_it_leads_to_the_official_hub() -> None:
    hint = explained(401, "hf-mirror.com")
    assert "--endpoint official" in hint
    assert "downloads.token_hosts" in hint
    assert "hf-mirror.com" in hint
