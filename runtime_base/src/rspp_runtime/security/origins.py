"""Which web pages may open a session: those of the server's own origin, and those that its operator lists.

A browser says where a page is from (`Origin`), and cannot be made to lie about it; whoever is no browser says nothing
there, and shows a token. What a browser can be made to believe is that a name of an attacker's is this machine (DNS
rebinding): then page and server are of one origin. So one's own origin counts only under a host name that is known:
this machine's, or a listed one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
ORIGIN_CHARS_MAX = 300
_PORTS = {"http": "80", "https": "443"}
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(?P<port>[0-9]{1,5}))?")


def allowed(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Whether a request with these `Origin` and `Host` headers may go on; `allowed` are origins (`https://app.example`)
    as an operator lists them, `port` left out where it is the scheme's own.

    Without `Origin` it may: that is no page of another site (pages of this one's host name are told apart by
    `host_allowed`), and needs a token like everybody.
    """
    if origin is None:
        return True
    page = _origin(origin)
    if page is None:
        return False
    if page in {_origin(one) for one in allowed}:
        return True
    scheme, name, port = page
    here = _authority(host)
    return here is not None and host_allowed(host, allowed) and (name, port) == (here[0], here[1] or _PORTS[scheme])


def host_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether `Host` is a name that cannot have been bent to this server: of this machine, or of a listed origin.

    For servers that give something to whoever comes without a token: each request of theirs is looked at so.
    """
    here = _authority(host)
    if here is None:
        return False
    name, port = here
    listed = (_origin(one) for one in allowed)
    return name in LOOPBACK_HOSTS or any(one and one[1] == name and port in (None, one[2]) for one in listed)


def is_origin(text: str) -> bool:
    """Whether an operator can list it: `https://app.example`, `http://localhost:3000`."""
    return _origin(text) is not None


def is_loopback(address: str) -> bool:
    """Whether a server at this address is reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(text: str) -> tuple[str, str, str] | None:
    """(scheme, host, port) of an origin; None for `null`, other schemes, and what is more than an origin."""
    if len(text) > ORIGIN_CHARS_MAX:
        return None
    scheme, colon, rest = text.lower().partition("://")
    authority = _authority(rest)
    if not colon or scheme not in _PORTS or authority is None:
        return None
    return scheme, authority[0], authority[1] or _PORTS[scheme]


def _authority(text: str) -> tuple[str, str | None] | None:
    """(host, port) of `host[:port]`; None if it is none."""
    found = _AUTHORITY.fullmatch(text.lower()) if len(text) <= ORIGIN_CHARS_MAX else None
    return (found["host"], found["port"] and str(int(found["port"]))) if found else None
