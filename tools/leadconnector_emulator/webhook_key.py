"""The Ed25519 key that signs events. Only this module needs the package cryptography."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

from .requirements import MissingRequirementError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

REQUIREMENT = "cryptography>=42.0"
"""The requirement of the extra `webhooks`. A test compares it with pyproject.toml."""


class SigningKey:
    """A private key.

    Args:
        private_key: the key in PEM; `None` creates a new one.

    Raises:
        ImportError: cryptography is not installed.
        ValueError: it is no Ed25519 private key in PEM without a password.
    """

    def __init__(self, private_key: str | bytes | None = None) -> None:
        self._key = _read(private_key)
        # Imported by now. The imports are in functions, since few users need them.
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
        )

        public_key = self._key.public_key()
        encoded_key = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = b64encode(encoded_key).decode()
        """The base64 of the public key, which is its PEM without the first and the last line."""

    def __repr__(self) -> str:
        """Without the private key."""
        return f"SigningKey(public_key={self.public_key!r})"

    def signature(self, body: bytes) -> str:
        """The value of the header `X-GHL-Signature`: the base64 of the signature of a body."""
        return b64encode(self._key.sign(body)).decode()


def _read(private_key: str | bytes | None) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )
    except ModuleNotFoundError as error:
        raise MissingRequirementError(
            f"webhooks need cryptography, which is not installed: pip install '{REQUIREMENT}'",
            name=error.name,
        ) from None
    if private_key is None:
        return ed25519.Ed25519PrivateKey.generate()
    encoded_key = private_key.encode() if isinstance(private_key, str) else private_key
    key: object = None
    # A key with a password is a TypeError.
    with suppress(TypeError, ValueError):
        key = load_pem_private_key(encoded_key, password=None)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError(
            "the webhook key is no Ed25519 private key in PEM without a password: create one with"
            " openssl genpkey -algorithm ed25519"
        )
    return key
