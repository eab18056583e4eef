"""Which pages may open a session, and under which host name they may be of the server's own origin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.security.origins import LOOPBACK_HOSTS, allowed, host_allowed, is_loopback, is_origin

LISTED = ["https://app.example", "https://voice.example:8443"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "anything.example"),  # no browser: it needs a token
        ("http://localhost:7860", "localhost:7860"),
        ("http://127.0.0.1:7860", "127.0.0.1:7860"),
        ("http://[::1]:7860", "[::1]:7860"),
        ("HTTP://LocalHost:7860", "localhost:7860"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost:443"),
        ("https://app.example", "10.0.0.7:7860"),  # listed, wherever the server is
        ("https://voice.example:8443", "voice.example:8443"),
        ("https://app.example:443", "pod"),
    ],
)
def test_these_may(origin: str | None, host: str) -> None:
    assert allowed(origin, host, LISTED)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "localhost:7860"),
        ("", "localhost:7860"),
        ("http://evil.example", "localhost:7860"),
        ("http://localhost:3000", "localhost:7860"),  # another server of this machine
        ("http://evil.example:7860", "evil.example:7860"),  # a name that was bent to this machine
        ("http://127.0.0.1:7860", "localhost:7860"),
        ("https://app.example.evil.example", "localhost:7860"),
        ("https://app.example:444", "localhost:7860"),
        ("http://app.example", "localhost:7860"),
        ("https://app.example/", "localhost:7860"),
        ("https://app.example@evil.example", "localhost:7860"),
        ("https://user@app.example", "localhost:7860"),
        ("file://", "localhost:7860"),
        ("chrome-extension://abc", "localhost:7860"),
        ("http://localhost.:7860", "localhost:7860"),
        ("http://localhost:7860", ""),
        ("http://localhost:7860 ", "localhost:7860"),
        ("http://" + "a" * 400, "localhost:7860"),
    ],
)
def test_these_may_not(origin: str, host: str) -> None:
    assert not allowed(origin, host, LISTED)


def test_a_host_is_known_by_its_name() -> None:
    assert all(host_allowed(host, []) and host_allowed(f"{host}:7860", []) for host in LOOPBACK_HOSTS)
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "[::2]",
        "",
        "localhost:x",
        "a b",
        "localhost:7860@evil",
    ):
        assert not host_allowed(host, [])
    assert host_allowed("voice.example:8443", LISTED)
    assert host_allowed("app.example", LISTED)
    assert not host_allowed("voice.example:9", LISTED)


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_breaks_and_a_strange_page_stays_outside(origin: str, host: str) -> None:
    is_same = origin.lower().partition("://")[2].partition(":")[0] in {"localhost", "127.0.0.1", "["}
    assert not allowed(origin, host, []) or is_same


def test_what_an_operator_may_list() -> None:
    assert is_origin("https://app.example")
    assert is_origin("http://localhost:3000")
    assert not any(
        is_origin(text) for text in ("app.example", "*", "https://app.example/path", "wss://app.example", "")
    )


def test_addresses_of_this_machine() -> None:
    assert all(is_loopback(address) for address in ("localhost", "127.0.0.1", "::1", "[::1]", "127.8.0.1"))
    assert not any(is_loopback(address) for address in ("0.0.0.0", "::", "10.0.0.1", "example", ""))
