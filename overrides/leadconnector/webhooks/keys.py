"""Reads public keys, and checks the signature of a body with them.

The package cryptography is imported at the first check.
"""

from __future__ import annotations

import binascii
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from .._highlevel import WEBHOOK_PUBLIC_KEY, WEBHOOK_SIGNATURE_HEADER
from .._runtime.frames import clear_frames
from .._runtime.secrets import Secret
from ..errors import ConfigurationError, WebhookSignatureError

PUBLIC_KEY = WEBHOOK_PUBLIC_KEY
"""The vendor's Ed25519 key, which its "Webhook Integration Guide" publishes."""

PublicKey: TypeAlias = str | bytes
"""An Ed25519 key as PEM, as base64 of its DER form or of its 32 bytes, or as these bytes."""

REQUIREMENT = "cryptography>=42.0"
"""The requirement of the extra `webhooks`. A test compares it: a copy has no pyproject.toml."""

SIGNATURE_BYTES = 64
"""RFC 8032, section 5.1.6."""

KEY_BYTES = 32
"""RFC 8032, section 5.1.5."""

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
    try:
        decoded = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    # Different texts can have the same bytes (RFC 4648, section 3.5). Only one of them is accepted.
    if b64encode(decoded).decode() != signature:
        raise WebhookSignatureError(
            f"the header {WEBHOOK_SIGNATURE_HEADER} is not base64", reason="malformed"
        )
    if len(decoded) != SIGNATURE_BYTES:
        raise WebhookSignatureError(
            f"the header {WEBHOOK_SIGNATURE_HEADER} has {len(decoded)} bytes, and a signature of"
            f" Ed25519 has {SIGNATURE_BYTES}",
            reason="malformed",
        )
    return decoded


def _is_signed(key: Key, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body)
    except _cryptography("exceptions").InvalidSignature:
        return False
    return True


@lru_cache(maxsize=16)
def _read_key(public_key: PublicKey) -> Key:
    """Read a key. A program has few, so that each is read once.

    Raises:
        ConfigurationError: it is no Ed25519 public key, or cryptography is not installed.
    """
    key_class = _cryptography("hazmat.primitives.asymmetric.ed25519").Ed25519PublicKey
    encoded_key = _encoded_key(public_key)
    if len(encoded_key) == KEY_BYTES:
        key: Key = key_class.from_public_bytes(encoded_key)
        return key
    key = _read_der_key(encoded_key)
    has_other_algorithm = not isinstance(key, key_class)
    if has_other_algorithm:
        raise ConfigurationError(
            "public_key is a key of another algorithm, such as the RSA key of the vendor's earlier"
            f" signature: {_FORMS}"
        )
    return key


def _read_der_key(encoded_key: bytes) -> Any:
    """Read a key of any algorithm in DER (RFC 5280, section 4.1).

    Raises:
        ConfigurationError: it is none.
    """
    serialization = _cryptography("hazmat.primitives.serialization")
    unsupported_error = _cryptography("exceptions").UnsupportedAlgorithm
    try:
        return serialization.load_der_public_key(encoded_key)
    except (ValueError, unsupported_error):
        raise ConfigurationError(f"public_key cannot be read: {_FORMS}") from None


def _encoded_key(public_key: PublicKey) -> bytes:
    """The bytes in a key's PEM or base64.

    Raises:
        ConfigurationError: it contains neither, or it is a private key.
    """
    if isinstance(public_key, bytes):
        # Bytes may be the key, its DER form, or the content of a file in PEM.
        if len(public_key) == KEY_BYTES or not public_key.isascii():
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


def _cryptography(name: str) -> Any:
    """A module of cryptography, which only the extra `webhooks` installs.

    Raises:
        ConfigurationError: it is not installed. The message names the package, not the extra:
            services that vendor the client have no extras, and the client is on no package index.
    """
    try:
        return import_module(f"cryptography.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "cryptography":
            raise
        raise ConfigurationError(
            "leadconnector.webhooks needs cryptography, which is not installed:"
            f" pip install '{REQUIREMENT}'"
        ) from error
