"""The generated models of the API's requests and responses, under a public name."""

from ._generated.models import *
