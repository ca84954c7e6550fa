"""Finds the charset of a text in its `Content-Type`, as servers send other ones than UTF-8."""

import codecs
import re
from collections.abc import Mapping

DEFAULT_CHARSET = "utf-8"

# RFC 9110, section 5.6.6: a parameter is a token or a quoted string, and its name has any case.
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._:+-]{1,40})", re.IGNORECASE)

_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Text codecs of Python that are no charset. Some take quadratic time."""


def text_charset(headers: Mapping[str, str]) -> str:
    """The codec for the text of a response; that of UTF-8 if Python has none for its charset.

    Args:
        headers: by name in lower case.
    """
    match = _CHARSET.search(headers.get("content-type", ""))
    if match is None:
        return DEFAULT_CHARSET
    try:
        name = codecs.lookup(match[1]).name
        # A codec that makes no text, such as `zlib`, raises a LookupError here. An empty text would
        # not reach the codec.
        b" ".decode(name, "replace")
    except (LookupError, UnicodeError):
        return DEFAULT_CHARSET
    if name.replace("_", "-") in _NO_CHARSETS:
        return DEFAULT_CHARSET
    return name
