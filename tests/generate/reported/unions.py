"""Unions: `oneOf` and `anyOf`, with and without a discriminator."""

from __future__ import annotations

from .case import Case, Reading, Sending

CASES = (
    Case(
        "pan_or_pot",
        "the discriminator decides between branches whose properties are equal",
        "openapi-generator#17763",
        schemas="""
            Pan: {type: object, required: [kind], properties: {kind: {type: string}}}
            Pot: {type: object, required: [kind], properties: {kind: {type: string}}}
        """,
        response="""
            oneOf: [{$ref: "#/components/schemas/Pan"}, {$ref: "#/components/schemas/Pot"}]
            discriminator: {propertyName: kind, mapping: {flat: Pan, tall: Pot}}
        """,
        checks=(
            Reading({"kind": "flat"}, "Pan(kind='flat')"),
            Reading({"kind": "tall"}, "Pot(kind='tall')"),
        ),
        types={"value": "Pan | Pot"},
    ),
    Case(
        "lamp_or_fan",
        "without a mapping, the discriminator contains the names of the schemas",
        "openapi-generator#1919",
        schemas="""
            Lamp: {type: object, properties: {device: {type: string}, watts: {type: integer}}}
            Fan: {type: object, properties: {device: {type: string}, speed: {type: integer}}}
        """,
        response="""
            oneOf: [{$ref: "#/components/schemas/Lamp"}, {$ref: "#/components/schemas/Fan"}]
            discriminator: {propertyName: device}
        """,
        checks=(Reading({"device": "Fan", "speed": 2}, "Fan(device='Fan', speed=2)"),),
        types={"value": "Lamp | Fan"},
    ),
    Case(
        "words_or_parts",
        "a list of one type is not read as the list of another",
        "openapi-python-generator#136",
        schemas="Part: {type: object, properties: {number: {type: integer}}}",
        response="""
            anyOf:
              - {type: array, items: {type: string}}
              - {type: array, items: {$ref: "#/components/schemas/Part"}}
        """,
        checks=(
            Reading(["a", "b"], "['a', 'b']"),
            Reading([{"number": 1}], "[Part(number=1)]"),
        ),
        types={"value": "list[str] | list[Part]"},
    ),
    Case(
        "one_page_or_pages",
        "an object or a list of objects, both inline",
        "openapi-python-client#756",
        response="""
            oneOf:
              - {type: object, title: Leaf, properties: {text: {type: string}}}
              - type: array
                items: {type: object, title: Folio, properties: {leaf: {type: integer}}}
        """,
        checks=(
            Reading({"text": "t"}, "OnePageOrPagesLeaf(text='t')"),
            Reading(
                [{"leaf": 1}, {"leaf": 2}],
                "[OnePageOrPagesFolio(leaf=1), OnePageOrPagesFolio(leaf=2)]",
            ),
        ),
        types={"value": "OnePageOrPagesLeaf | list[OnePageOrPagesFolio]"},
    ),
    Case(
        "settings_tree",
        "values of a map are nested unions of maps, lists and scalars",
        "openapi-python-client#266",
        schemas="""
            Settings:
              type: object
              additionalProperties:
                anyOf:
                  - {type: object, title: Branch, additionalProperties: {type: integer}}
                  - {type: array, items: {}}
                  - {type: boolean}
                  - {type: number}
                  - {type: string}
                  - {type: "null"}
        """,
        response="{$ref: '#/components/schemas/Settings'}",
        checks=(
            Reading(
                {"a": True, "b": 1, "c": "x", "d": None, "e": [1, "y"], "f": {"g": 2}},
                "Settings('a': True, 'b': 1, 'c': 'x', 'd': None, 'e': [1, 'y'],"
                " 'f': SettingsBranch('g': 2))",
            ),
        ),
    ),
    Case(
        "scalars",
        "a value of a union of scalars keeps its type",
        "openapi-generator#21712",
        response="""
            type: object
            properties:
              three: {anyOf: [{type: integer}, {type: string}, {type: boolean}]}
              nullable: {anyOf: [{type: string}, {type: integer}, {type: "null"}]}
              numbers: {anyOf: [{type: integer}, {type: number}]}
        """,
        checks=(
            Reading(
                {"three": True, "nullable": None}, "ScalarsResponse200(three=True, nullable=None)"
            ),
            Reading({"three": 1, "numbers": 1.5}, "ScalarsResponse200(three=1, numbers=1.5)"),
            Reading({"three": "1", "nullable": "0"}, "ScalarsResponse200(three='1', nullable='0')"),
        ),
        types={
            "value.three": "int | str | bool | Unset",
            "value.nullable": "int | None | str | Unset",
        },
    ),
    Case(
        "fixed_text_or_object",
        "a constant or an object",
        "openapi-python-client#1263",
        schemas="Report: {type: object, properties: {lines: {type: integer}}}",
        response="""
            anyOf: [{const: none yet}, {$ref: "#/components/schemas/Report"}]
        """,
        checks=(
            Reading("none yet", "'none yet'"),
            Reading({"lines": 3}, "Report(lines=3)"),
        ),
        types={"value": "Literal['none yet'] | Report"},
    ),
    Case(
        "rules",
        "the items of a list are a union of inline objects without a type",
        "openapi-python-client#1428",
        response="""
            type: object
            properties:
              rules:
                type: array
                items:
                  type: object
                  oneOf:
                    - title: CountRule
                      properties: {rule: {type: string, enum: [count]}, most: {type: integer}}
                      required: [rule, most]
                    - title: WordRule
                      properties: {rule: {type: string, enum: [word]}, word: {type: string}}
                      required: [rule, word]
        """,
        checks=(
            Reading(
                {"rules": [{"rule": "word", "word": "w"}, {"rule": "count", "most": 1}]},
                "RulesResponse200(rules=[RulesResponse200WordRule("
                "rule=RulesResponse200WordRuleRule.WORD, word='w'), RulesResponse200CountRule("
                "rule=RulesResponse200CountRuleRule.COUNT, most=1)])",
            ),
        ),
        types={"value.rules": "list[RulesResponse200CountRule | RulesResponse200WordRule] | Unset"},
    ),
    Case(
        "nested_unions",
        "a union within a union",
        "openapi-python-client#958",
        schemas="""
            Nut: {type: object, properties: {shell: {type: boolean}}}
            Seed: {type: object, properties: {size: {type: integer}}}
            Kernel: {oneOf: [{$ref: "#/components/schemas/Nut"},
              {$ref: "#/components/schemas/Seed"}]}
        """,
        response="""
            anyOf: [{$ref: "#/components/schemas/Kernel"}, {type: array, items:
              {$ref: "#/components/schemas/Kernel"}}]
        """,
        checks=(
            Reading({"size": 1}, "Seed(size=1)"),
            Reading([{"shell": True}, {"size": 1}], "[Nut(shell=True), Seed(size=1)]"),
        ),
        types={"value": "Nut | Seed | list[Nut | Seed]"},
    ),
    Case(
        "nullable_reference",
        "a reference or null is sent and returned",
        "openapi-generator#14181",
        schemas="Owner: {type: object, properties: {name: {type: string}}}",
        response="""
            type: object
            properties:
              first: {oneOf: [{$ref: "#/components/schemas/Owner"}], nullable: true}
              second: {anyOf: [{$ref: "#/components/schemas/Owner"}, {type: "null"}]}
              third: {allOf: [{$ref: "#/components/schemas/Owner"}], nullable: true}
        """,
        checks=(
            Reading(
                {"first": None, "second": None, "third": None},
                "NullableReferenceResponse200(first=None, second=None, third=None)",
            ),
            Reading(
                {"first": {"name": "a"}, "third": {"name": "b"}},
                "NullableReferenceResponse200(first=Owner(name='a'), third=Owner(name='b'))",
            ),
        ),
        types={"value.first": "Owner | None | Unset", "value.third": "Owner | None | Unset"},
    ),
    Case(
        "coordinates_or_text",
        "a list of numbers with limits, or a text",
        "openapi-generator#19395",
        response="""
            anyOf:
              - {type: array, minItems: 2, maxItems: 2, items: {type: number}}
              - {type: string}
        """,
        checks=(Reading([1, 2.5], "[1, 2.5]"), Reading("here", "'here'")),
        types={"value": "list[float] | str"},
    ),
    Case(
        "wrapped_branches",
        "branches that are an allOf of a common part and their own properties",
        "openapi-generator#8268",
        schemas="""
            Shape: {type: object, required: [form], properties: {form: {type: string}}}
            Circle:
              allOf:
                - {$ref: "#/components/schemas/Shape"}
                - {type: object, properties: {radius: {type: number}}}
            Square:
              allOf:
                - {$ref: "#/components/schemas/Shape"}
                - {type: object, properties: {side: {type: number}}}
        """,
        response="""
            oneOf: [{$ref: "#/components/schemas/Circle"}, {$ref: "#/components/schemas/Square"}]
            discriminator: {propertyName: form, mapping: {square: "#/components/schemas/Square"}}
        """,
        checks=(
            Reading({"form": "square", "side": 2}, "Square(form='square', side=2)"),
            Reading({"form": "Circle", "radius": 1.5}, "Circle(form='Circle', radius=1.5)"),
        ),
        types={"value": "Circle | Square", "value.form": "str | Unset"},
    ),
    Case(
        "label_or_binary",
        "an object or a file in one union of JSON",
        "kiota#4433",
        schemas="Labelled: {type: object, properties: {label: {type: string}}}",
        response="""
            oneOf: [{$ref: "#/components/schemas/Labelled"}, {type: string}]
        """,
        checks=(
            Reading({"label": "l"}, "Labelled(label='l')"),
            Reading("plain", "'plain'"),
        ),
        types={"value": "Labelled | str"},
    ),
    Case(
        "union_body",
        "a body that is a union of models is sent as the given model",
        "openapi-generator#8044",
        schemas="""
            Insert: {type: object, required: [insert], properties: {insert: {type: string}}}
            Delete: {type: object, required: [delete], properties: {delete: {type: integer}}}
        """,
        body="""
            anyOf: [{$ref: "#/components/schemas/Insert"}, {$ref: "#/components/schemas/Delete"}]
        """,
        checks=(
            Sending("body=Delete(delete=1)", "/union_body", {"delete": 1}),
            Sending("body=Insert(insert='i')", "/union_body", {"insert": "i"}),
        ),
    ),
)
