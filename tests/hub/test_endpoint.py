import pytest

from qwen_tui.errors import UsageError
from qwen_tui.hub.endpoint import (
    MIRROR,
    OFFICIAL,
    is_official,
    may_see_token,
    resolve_endpoint,
)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("official", OFFICIAL),
        ("mirror", MIRROR),
        (" Mirror ", MIRROR),
        ("https://huggingface.co/", OFFICIAL),
        ("HTTPS://HuggingFace.co:443", OFFICIAL),
        ("http://127.0.0.1:8080/hub/", "http://127.0.0.1:8080/hub"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://host:80", "http://host"),
    ],
)
def test_a_name_or_url_becomes_a_base_url(value: str, url: str) -> None:
    assert resolve_endpoint(value) == url


@pytest.mark.parametrize(
    "value",
    [
        "",
        "  ",
        "hf-mirror.com",
        "ftp://host",
        "https://",
        "https://user:secret@host",
        "https://host?x=1",
        "https://host#x",
        "https://host:port",
        "https://ho st",
        "https://host/\x1b[2J",
        "https://[::1",
    ],
)
def test_what_is_no_endpoint_is_a_usage_error(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_endpoint(value)
    assert "mirror" in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_only_the_official_hub_is_official() -> None:
    assert is_official(OFFICIAL)
    assert not is_official(MIRROR)
    assert not is_official("http://huggingface.co")
    assert not is_official("https://huggingface.co.evil.com")


@pytest.mark.parametrize(
    ("endpoint", "hosts", "allowed"),
    [
        (OFFICIAL, (), True),
        (MIRROR, (), False),
        (MIRROR, ("hf-mirror.com",), True),
        ("http://hf-mirror.com", ("hf-mirror.com",), False),
        ("https://hub.example.com/hf", ("https://HUB.example.com:443/",), True),
        ("https://hub.example.com:8443", ("hub.example.com",), False),
        ("https://hub.example.com.evil.com", ("hub.example.com",), False),
        ("http://10.0.0.5:8080", ("http://10.0.0.5:8080",), True),
    ],
)
def test_only_an_allowed_origin_may_see_the_token(
    endpoint: str, hosts: tuple[str, ...], allowed: bool
) -> None:
    assert may_see_token(endpoint, hosts) is allowed
