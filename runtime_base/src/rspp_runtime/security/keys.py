"""Ed25519 keys: made, read from files, written, and published as a JWKS (RFC 7517, RFC 8037).

A key's id (`kid`) is the thumbprint of its public half (RFC 7638), unless a JWK says another: both sides of a rotation
find the right key without being told.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.security.errors import SERVE_EXTRA, KeyFileError

try:
    import jwt as jwt  # for tokens: it and the keys are there, or neither
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as Ed25519PublicKey
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"tokens need {error.name}: {SERVE_EXTRA}", name=error.name) from None

KEY_FILE_BYTES_MAX = 65_536
KEYS_MAX = 64  # public keys that a server knows at once
PRIVATE_MODE = 0o600
NEW_KEY = "`rspp token new-key FILE` makes one"
_KID = re.compile(r"[A-Za-z0-9._~-]{1,128}")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and the id by which verifiers find its public half. Its text shows the id alone."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    def __repr__(self) -> str:
        return f"KeyPair({self.kid})"


def new_key() -> KeyPair:
    """A key of its own, from the system's randomness."""
    private = Ed25519PrivateKey.generate()
    return KeyPair(thumbprint(private.public_key()), private)


def thumbprint(key: Ed25519PublicKey) -> str:
    """RFC 7638: SHA-256 over the public JWK's required members in order, base64url; 43 letters."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _encoded(_raw(key))}, separators=(",", ":"))
    return _encoded(hashlib.sha256(members.encode()).digest())


def jwks(keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """Public keys as a JWKS: what a server that only verifies is given."""
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": _encoded(_raw(key)), "kid": kid, "use": "sig", "alg": "EdDSA"}
            for kid, key in keys.items()
        ]
    }


# ---- private keys


def write_private(path: Path, key: KeyPair) -> None:
    """Writes PEM (PKCS 8), readable by its owner alone. Raises `KeyFileError`; never writes over a file."""
    text = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
    except FileExistsError:
        raise KeyFileError(path, "exists already: a key is never written over; take another name") from None
    except OSError as error:
        raise KeyFileError(path, f"cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, PRIVATE_MODE)  # whatever the umask says
        file.write(text)


def read_private(path: Path) -> KeyPair:
    """A private key as PEM or as a JWK. Raises `KeyFileError`, also if more than its owner may read it."""
    data = _read(path, is_private=True)
    if data.lstrip().startswith(b"{"):
        return _from_jwk(path, data)
    try:
        private = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        raise KeyFileError(path, "is encrypted: a server has nobody to ask for the password; decrypt it") from None
    except (ValueError, UnsupportedAlgorithm):
        what = "is a public key" if b"BEGIN PUBLIC KEY" in data else "is no private key in PEM or JWK form"
        raise KeyFileError(path, f"{what}: give the private one; {NEW_KEY}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(path, f"is no Ed25519 key, and no other is taken: {NEW_KEY}")
    return KeyPair(thumbprint(private.public_key()), private)


def is_too_open(mode: int, owner: int, us: int) -> bool:
    """Whether others than those who need the key can read a file of this mode.

    A group may where somebody else owns the file: it is the way in which a cluster gives a secret to who is not root.
    """
    return bool(mode & stat.S_IRWXO) or (bool(mode & stat.S_IRWXG) and owner == us)


def _from_jwk(path: Path, data: bytes) -> KeyPair:
    jwk = _json(path, data)
    if not isinstance(jwk.get("d"), str):
        raise KeyFileError(path, f"is a public JWK: give the private one, which has `d`; {NEW_KEY}")
    public = _public_jwk(path, jwk, "the key")
    try:
        private = Ed25519PrivateKey.from_private_bytes(_decoded(jwk["d"]))
    except ValueError:
        raise KeyFileError(path, "`d` is not 32 bytes in base64url") from None
    if _raw(private.public_key()) != _raw(public):
        raise KeyFileError(path, "`x` is not the public half of `d`: one of the two is another key's")
    return KeyPair(_kid(path, jwk, public), private)


# ---- public keys


def read_public(path: Path) -> dict[str, Ed25519PublicKey]:
    """Public keys by id: a JWKS, one JWK, or one or several PEM blocks. Raises `KeyFileError`."""
    data = _read(path, is_private=False)
    if b"PRIVATE KEY" in data:
        raise KeyFileError(path, "is a private key: whoever only verifies gets the public one, beside it as .jwks")
    if data.lstrip().startswith(b"{"):
        return _from_jwks(path, data)
    found: dict[str, Ed25519PublicKey] = {}
    blocks = re.findall(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", data, re.DOTALL)
    for block in blocks[: KEYS_MAX + 1]:
        try:
            key = serialization.load_pem_public_key(block + b"\n")
        except (ValueError, UnsupportedAlgorithm):
            raise KeyFileError(path, "has a PEM block that is no public key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFileError(path, f"has a key that is not Ed25519, and no other is taken: {NEW_KEY}")
        found[thumbprint(key)] = key
    return _some(path, found)


def _from_jwks(path: Path, data: bytes) -> dict[str, Ed25519PublicKey]:
    whole = _json(path, data)
    keys = whole.get("keys", [whole])
    if not isinstance(keys, list):
        raise KeyFileError(path, "`keys` is not a list")
    found: dict[str, Ed25519PublicKey] = {}
    for at, jwk in enumerate(keys[: KEYS_MAX + 1]):
        where = f"keys[{at}]" if "keys" in whole else "the key"
        if not isinstance(jwk, dict):
            raise KeyFileError(path, f"{where} is no object")
        if "d" in jwk:
            raise KeyFileError(path, f"{where} is private: whoever only verifies gets the public one, without `d`")
        key = _public_jwk(path, jwk, where)
        kid = _kid(path, jwk, key)
        if kid in found:
            raise KeyFileError(path, f"{where} has the `kid` of another key before it")
        found[kid] = key
    return _some(path, found)


def _some(path: Path, found: dict[str, Ed25519PublicKey]) -> dict[str, Ed25519PublicKey]:
    if not found:
        raise KeyFileError(path, f"has no public key, as JWKS or PEM: {NEW_KEY}, with its public half beside it")
    if len(found) > KEYS_MAX:
        raise KeyFileError(path, f"has more than {KEYS_MAX} keys: leave out those that sign no longer")
    return found


def _public_jwk(path: Path, jwk: Mapping[str, Any], where: str) -> Ed25519PublicKey:
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        raise KeyFileError(path, f"{where} is no Ed25519 key (kty OKP, crv Ed25519), and no other is taken")
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(jwk.get("x", "")))
    except (ValueError, TypeError):
        raise KeyFileError(path, f"{where}: `x` is not 32 bytes in base64url") from None


def _kid(path: Path, jwk: Mapping[str, Any], public: Ed25519PublicKey) -> str:
    kid = jwk.get("kid", thumbprint(public))
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise KeyFileError(path, "`kid` is not 1 to 128 letters, digits and . _ ~ -")
    return kid


# ---- files


def _read(path: Path, *, is_private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if is_private:
                at = os.fstat(file.fileno())
                if is_too_open(at.st_mode, at.st_uid, os.geteuid()):
                    raise KeyFileError(path, f"can be read by others (mode {at.st_mode & 0o777:o}): chmod 600 {path}")
            data = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(path, f"cannot be read: {error.strerror}; {NEW_KEY}") from None
    if len(data) > KEY_FILE_BYTES_MAX:
        raise KeyFileError(path, f"is longer than {KEY_FILE_BYTES_MAX} bytes: that is no file of keys")
    return data


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise KeyFileError(path, "begins like JSON, and is none") from None
    assert isinstance(whole, dict)  # it begins with {
    return whole


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
