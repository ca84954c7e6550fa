"""The generated models of the API's requests and responses, under a public name."""

from . import _requirements

try:
    from ._generated.models import *
except ModuleNotFoundError as error:
    raise _requirements.missing_requirement(error, __name__.rpartition(".")[0]) from None
