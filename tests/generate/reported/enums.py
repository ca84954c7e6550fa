"""Enums: their values, their names, and null among them."""

from __future__ import annotations

from .case import Case, Invalid, Reading, Sending

CASES = (
    Case(
        "null_in_enum",
        "null among the values of an enum is None",
        "openapi-python-client#504",
        schemas="""
            Blank: {enum: [""]}
            Nothing: {enum: [null]}
            Mood: {type: string, enum: [glad, sad]}
            Diary:
              type: object
              properties:
                mood:
                  nullable: true
                  oneOf:
                    - $ref: "#/components/schemas/Mood"
                    - $ref: "#/components/schemas/Blank"
                    - $ref: "#/components/schemas/Nothing"
        """,
        response="{$ref: '#/components/schemas/Diary'}",
        checks=(
            Reading({"mood": None}, "Diary(mood=None)"),
            Reading({"mood": ""}, "Diary(mood=Blank.VALUE_0)"),
            Reading({"mood": "sad"}, "Diary(mood=Mood.SAD)"),
        ),
        types={"value.mood": "Blank | Mood | None | Unset"},
    ),
    Case(
        "nullable_enum",
        "nullable adds null to an enum that does not list it",
        "openapi-python-client#1405",
        schemas="""
            Alarm:
              type: object
              properties:
                level: {type: string, enum: [low, high], nullable: true}
                listed: {type: string, nullable: true, enum: ["on", "off", null]}
        """,
        response="{$ref: '#/components/schemas/Alarm'}",
        checks=(
            Reading({"level": None, "listed": None}, "Alarm(level=None, listed=None)"),
            Reading(
                {"level": "low", "listed": "off"},
                "Alarm(level=AlarmLevelType1.LOW, listed=AlarmListedType1.OFF)",
            ),
        ),
    ),
    Case(
        "constants",
        "a constant of each type is read as its value",
        "",
        schemas="""
            Constants:
              type: object
              properties:
                right: {const: true}
                wrong: {type: boolean, const: false}
                only: {type: boolean, enum: [true]}
                untyped: {enum: [false]}
                five: {const: 5}
                minus: {const: -1}
                half: {const: 0.5}
                whole: {type: number, const: 2}
                nothing: {const: null}
                text: {const: x}
                quotes: {const: 'a"b\\c'}
                maybe: {const: true, nullable: true}
                maybeText: {type: string, const: x, nullable: true}
                listed: {type: array, items: {const: true}}
                either: {oneOf: [{const: true}, {const: 1.5}, {const: x}, {const: null}]}
                orObject: {oneOf: [{const: false}, {$ref: "#/components/schemas/Constants"}]}
                defaulted: {const: true, default: true}
        """,
        response="{$ref: '#/components/schemas/Constants'}",
        checks=(
            Reading(
                {
                    "right": True,
                    "wrong": False,
                    "only": True,
                    "untyped": False,
                    "five": 5,
                    "minus": -1,
                },
                "Constants(right=True, wrong=False, only=True, untyped=False, five=5, minus=-1)",
            ),
            Reading(
                {"half": 0.5, "whole": 2, "nothing": None, "text": "x", "quotes": 'a"b\\c'},
                "Constants(half=0.5, whole=2, nothing=None, text='x', quotes='a\"b\\\\c')",
            ),
            Reading(
                {"maybe": None, "maybeText": None, "listed": [True, True], "either": None},
                "Constants(maybe=None, maybe_text=None, listed=[True, True], either=None)",
            ),
            Reading(
                {"maybe": True, "maybeText": "x", "either": 1.5, "orObject": {"right": True}},
                "Constants(maybe=True, maybe_text=ConstantsMaybeTextType1.X, either=1.5,"
                " or_object=Constants(right=True))",
            ),
            Reading({"either": True, "orObject": False}, "Constants(either=True, or_object=False)"),
        ),
        types={"value.right": "bool | Unset", "value.five": "Literal[5] | Unset"},
    ),
    Case(
        "sent_constants",
        "another value than the constant is rejected",
        "",
        schemas="""
            Switch:
              type: object
              properties:
                right: {const: true}
                half: {const: 0.5}
                nothing: {const: null}
                only: {type: boolean, enum: [true]}
        """,
        body="{$ref: '#/components/schemas/Switch'}",
        checks=(
            Sending(
                "right=True, half=0.5, nothing=None, only=True",
                body={"right": True, "half": 0.5, "nothing": None, "only": True},
            ),
            Invalid("right=False", "right must be"),
            Invalid("right=1", "right must be"),
            Invalid("half=1", "half must be"),
            Invalid("nothing=0", "nothing must be"),
            Invalid("only=False", "only must be"),
        ),
    ),
    Case(
        "int_enum_in_query",
        "the numbers of an enum are sent, not the names of its members",
        "openapi-generator#18327",
        schemas="Size: {type: integer, enum: [0, 1, -2]}",
        parameters="""
            - {name: sizes, in: query, schema: {type: array, items:
                {$ref: "#/components/schemas/Size"}}}
            - {name: size, in: query, schema: {$ref: "#/components/schemas/Size"}}
        """,
        checks=(
            Sending(
                "size=Size.VALUE_0, sizes=[Size.VALUE_1, Size.VALUE_NEGATIVE_2]",
                "/int_enum_in_query?sizes=1&sizes=-2&size=0",
            ),
        ),
    ),
    Case(
        "enum_in_query",
        "a member of an enum is sent as its value in query, path and header",
        "fern#2697",
        path="/enum_in_query/{kind}",
        schemas="Kind: {type: string, enum: [big one, small one]}",
        parameters="""
            - {name: kind, in: path, required: true, schema: {$ref: "#/components/schemas/Kind"}}
            - {name: other, in: query, schema: {$ref: "#/components/schemas/Kind"}}
            - {name: X-Kind, in: header, schema: {$ref: "#/components/schemas/Kind"}}
        """,
        checks=(
            Sending(
                "Kind.BIG_ONE, other=Kind.SMALL_ONE, x_kind='small one'",
                "/enum_in_query/big%20one?other=small%20one",
                headers={"X-Kind": "small one"},
            ),
            Invalid("'medium'", "big one"),
        ),
    ),
    Case(
        "empty_value",
        "an empty text is a value of an enum",
        "openapi-python-client#357",
        schemas="""
            Tier: {type: string, enum: ["", Cold, Hot]}
            Bucket: {type: object, properties: {tier: {$ref: "#/components/schemas/Tier"}}}
        """,
        response="{$ref: '#/components/schemas/Bucket'}",
        checks=(
            Reading({"tier": ""}, "Bucket(tier=Tier.VALUE_0)"),
            Reading({"tier": "Hot"}, "Bucket(tier=Tier.HOT)"),
        ),
    ),
    Case(
        "repeated_values",
        "a repeated value is one member",
        "openapi-python-client#1095",
        schemas="""
            Grade: {type: string, enum: [a, b, a]}
            Exam: {type: object, properties: {grade: {$ref: "#/components/schemas/Grade"}}}
        """,
        response="{$ref: '#/components/schemas/Exam'}",
        checks=(Reading({"grade": "a"}, "Exam(grade=Grade.A)"),),
    ),
    Case(
        "names_for_case",
        "values that differ by case have the names that the spec gives them",
        "openapi-python-client#1030",
        schemas="""
            Suffix: {type: string, enum: [doc, DOC], x-enum-varnames: [LOWER, UPPER]}
            Document: {type: object, properties: {suffix: {$ref: "#/components/schemas/Suffix"}}}
        """,
        response="{$ref: '#/components/schemas/Document'}",
        checks=(
            Reading({"suffix": "doc"}, "Document(suffix=Suffix.LOWER)"),
            Reading({"suffix": "DOC"}, "Document(suffix=Suffix.UPPER)"),
        ),
    ),
    Case(
        "keywords",
        "values that are keywords, dunder names or methods of str are members",
        "nimi-python#618",
        schemas="""
            Word:
              type: string
              enum: [None, "True", class, import, mro, name, value, __init__, title, _missing_,
                self]
            Words: {type: array, items: {$ref: "#/components/schemas/Word"}}
        """,
        response="{$ref: '#/components/schemas/Words'}",
        checks=(
            Reading(
                ["None", "True", "class", "mro", "name", "__init__", "title", "_missing_", "self"],
                "[Word.NONE, Word.TRUE, Word.CLASS, Word.MRO, Word.NAME, Word.VALUE_7,"
                " Word.TITLE, Word.VALUE_9, Word.SELF]",
            ),
        ),
    ),
    Case(
        "digits_and_symbols",
        "values that begin with digits or consist of symbols are members",
        "openapi-python-generator#87",
        schemas="""
            Ratio: {type: string, enum: [1x1, "16:9", admin-user, "+", "ü", "日本"]}
            Ratios: {type: array, items: {$ref: "#/components/schemas/Ratio"}}
        """,
        response="{$ref: '#/components/schemas/Ratios'}",
        checks=(
            Reading(
                ["1x1", "16:9", "admin-user", "+", "ü", "日本"],
                "[Ratio.VALUE_0, Ratio.VALUE_1, Ratio.ADMIN_USER, Ratio.VALUE_3, Ratio.Ü,"
                " Ratio.日本]",
            ),
        ),
    ),
    Case(
        "unknown_value",
        "a value that the spec does not list yet is kept",
        "apify-client-python#931",
        schemas="Status: {type: string, enum: [open, closed]}",
        response="{type: array, items: {$ref: '#/components/schemas/Status'}}",
        checks=(Reading(["open"], "[Status.OPEN]"),),
    ),
    Case(
        "single_value",
        "an enum of one value",
        "",
        schemas="""
            Only: {type: string, enum: [only]}
            Lonely: {type: object, required: [only], properties: {only:
              {$ref: "#/components/schemas/Only"}}}
        """,
        body="{$ref: '#/components/schemas/Lonely'}",
        checks=(
            Sending("only=Only.ONLY", body={"only": "only"}),
            Sending("only='only'", body={"only": "only"}),
            Invalid("only='other'", "only"),
        ),
    ),
    Case(
        "mixed_values",
        "an enum of several types or of numbers like 0.5 has plain values",
        "openapi-python-client#785",
        response="""
            type: object
            properties:
              mixed: {enum: [1, one, true, null]}
              halves: {type: number, enum: [0.5, 1.0]}
              flags: {type: boolean, enum: [true]}
        """,
        checks=(
            Reading(
                {"mixed": "one", "halves": 0.5, "flags": True},
                "MixedValuesResponse200(mixed='one', halves=0.5, flags=True)",
            ),
            Reading({"mixed": None}, "MixedValuesResponse200(mixed=None)"),
        ),
        types={"value.halves": "float | Unset", "value.flags": "bool | Unset"},
    ),
    Case(
        "enum_beside_component",
        "an inline enum and a component may want the same class name",
        "openapi-python-client#1167",
        schemas="""
            Order: {type: object, properties: {state: {type: string, enum: [new, paid]}}}
            OrderState: {type: object, properties: {since: {type: string}}}
        """,
        response="""
            type: object
            properties:
              order: {$ref: "#/components/schemas/Order"}
              state: {$ref: "#/components/schemas/OrderState"}
        """,
        checks=(
            Reading(
                {"order": {"state": "new"}, "state": {"since": "s"}},
                "EnumBesideComponentResponse200(order=Order(state=OrderState2.NEW),"
                " state=OrderState(since='s'))",
            ),
        ),
    ),
    Case(
        "enum_parameter_default",
        "a default of an enum in the query is what the API applies",
        "openapi-python-client#422",
        schemas="Sort: {type: string, enum: [asc, desc], default: asc}",
        parameters="""
            - {name: sort, in: query, schema: {$ref: "#/components/schemas/Sort"}}
            - {name: inline, in: query, schema: {type: string, enum: [a, b], default: b}}
        """,
        checks=(
            Sending("", "/enum_parameter_default"),
            Sending("sort='desc'", "/enum_parameter_default?sort=desc"),
        ),
    ),
)
