"""OAuth tokens that refresh themselves, and the stores that share them between processes.

`authorization` has the steps from the user's consent to the first tokens, and `consent` the URL of
the consent. `agency` has a token for each location of an agency. `token_source` decides when a
token is refreshed. `refresh` lets many callers wait for one refresh. `endpoint` makes the requests,
and `failures` limits those that fail. `stores` and `agency_stores` keep `tokens`. `command` is the
command `authorize`, which nothing else imports.
"""

from .agency import AgencyOAuth
from .agency_stores import AgencyTokenStore, FileAgencyTokenStore, MemoryAgencyTokenStore
from .authorization import OAuth
from .stores import FileTokenStore, MemoryTokenStore, TokenStore
from .tokens import Tokens

__all__ = [
    "AgencyOAuth",
    "AgencyTokenStore",
    "FileAgencyTokenStore",
    "FileTokenStore",
    "MemoryAgencyTokenStore",
    "MemoryTokenStore",
    "OAuth",
    "TokenStore",
    "Tokens",
]
