"""Makes generated request builders take JSON data in place of models, enum members and dates.

The client validates JSON data, and what it sends must be what it validated. Upstream's code would
convert models, but a list can also have mappings, and a union tells its branches by their classes.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import attrs
from openapi_python_client.parser.bodies import BodyType
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.protocol import PropertyProtocol


class PlainProperty:
    """A property of the generator whose code accepts JSON data too.

    Args:
        prop: the property, which has all other attributes.
        template: the template of the code that sends it, below `property_templates/`.
    """

    def __init__(self, prop: PropertyProtocol, template: str) -> None:
        self._prop = prop
        self.template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._prop, name)


def with_plain_data(endpoint: Endpoint, template: str) -> Endpoint:
    """A copy of an endpoint whose parameters and JSON bodies are sent by a template of ours.

    Args:
        endpoint: the generator's endpoint.
        template: the path of the template.
    """
    name = template.removeprefix("property_templates/")
    # Typed as `Any`: a `PlainProperty` imitates the generator's property for templates alone.
    plain_endpoint: Any = copy(endpoint)
    for attribute in ("query_parameters", "header_parameters", "cookie_parameters"):
        properties = getattr(endpoint, attribute)
        setattr(plain_endpoint, attribute, [PlainProperty(prop, name) for prop in properties])
    bodies: list[Any] = []
    for body in endpoint.bodies:
        # Forms and files are made from models.
        if body.body_type is BodyType.JSON:
            prop: Any = PlainProperty(body.prop, name)
            bodies.append(attrs.evolve(body, prop=prop))
        else:
            bodies.append(body)
    plain_endpoint.bodies = bodies
    result: Endpoint = plain_endpoint
    return result
