"""Keys in files, and `rspp token`, which makes and uses them."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rspp_runtime.cli.app import run_app
from rspp_runtime.security import keys
from rspp_runtime.security.keys import KeyFileError
from rspp_runtime.security.tokens import Issuer, Verifier

HERE = {"scope": "talk", "pipeline": "concierge", "pipeline_version": "1.0.0"}
ISSUE = ["--tenant", "acme", "--pipeline", "concierge", "--version", "1.0.0"]


def rspp(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        run_app([*arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


def put(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_a_key_of_the_command_signs_what_a_server_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key.pem"
    assert rspp("token", "new-key", str(file)) == 0
    said = capsys.readouterr().out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "PRIVATE" not in said
    assert rspp("token", "issue", "--key", str(file), *ISSUE, "--ttl", "30") == 0
    token = capsys.readouterr().out.strip()
    grant = Verifier.load(tmp_path / "key.pem.jwks").verify(token, now_s=int(time.time()), **HERE)
    assert (grant.tenant, grant.epoch, grant.scopes) == ("acme", 1, {"talk"})
    assert grant.session_id.startswith("s-")
    assert Issuer.load(file).kid in said


def test_a_second_key_is_added_to_those_that_are_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "keys.jwks"
    for name in ("old.pem", "new.pem"):
        assert rspp("token", "new-key", str(tmp_path / name), "--public", str(known)) == 0
    assert "2 of them" in capsys.readouterr().out
    verifier = Verifier.load(known)
    for name in ("old.pem", "new.pem"):
        assert rspp("token", "issue", "--key", str(tmp_path / name), *ISSUE) == 0
        verifier.verify(capsys.readouterr().out.strip(), now_s=int(time.time()), **HERE)
    assert "d" not in json.loads(known.read_text())["keys"][0]


def test_a_key_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(tmp_path / "key.pem", "precious")
    assert rspp("token", "new-key", str(file)) == 1
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == "precious"


def test_the_command_says_what_it_will_not_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key.pem"
    keys.write_private(file, keys.new_key())
    assert rspp("token", "issue", "--key", str(file), *ISSUE, "--scope", "fly") == 2
    assert "scopes are ['fly']: some of admin, issue, observe, resume, talk" in capsys.readouterr().err
    assert rspp("token", "issue", "--key", str(tmp_path / "none.pem"), *ISSUE) == 1
    assert "none.pem: cannot be read: No such file" in capsys.readouterr().err


def test_a_jwk_is_as_good_as_pem(tmp_path: Path) -> None:
    key = keys.new_key()
    secret = keys._encoded(key.private.private_bytes_raw())
    jwk = {**keys.jwks({"k-1": key.public})["keys"][0], "d": secret}
    read = keys.read_private(put(tmp_path / "key.jwk", json.dumps(jwk)))
    assert (read.kid, read.private.private_bytes_raw()) == ("k-1", key.private.private_bytes_raw())
    pem = key.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    other = keys.new_key()
    pem += other.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert set(keys.read_public(put(tmp_path / "two.pem", pem))) == {key.kid, other.kid}
    del jwk["d"]
    assert set(keys.read_public(put(tmp_path / "one.jwk", json.dumps(jwk)))) == {"k-1"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_private_key_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key.pem"
    keys.write_private(file, keys.new_key())
    file.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"can be read by others \(mode {mode:o}\): chmod 600 "):
        keys.read_private(file)


def test_a_secret_that_a_cluster_mounts_for_a_group_is_used() -> None:
    assert not keys.is_too_open(0o100440, owner=0, us=65_532)
    assert keys.is_too_open(0o100440, owner=65_532, us=65_532)
    assert keys.is_too_open(0o100444, owner=0, us=65_532)


def ec_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def encrypted_key() -> bytes:
    return keys.new_key().private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


X = keys._encoded(bytes(32))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("", "is no private key"),
        ("hello", "is no private key"),
        ("{", "begins like JSON, and is none"),
        (b"x" * 70_000, "is longer than 65536 bytes"),
        (ec_key(), "is no Ed25519 key"),
        (encrypted_key(), "is encrypted"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": X}), "is a public JWK"),
        (json.dumps({"kty": "EC", "d": "x"}), "the key is no Ed25519 key"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": X, "d": "!"}), "`d` is not 32 bytes"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": X, "d": keys._encoded(b"1" * 32)}), "`x` is not the public"),
    ],
)
def test_what_is_no_private_key_is_said(tmp_path: Path, data: str | bytes, what: str) -> None:
    file = put(tmp_path / "key", data)
    with pytest.raises(KeyFileError) as found:
        Issuer.load(file)
    assert str(found.value).startswith(f"{file}: {what}")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("", "has no public key"),
        ("{}", "the key is no Ed25519 key"),
        ('{"keys": []}', "has no public key"),
        ('{"keys": 1}', "`keys` is not a list"),
        ('{"keys": [1]}', "keys[0] is no object"),
        (json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 5}]}), "keys[0]: `x` is not 32 bytes"),
        (json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "d": X}]}), "keys[0] is private"),
        (json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "a b"}]}), "`kid` is not"),
        (json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}] * 2}), "keys[1] has the `kid`"),
        (ec_key(), "is a private key"),
    ],
)
def test_what_is_no_public_key_is_said(tmp_path: Path, data: str | bytes, what: str) -> None:
    file = put(tmp_path / "keys", data, 0o644)
    with pytest.raises(KeyFileError) as found:
        Verifier.load(file)
    assert str(found.value).startswith(f"{file}: {what}")
