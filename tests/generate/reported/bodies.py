"""Bodies of requests: optional, scalar, lists, free-form, and of other content types."""

from __future__ import annotations

from .case import Case, Reading, Sending

CASES = (
    Case(
        "optional_body",
        "an optional body is left out, and not an empty object",
        "openapi-python-client#1354",
        operation="""
            requestBody:
              content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}
        """,
        checks=(Sending(""), Sending("a='x'", body={"a": "x"})),
    ),
    Case(
        "optional_free_body",
        "an optional body without properties is left out",
        "openapi-python-client#1354",
        operation="""
            requestBody: {required: false, content: {application/json: {schema: {type: object}}}}
        """,
        checks=(Sending(""), Sending("body={'a': 1}", body={"a": 1}), Sending("body={}", body={})),
    ),
    Case(
        "list_body",
        "a body that is a list of models, texts or lists",
        "robotframework-openapitools#99",
        schemas="Row: {type: object, properties: {n: {type: integer}}}",
        body="{type: array, items: {$ref: '#/components/schemas/Row'}}",
        checks=(
            Sending("body=[Row(n=1), Row()]", body=[{"n": 1}, {}]),
            Sending("body=[]", body=[]),
        ),
    ),
    Case(
        "nested_list_body",
        "a body that is a list of lists of times",
        "",
        body="{type: array, items: {type: array, items: {type: string, format: date}}}",
        checks=(Sending("body=[[datetime.date(2021, 1, 2)], []]", body=[["2021-01-02"], []]),),
    ),
    Case(
        "text_body",
        "a body that is a JSON text",
        "",
        body="{type: string}",
        checks=(Sending("body='x'", body="x"), Sending("body=''", body="")),
    ),
    Case(
        "number_body",
        "a body that is a JSON number or boolean",
        "",
        body="{anyOf: [{type: boolean}, {type: number}]}",
        checks=(Sending("body=0", body=0), Sending("body=False", body=False)),
    ),
    Case(
        "nullable_body",
        "a body that can be null",
        "openapi-python-client#944",
        schemas="Cake: {type: object, properties: {slices: {type: integer}}}",
        body="{anyOf: [{$ref: '#/components/schemas/Cake'}, {type: 'null'}]}",
        checks=(
            Sending("body=Cake(slices=2)", body={"slices": 2}),
            Sending("body=None", body=None),
        ),
    ),
    Case(
        "binary_in_json",
        "a text with the format binary in JSON is a text",
        "",
        schemas="""
            Bytes: {type: string, format: binary}
            Binaries:
              type: object
              required: [inline]
              properties:
                inline: {type: string, format: binary}
                items: {type: array, items: {$ref: "#/components/schemas/Bytes"}}
                nullable: {type: [string, "null"], format: binary}
                union: {oneOf: [{$ref: "#/components/schemas/Bytes"}, {type: integer}]}
        """,
        response="{$ref: '#/components/schemas/Binaries'}",
        checks=(
            Reading(
                {"inline": "a", "items": ["b"], "nullable": "c", "union": "d"},
                "Binaries(inline='a', items=['b'], nullable='c', union='d')",
            ),
        ),
        types={"value.inline": "str | Unset", "value.items": "list[str] | Unset"},
    ),
    Case(
        "binary_arguments",
        "a text with the format binary in JSON or a parameter is sent as a text",
        "",
        parameters="[{name: filter, in: query, schema: {type: string, format: binary}}]",
        body="{$ref: '#/components/schemas/Binaries'}",
        checks=(
            Sending(
                "inline='a', items=['b'], nullable=None, union=1, filter_='f'",
                "/binary_arguments?filter=f",
                {"inline": "a", "items": ["b"], "nullable": None, "union": 1},
            ),
        ),
    ),
    Case(
        "free_form_body",
        "a free-form object is sent as it is",
        "openapi-python-client#218",
        body="{type: object, additionalProperties: true}",
        checks=(Sending("body={'a': {'b': [1, None]}}", body={"a": {"b": [1, None]}}),),
    ),
    Case(
        "map_body",
        "a map of models",
        "pyswagger#64",
        schemas="Unit: {type: object, properties: {size: {type: integer}}}",
        body="{type: object, additionalProperties: {$ref: '#/components/schemas/Unit'}}",
        checks=(Sending("body={'a': {'size': 1}}", body={"a": {"size": 1}}),),
    ),
    Case(
        "any_body",
        "a body of any JSON value",
        "",
        body="{description: Anything.}",
        checks=(
            Sending("body=[1, {'a': None}]", body=[1, {"a": None}]),
            Sending("body=None", body=None),
        ),
    ),
    Case(
        "vendor_json_body",
        "a media type that ends in +json is JSON, and is sent as Content-Type",
        "openapi-python-client#592",
        operation="""
            requestBody:
              required: true
              content:
                application/vnd.acme+json:
                  schema: {type: object, properties: {a: {type: string}}}
        """,
        checks=(
            Sending(
                "a='x'", body={"a": "x"}, headers={"Content-Type": "application/vnd.acme+json"}
            ),
        ),
    ),
    Case(
        "charset_body",
        "a media type with a parameter is JSON",
        "openapi-zod-client#139",
        operation="""
            requestBody:
              required: true
              content:
                application/json; charset=utf-8:
                  schema: {type: object, properties: {a: {type: string}}}
        """,
        checks=(
            Sending(
                "a='ü'",
                body={"a": "ü"},
                headers={"Content-Type": "application/json; charset=utf-8"},
            ),
        ),
    ),
    Case(
        "form_body",
        "a form is encoded as such",
        "openapi-python-client#11",
        operation="""
            requestBody:
              required: true
              content:
                application/x-www-form-urlencoded:
                  schema:
                    type: object
                    required: [grant]
                    properties: {grant: {type: string}, size: {type: integer}, note: {type: string}}
        """,
        checks=(
            Sending(
                "grant='a b&c', size=1",
                body=b"grant=a+b%26c&size=1",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            ),
        ),
    ),
    Case(
        "binary_body",
        "bytes are sent as they are",
        "swagger-codegen#10861",
        operation="""
            requestBody:
              required: true
              content: {application/octet-stream: {schema: {type: string, format: binary}}}
        """,
        checks=(
            Sending(
                "body=File(payload=io.BytesIO(bytes([0, 255])))",
                body=b"\x00\xff",
                headers={"Content-Type": "application/octet-stream"},
            ),
        ),
    ),
    Case(
        "referenced_body",
        "a body that is a reference to a component",
        "openapi-python-client#595",
        components="""
            requestBodies:
              Object:
                required: true
                content: {application/json: {schema: {type: object, properties: {a:
                  {type: string}}}}}
        """,
        operation="{requestBody: {$ref: '#/components/requestBodies/Object'}}",
        checks=(Sending("a='x'", body={"a": "x"}),),
    ),
    Case(
        "null_or_left_out",
        "null is sent, and a property without a value is left out",
        "openapi-generator#5180",
        schemas="""
            Patch:
              type: object
              required: [must]
              properties:
                must: {type: [string, "null"]}
                may: {type: [string, "null"]}
                only: {type: string}
        """,
        body="{$ref: '#/components/schemas/Patch'}",
        checks=(
            Sending("must=None", body={"must": None}),
            Sending("must='a', may=None, only=''", body={"must": "a", "may": None, "only": ""}),
        ),
    ),
)
