"""Reads public keys, and checks the signature of a body with them.

The package cryptography is imported at the first check.
"""

from __future__ import annotations

import binascii
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, cast

from .._highlevel import WEBHOOK_PUBLIC_KEY, WEBHOOK_SIGNATURE_HEADER
from .._runtime.frames import clear_frames
from .._runtime.optional_imports import import_optional
from .._runtime.secrets import Secret
from ..errors import ConfigurationError, WebhookSignatureError

PUBLIC_KEY = WEBHOOK_PUBLIC_KEY
"""The vendor's Ed25519 key, which its "Webhook Integration Guide" publishes."""

PublicKey: TypeAlias = str | bytes
"""An Ed25519 key in one of these forms:

- PEM, as text or bytes;
- base64 of the raw 32 bytes or of DER, as text or bytes;
- the raw 32 bytes or DER, as bytes.
"""

REQUIREMENT = "cryptography>=42.0"
"""The requirement of the extra `webhooks`.

A test keeps it equal to pyproject.toml, which a vendored copy lacks.
"""

SIGNATURE_BYTES = 64
"""The length of an Ed25519 signature (RFC 8032, section 5.1.6)."""

KEY_BYTES = 32
"""The length of a raw Ed25519 public key (RFC 8032, section 5.1.5)."""

_FORMS = "use PEM, base64, or the 32 bytes of an Ed25519 key"


class Key(Protocol):
    """A key of cryptography. Services that type-check a copy of this package may not have it."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature. Raises `InvalidSignature` of cryptography."""
        ...


def read_keys(option: Secret[PublicKey | Iterable[PublicKey]]) -> list[Key]:
    """Read the keys of the option `public_key`.

    Raises:
        ConfigurationError: a key cannot be read, or cryptography is not installed.
    """
    ambient_error = sys.exception()
    try:
        return [_read_key(public_key) for public_key in as_keys(option.reveal())]
    except ConfigurationError as error:
        # The variables of the frames can contain a private key that was passed by mistake.
        clear_frames(error, ambient_error)
        raise


def check_signature(body: bytes, signature: str, keys: Sequence[Key]) -> None:
    """Check that one of the keys signed the body.

    Raises:
        WebhookSignatureError: the signature has another form, or no key made it for this body.
    """
    signature_bytes = _decode(signature)
    if not any(_is_signed(key, signature_bytes, body) for key in keys):
        raise WebhookSignatureError(
            "the signature does not match: the body was changed, or another key signed it. Pass the"
            " body exactly as received, before any parsing",
            reason="mismatch",
        )


def as_keys(public_key: PublicKey | Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """One key or several as a tuple.

    Raises:
        ConfigurationError: there is no key, or one is neither text nor bytes.
    """
    if isinstance(public_key, str | bytes):
        return (public_key,)
    try:
        keys = tuple(public_key)
    except TypeError:
        raise _wrong_type(public_key) from None
    if not keys:
        raise ConfigurationError(f"public_key is empty: {_FORMS}")
    for key in keys:
        _check_type(key)
    return keys


def _check_type(public_key: object) -> None:
    if not isinstance(public_key, str | bytes):
        raise _wrong_type(public_key)


def _wrong_type(public_key: object) -> ConfigurationError:
    return ConfigurationError(
        f"public_key must be str or bytes, not {type(public_key).__name__}: {_FORMS}"
    )


def _decode(signature: str) -> bytes:
    """The bytes of a signature.

    Raises:
        WebhookSignatureError: it is no canonical base64, or has another length.
    """
    # Such a text has an exception of its own, which has the text as an attribute.
    if not signature.isascii():
        raise _malformed("is not base64")
    try:
        decoded = b64decode(signature, validate=True)
    except binascii.Error:
        raise _malformed("is not base64") from None
    # In the last character, base64 can have unused bits, which must be zero (RFC 4648, section
    # 3.5): `QQ==` and `QR==` are the same byte. Only one text is accepted for each signature, so
    # that nobody can turn a valid one into another.
    if b64encode(decoded).decode() != signature:
        raise _malformed("is not canonical base64: the unused bits of its end are not zero")
    if len(decoded) != SIGNATURE_BYTES:
        raise _malformed(
            f"has {len(decoded)} bytes, and a signature of Ed25519 has {SIGNATURE_BYTES}"
        )
    return decoded


def _malformed(problem: str) -> WebhookSignatureError:
    return WebhookSignatureError(
        f"the header {WEBHOOK_SIGNATURE_HEADER} {problem}", reason="malformed"
    )


def _is_signed(key: Key, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body)
    except _import_cryptography("exceptions").InvalidSignature:
        return False
    return True


@lru_cache(maxsize=16)
def _read_key(public_key: PublicKey) -> Key:
    """Read a key. A program has few, so that each is read once.

    Raises:
        ConfigurationError: it is no Ed25519 public key, or cryptography is not installed.
    """
    ed25519 = _import_cryptography("hazmat.primitives.asymmetric.ed25519")
    key_bytes = _key_bytes(public_key)
    if len(key_bytes) == KEY_BYTES:
        return cast("Key", ed25519.Ed25519PublicKey.from_public_bytes(key_bytes))
    key = _read_der_key(key_bytes)
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ConfigurationError(
            "public_key is a key of another algorithm, such as the RSA key of the vendor's earlier"
            f" signature: {_FORMS}"
        )
    return cast("Key", key)


def _read_der_key(key_bytes: bytes) -> object:
    """Read a key of any algorithm in DER (RFC 5280, section 4.1).

    Raises:
        ConfigurationError: the bytes are no such key.
    """
    serialization = _import_cryptography("hazmat.primitives.serialization")
    unsupported_error = _import_cryptography("exceptions").UnsupportedAlgorithm
    try:
        return serialization.load_der_public_key(key_bytes)
    except (ValueError, unsupported_error):
        raise ConfigurationError(f"public_key cannot be read: {_FORMS}") from None


def _key_bytes(public_key: PublicKey) -> bytes:
    """The bytes of a key in one of the forms of `PublicKey`: the raw 32 bytes, or DER.

    Raises:
        ConfigurationError: it has none of these forms, or is a private key.
    """
    if isinstance(public_key, bytes):
        # PEM and base64 are ASCII, and have no byte 0. DER has one: its key is a BIT STRING, which
        # starts with the number of its unused bits (X.690, section 8.6.2.2).
        is_binary = b"\0" in public_key or not public_key.isascii()
        if is_binary or len(public_key) == KEY_BYTES:
            return public_key
        public_key = public_key.decode()
    if "PRIVATE KEY" in public_key:
        raise ConfigurationError("public_key is a private key: use the public one")
    # An environment variable can have the two characters `\n` where PEM has a line break.
    lines = public_key.replace("\\n", "\n").split("\n")
    base64_text = "".join(line.strip() for line in lines if not line.strip().startswith("-----"))
    try:
        return b64decode(base64_text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"public_key cannot be read: {_FORMS}") from None


def _import_cryptography(module: str) -> Any:
    """Import a module of cryptography, which only the extra `webhooks` installs.

    Raises:
        ConfigurationError: it is not installed.
    """
    return import_optional(
        f"cryptography.{module}", feature="leadconnector.webhooks", requirement=REQUIREMENT
    )
