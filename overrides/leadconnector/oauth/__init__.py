"""OAuth tokens that refresh themselves, and the stores that share them between processes.

`token_source` decides when a token is refreshed. `refresh` lets many callers wait for one refresh.
`endpoint` makes the request. `stores` keeps `tokens`.
"""

from .stores import FileTokenStore, MemoryTokenStore, TokenStore
from .token_source import OAuth
from .tokens import Tokens

__all__ = ["FileTokenStore", "MemoryTokenStore", "OAuth", "TokenStore", "Tokens"]
