"""Defaults: the API applies them, so a call that leaves an argument out does not send it."""

from __future__ import annotations

from .case import Case, Sending

CASES = (
    Case(
        "text_defaults",
        "texts with quotes, backslashes and line breaks as defaults",
        "openapi-generator#15541",
        schemas=r"""
            Escapes:
              type: object
              properties:
                backslash: {type: string, default: "\\"}
                quotes: {type: string, default: "it's \"quoted\""}
                triple: {type: string, default: "\"\"\""}
                lines: {type: string, default: "a\nb\r\n"}
                braces: {type: string, default: "{x} {{y}} %s"}
                empty: {type: string, default: ""}
        """,
        body="{$ref: '#/components/schemas/Escapes'}",
        checks=(
            Sending("", body={}),
            Sending("backslash='x'", body={"backslash": "x"}),
        ),
    ),
    Case(
        "array_default",
        "a list as default, also of enum values",
        "openapi-python-client#721",
        schemas="""
            Colour: {type: string, enum: [red, blue]}
            Palette:
              type: object
              properties:
                colours: {type: array, items: {$ref: "#/components/schemas/Colour"}, default: [red]}
                sizes: {type: array, items: {type: integer}, default: [1, 2]}
        """,
        body="{$ref: '#/components/schemas/Palette'}",
        checks=(
            Sending("", body={}),
            Sending("colours=[Colour.BLUE]", body={"colours": ["blue"]}),
        ),
    ),
    Case(
        "object_default",
        "an object as default, of an optional model",
        "openapi-python-client#944",
        schemas="Slices: {type: object, properties: {slices: {type: integer}}}",
        body="""
            type: object
            properties:
              cake:
                anyOf: [{$ref: "#/components/schemas/Slices"}, {type: "null"}]
                default: {slices: 20}
              pie: {type: object, properties: {size: {type: integer}}, default: {}}
        """,
        checks=(
            Sending("", body={}),
            Sending("cake=Slices(slices=1)", body={"cake": {"slices": 1}}),
        ),
    ),
    Case(
        "enum_reference_default",
        "a default beside a reference to an enum",
        "openapi-generator#18843",
        schemas="""
            Level: {type: string, enum: [low, high], default: high}
            Alarm2:
              type: object
              required: [level]
              properties:
                level: {$ref: "#/components/schemas/Level"}
                other: {allOf: [{$ref: "#/components/schemas/Level"}], default: low}
        """,
        body="{$ref: '#/components/schemas/Alarm2'}",
        checks=(Sending("level='low'", body={"level": "low"}),),
    ),
    Case(
        "null_default",
        "null as default, also of a type that does not allow it",
        "openai-openapi#290",
        schemas="""
            Stop:
              type: object
              properties:
                stop: {anyOf: [{type: string}, {type: "null"}], default: null}
                text: {type: string, default: null}
                time: {type: [string, "null"], format: date-time, default: null}
        """,
        body="{$ref: '#/components/schemas/Stop'}",
        checks=(
            Sending("", body={}),
            Sending("stop=None, text='t'", body={"stop": None, "text": "t"}),
        ),
    ),
    Case(
        "number_defaults",
        "numbers as defaults: whole numbers of type number, and numbers of type integer",
        "oas#12",
        parameters="""
            - {name: limit, in: query, schema: {type: integer, default: 5}}
            - {name: ratio, in: query, schema: {type: number, default: 1}}
            - {name: flag, in: query, schema: {type: boolean, default: false}}
        """,
        checks=(
            Sending("", "/number_defaults"),
            Sending("limit=0, flag=False", "/number_defaults?limit=0&flag=false"),
        ),
    ),
    Case(
        "required_default",
        "a required property with a default is an argument that must be passed",
        "",
        body="""
            type: object
            required: [mode]
            properties: {mode: {type: string, default: fast}}
        """,
        checks=(Sending("mode='slow'", body={"mode": "slow"}),),
    ),
)
