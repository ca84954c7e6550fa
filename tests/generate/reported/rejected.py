"""Specs that `make generate` rejects with the line and what to do."""

from __future__ import annotations

from .case import Rejected

RESPONSE = '{"204": {description: Nothing}}'


def body_with(properties: str) -> str:
    """An operation whose body has some properties."""
    return f"""
        paths:
          /things:
            put:
              operationId: putThings
              requestBody:
                required: true
                content:
                  application/json:
                    schema: {{type: object, properties: {properties}}}
              responses: {RESPONSE}
    """


def component(schemas: str, name: str) -> str:
    """An operation that returns a component, and the components."""
    return f"""
        paths:
          /things:
            get:
              operationId: getThings
              responses:
                "200":
                  description: Thing
                  content:
                    application/json: {{schema: {{$ref: "#/components/schemas/{name}"}}}}
        components:
          schemas: {schemas}
    """


CASES = (
    Rejected(
        "values_by_case",
        "values that differ by case need names",
        "openapi-python-client#587",
        at="- Add",
        message="list a name for each value in x-enum-varnames",
        spec=body_with("{op: {type: string, enum: [add, Add]}}"),
    ),
    Rejected(
        "tuple",
        "the types of single items are not supported",
        "openapi-generator#19395",
        at="point:",
        message="has no equivalent in the generated types: describe the array with items",
        spec=body_with("{point: {type: array, prefixItems: [{type: number}, {type: number}]}}"),
    ),
    Rejected(
        "named_any",
        "a schema with the name of a class that generated modules import",
        "openapi-python-client#1423",
        at="Any:",
        message="rename it",
        spec=component("{Any: {type: object, properties: {a: {type: integer}}}}", "Any"),
    ),
    Rejected(
        "names_by_case",
        "schemas whose class names are equal",
        "codegate#1371",
        at="workspace:",
        message="duplicate models",
        spec=component(
            """
              Workspace: {type: object, properties: {a: {type: integer}}}
              workspace: {type: object, properties: {b: {$ref: "#/components/schemas/Workspace"}}}
            """,
            "workspace",
        ),
    ),
    Rejected(
        "operations_by_case",
        "operations whose method names are equal",
        "swagger-codegen#7015",
        at="operationId: listItems",
        message="gives the same Python name",
        spec=f"""
            paths:
              /a: {{get: {{operationId: list.items, responses: {RESPONSE}}}}}
              /b: {{get: {{operationId: listItems, responses: {RESPONSE}}}}}
        """,
    ),
    Rejected(
        "dot_in_path",
        "a parameter of the path with a dot",
        "python-client-generator#30",
        at="get:",
        message="Path parameters do not match with path",
        spec=f"""
            paths:
              /items/{{item.id}}:
                get:
                  operationId: getItem
                  parameters:
                    - {{name: item.id, in: path, required: true, schema: {{type: string}}}}
                  responses: {RESPONSE}
        """,
    ),
    Rejected(
        "booleans_of_text",
        "booleans are no values of a text",
        "",
        at="- true",
        message="put a text in quotes",
        spec=body_with("{switch: {type: string, enum: [true, false]}}"),
    ),
    Rejected(
        "file_in_json",
        "a file of a form that is in JSON too",
        "",
        at="file:",
        message="describe the JSON with a schema of its own",
        spec=f"""
            paths:
              /uploads:
                post:
                  operationId: upload
                  requestBody:
                    required: true
                    content:
                      multipart/form-data: {{schema: {{$ref: "#/components/schemas/Upload"}}}}
                  responses: {RESPONSE}
                get:
                  operationId: listUploads
                  responses:
                    "200":
                      description: Uploads
                      content:
                        application/json:
                          schema:
                            type: array
                            items: {{$ref: "#/components/schemas/Upload"}}
            components:
              schemas:
                Upload: {{type: object, properties: {{file: {{type: string, format: binary}}}}}}
        """,
    ),
    Rejected(
        "list_of_itself",
        "a list that contains itself, without an object",
        "",
        at="Nested:",
        message="put an object in between",
        spec=component(
            """
              Nested: {anyOf: [{type: string}, {$ref: "#/components/schemas/Listed"}]}
              Listed: {type: array, items: {$ref: "#/components/schemas/Nested"}}
            """,
            "Nested",
        ),
    ),
    Rejected(
        "keyword_with_underscore",
        "properties that are a keyword of Python, without and with an underscore",
        "",
        at="class_:",
        message="'class' (line 1",
        spec=body_with("{class: {type: string}, class_: {type: string}}"),
    ),
    Rejected(
        "builtin_in_all_of",
        "the same, in two parts of an object",
        "",
        at="type_:",
        message="would both have the Python name 'type_': leave one of them out",
        spec=component(
            """
              Base: {type: object, properties: {type: {type: string}}}
              Whole:
                allOf:
                  - {$ref: "#/components/schemas/Base"}
                  - {type: object, properties: {type_: {type: string}}}
            """,
            "Whole",
        ),
    ),
    Rejected(
        "parameters_with_underscore",
        "parameters with the same Python name",
        "",
        at="- name: in_",
        message="the query parameters 'in' (line",
        spec=f"""
            paths:
              /a:
                get:
                  operationId: getA
                  parameters:
                    - {{name: in, in: query, schema: {{type: string}}}}
                    - {{name: in_, in: query, schema: {{type: string}}}}
                  responses: {RESPONSE}
        """,
    ),
    Rejected(
        "hidden_import",
        "properties whose names hide what the generated module imports",
        "openapi-python-client#781",
        at="UNSET:",
        message="would hide what the generated",
        spec=body_with("{UNSET: {type: string}, Unset: {type: string}}"),
    ),
)
