"""The archive's signature, checked by OpenSSL."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from vna.errors import InvalidConfiguration
from vna.services.signing import SigningKey


def openssl_says(public: bytes, data: bytes, signature: bytes, folder: Path) -> bool:
    """Whether OpenSSL takes a signature for good."""
    for name, content in (("public.pem", public), ("data", data), ("data.sig", signature)):
        (folder / name).write_bytes(content)
    key, what = ("-pubin", "-inkey", "public.pem"), ("-in", "data", "-sigfile", "data.sig")
    checked = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", *key, *what],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return checked.returncode == 0


def test_openssl_takes_a_signature_and_refuses_another(tmp_path: Path) -> None:
    key = SigningKey.open(tmp_path / "key.pem")
    signature = key.sign(b"stated")
    assert openssl_says(key.public, b"stated", signature, tmp_path)
    assert not openssl_says(key.public, b"stater", signature, tmp_path)
    assert not openssl_says(SigningKey.open(tmp_path / "b").public, b"stated", signature, tmp_path)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = (SigningKey.open(tmp_path / "key.pem") for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_a_key_made_by_openssl_is_used(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, timeout=60
    )
    key = SigningKey.open(path)
    assert openssl_says(key.public, b"stated", key.sign(b"stated"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no key", b"RSA"])
def test_what_cannot_sign_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    if content == b"RSA":
        subprocess.run(
            ["openssl", "genpkey", "-quiet", "-algorithm", "rsa", "-out", path],
            check=True,
            timeout=60,
        )
    with pytest.raises(InvalidConfiguration, match=r"key\.pem"):
        SigningKey.open(path)
    with pytest.raises(InvalidConfiguration, match="nowhere"):
        SigningKey.open(tmp_path / "nowhere" / "key.pem")
