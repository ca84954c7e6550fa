"""The types of httpx that the rest of the package and its callers need."""

from typing import TypeAlias

import httpx

URL: TypeAlias = httpx.URL
Request: TypeAlias = httpx.Request
Timeout: TypeAlias = httpx.Timeout
BaseTransport: TypeAlias = httpx.BaseTransport
AsyncBaseTransport: TypeAlias = httpx.AsyncBaseTransport
InvalidURL: TypeAlias = httpx.InvalidURL
