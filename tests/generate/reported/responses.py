"""Responses: their statuses, content types and absence."""

from __future__ import annotations

from .case import ABSENT, Case, Reading

CASES = (
    Case(
        "default_only",
        "a spec with no response but the default describes the success with it",
        "openapi-generator#11793",
        schemas="Pet1: {type: object, properties: {name: {type: string}}}",
        operation="""
            responses:
              default:
                description: Whatever
                content: {application/json: {schema: {$ref: "#/components/schemas/Pet1"}}}
        """,
        checks=(Reading({"name": "n"}, "Pet1(name='n')", status=201),),
        types={"value": "Pet1"},
    ),
    Case(
        "range_of_statuses",
        "2XX stands for each status from 200 to 299",
        "",
        schemas="Pet2: {type: object, properties: {name: {type: string}}}",
        operation="""
            responses:
              2XX:
                description: Done
                content: {application/json: {schema: {$ref: "#/components/schemas/Pet2"}}}
              4XX: {description: Wrong}
        """,
        checks=(Reading({"name": "n"}, "Pet2(name='n')", status=203),),
    ),
    Case(
        "several_successes",
        "each success has its own type, and one without content is None",
        "openapi-generator#12189",
        schemas="""
            Started: {type: object, properties: {id: {type: string}}}
            Ready: {type: object, properties: {done: {type: boolean}}}
        """,
        operation="""
            responses:
              "200":
                description: Ready
                content: {application/json: {schema: {$ref: "#/components/schemas/Ready"}}}
              "202":
                description: Started
                content: {application/json: {schema: {$ref: "#/components/schemas/Started"}}}
              "204": {description: Nothing}
        """,
        checks=(
            Reading({"done": True}, "Ready(done=True)"),
            Reading({"id": "i"}, "Started(id='i')", status=202),
            Reading(ABSENT, "None", status=204),
        ),
        types={"value": "Ready | Started | None"},
    ),
    Case(
        "no_content_first",
        "a success without content beside documented errors",
        "openapi-generator#16967",
        schemas="Problem1: {type: object, properties: {message: {type: string}}}",
        operation="""
            responses:
              "204": {description: Nothing}
              "401":
                description: Unknown
                content: {application/json: {schema: {$ref: "#/components/schemas/Problem1"}}}
              default:
                description: Failed
                content: {application/json: {schema: {$ref: "#/components/schemas/Problem1"}}}
        """,
        checks=(Reading(ABSENT, "None", status=204),),
    ),
    Case(
        "no_content_with_schema",
        "a 204 has no body, although the spec describes one",
        "openapi-generator#6842",
        schemas="Never: {type: object, properties: {a: {type: string}}}",
        operation="""
            responses:
              "200":
                description: Created
                content: {application/json: {schema: {$ref: "#/components/schemas/Never"}}}
              "204":
                description: Updated
                content: {application/json: {schema: {$ref: "#/components/schemas/Never"}}}
        """,
        checks=(
            Reading({"a": "x"}, "Never(a='x')"),
            Reading(ABSENT, "None", status=204),
        ),
    ),
    Case(
        "csv",
        "a text that is not JSON",
        "openapi-python-client#784",
        operation="""
            responses:
              "200":
                description: Table
                content: {text/csv: {schema: {type: string}}}
        """,
        checks=(Reading(b"a,b\n1,2\n", "'a,b\\n1,2\\n'", content_type="text/csv"),),
        types={"value": "str"},
    ),
    Case(
        "csv_as_binary",
        "a text with the format binary",
        "openapi-python-client#317",
        operation="""
            responses:
              "200":
                description: Table
                content: {text/csv: {schema: {type: string, format: binary}}}
        """,
        checks=(Reading(b"a,b\n", "File(b'a,b\\n')", content_type="text/csv"),),
    ),
    Case(
        "octet_stream",
        "a file",
        "openapi-python-client#116",
        operation="""
            responses:
              "200":
                description: File
                content: {application/octet-stream: {schema: {type: string, format: binary}}}
        """,
        checks=(
            Reading(b"\x00\xff", "File(b'\\x00\\xff')", content_type="application/octet-stream"),
        ),
        types={"value": "File"},
    ),
    Case(
        "content_without_schema",
        "a JSON response without a schema is any value",
        "",
        operation="""
            responses:
              "200":
                description: Anything
                content: {application/json: {}}
        """,
        checks=(Reading({"a": [1]}, "{'a': [1]}"),),
        types={"value": "Any"},
    ),
    Case(
        "vendor_json",
        "media types that end in +json or have a parameter",
        "openapi-python-client#709",
        schemas="Doc: {type: object, properties: {data: {type: string}}}",
        operation="""
            responses:
              "200":
                description: JSON
                content:
                  application/vnd.api+json; version=1:
                    schema: {$ref: "#/components/schemas/Doc"}
        """,
        checks=(Reading({"data": "d"}, "Doc(data='d')", content_type="application/vnd.api+json"),),
        types={"value": "Doc"},
    ),
    Case(
        "nullable_response",
        "a response that is null or an object",
        "",
        schemas="Found: {type: object, properties: {a: {type: string}}}",
        response="{anyOf: [{$ref: '#/components/schemas/Found'}, {type: 'null'}]}",
        checks=(Reading(None, "None"), Reading({"a": "x"}, "Found(a='x')")),
        types={"value": "Found | None"},
    ),
    Case(
        "scalar_response",
        "a response that is a list of lists, or a number",
        "",
        response="{type: array, items: {type: array, items: {type: number}}}",
        checks=(Reading([[1, 2.5], []], "[[1, 2.5], []]"),),
        types={"value": "list[list[float]]"},
    ),
    Case(
        "header_of_response",
        "headers of a response are no part of the model",
        "",
        operation="""
            responses:
              "200":
                description: With headers
                headers: {X-Total: {schema: {type: integer}}}
                content: {application/json: {schema: {type: boolean}}}
        """,
        checks=(Reading(True, "True"),),
        types={"value": "bool"},
    ),
)
