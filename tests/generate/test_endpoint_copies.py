"""The generator reads a spec in the same way without copies of what endpoints refer to."""

from __future__ import annotations

import copy
import inspect
import re
from typing import Any

import pytest
import yaml
from generate.generator_api import shallow_endpoint_copies
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData, openapi
from openapi_python_client.strings import PythonIdentifier

SPEC = """
openapi: 3.1.0
info: {title: Things, version: "1"}
paths:
  /things/{id}/{kind}:
    parameters:
      - {$ref: "#/components/parameters/Kind"}
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: id, in: query, schema: {type: string, enum: [a, b]}}
    get:
      operationId: getThing
      tags: [Things, Others]
      parameters:
        - {name: url, in: query, schema: {type: string}}
      responses: &responses
        "200":
          description: A thing.
          content:
            application/json:
              schema:
                type: object
                properties:
                  thing: {$ref: "#/components/schemas/Thing"}
                  part: {type: object, properties: {url: {type: string}}}
    put:
      operationId: putThing
      tags: [Things]
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Thing"}
      responses: *responses
components:
  parameters:
    Kind: {name: kind, in: path, required: true, schema: {$ref: "#/components/schemas/Kind"}}
  schemas:
    Kind: {type: string, enum: [big, small]}
    Thing:
      type: object
      properties:
        kind: {$ref: "#/components/schemas/Kind"}
        thing: {$ref: "#/components/schemas/Thing"}
"""
"""Parameters that all operations of a path share, of which two have one name."""


def parsed() -> GeneratorData:
    document: dict[str, Any] = yaml.safe_load(SPEC)
    config = Config.from_sources(
        ConfigFile(), MetaType.NONE, "spec.yaml", "utf-8", overwrite=False, output_path=None
    )
    data = GeneratorData.from_dict(document, config=config)
    assert isinstance(data, GeneratorData)
    return data


def test_the_endpoints_equal_those_that_the_generator_copies_deeply() -> None:
    deeply_copied = parsed()
    with shallow_endpoint_copies():
        data = parsed()
    assert data.endpoint_collections_by_tag == deeply_copied.endpoint_collections_by_tag
    assert data.models == deeply_copied.models
    assert data.enums == deeply_copied.enums
    endpoints = data.endpoint_collections_by_tag[PythonIdentifier("things", "")].endpoints
    names = [[str(prop.python_name) for prop in item.list_all_parameters()] for item in endpoints]
    assert names[0] == ["id_path", "kind", "url_query", "id_query"]


def test_the_generator_copies_only_endpoints_by_the_replaced_function() -> None:
    copied = re.findall(r"deepcopy\((.*)\)", inspect.getsource(openapi))
    assert copied
    assert set(copied) == {"endpoint"}


def test_the_generator_copies_deeply_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="a test"), shallow_endpoint_copies():
        raise ValueError("a test")
    assert vars(openapi)["deepcopy"] is copy.deepcopy
