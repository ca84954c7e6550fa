"""The models of the API's requests and responses, as generated from the spec."""

from ._generated.models import *
