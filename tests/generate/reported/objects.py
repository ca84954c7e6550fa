"""Objects: `additionalProperties` in every form, maps, and data beyond the spec."""

from __future__ import annotations

from .case import Case, Invalid, Reading, Sending

CASES = (
    Case(
        "typed_additional",
        "properties beside typed additional properties",
        "openapi-python-client#218",
        schemas="""
            Labels: {type: object, properties: {name: {type: string}}, additionalProperties:
              {type: integer}}
        """,
        response="{$ref: '#/components/schemas/Labels'}",
        checks=(Reading({"name": "n", "a": 1}, "Labels(name='n', 'a': 1)"),),
    ),
    Case(
        "free_form",
        "all ways to write a free-form object are equal",
        "datamodel-code-generator#1762",
        schemas="""
            Free1: {type: object}
            Free2: {type: object, additionalProperties: true}
            Free3: {type: object, additionalProperties: {}}
            Frees:
              type: object
              properties:
                one: {$ref: "#/components/schemas/Free1"}
                two: {$ref: "#/components/schemas/Free2"}
                three: {$ref: "#/components/schemas/Free3"}
                inline: {type: object, additionalProperties: true}
        """,
        response="{$ref: '#/components/schemas/Frees'}",
        checks=(
            Reading(
                {"one": {"a": 1}, "two": {"b": [2]}, "three": {"c": None}, "inline": {"d": {}}},
                "Frees(one=Free1('a': 1), two=Free2('b': [2]), three=Free3('c': None),"
                " inline=FreesInline('d': {}))",
            ),
        ),
    ),
    Case(
        "properties_beside_one_of",
        "properties beside oneOf belong to each branch",
        "openapi-python-client#1060",
        schemas="""
            AuthMethod:
              type: object
              properties: {type: {type: string}}
              oneOf: [{$ref: "#/components/schemas/FirstType"}]
            FirstType: {type: object, properties: {key: {type: string}}}
        """,
        response="{$ref: '#/components/schemas/AuthMethod'}",
        checks=(Reading({"type": "a", "key": "b"}, "AuthMethod(type_='a', key='b')"),),
    ),
    Case(
        "all_of_nullable",
        "an object is not null, although a branch of its allOf can be",
        "openapi-python-client#1066",
        schemas="""
            Super: {type: object, nullable: true, properties: {a: {type: string}}}
            Sub:
              allOf:
                - {$ref: "#/components/schemas/Super"}
                - {type: object, properties: {b: {type: string}}}
        """,
        response="{$ref: '#/components/schemas/Sub'}",
        checks=(Reading({"a": "x", "b": "y"}, "Sub(a='x', b='y')"),),
    ),
    Case(
        "closed",
        "an object without additional properties keeps its own",
        "kiota#5037",
        schemas="""
            Image:
              type: object
              properties: {frame: {type: integer, format: int32}, path: {type: string,
                nullable: true}}
              additionalProperties: false
        """,
        response="{$ref: '#/components/schemas/Image'}",
        checks=(Reading({"frame": 1, "path": None}, "Image(frame=1, path=None)"),),
    ),
    Case(
        "map_of_lists",
        "a map of lists of models, of enums and of times",
        "openapi-generator#17447",
        schemas="""
            Point: {type: object, properties: {x: {type: integer}}}
            Axis: {type: string, enum: [x, y]}
            Maps:
              type: object
              properties:
                points: {type: object, additionalProperties: {type: array, items:
                  {$ref: "#/components/schemas/Point"}}}
                axes: {type: object, additionalProperties: {$ref: "#/components/schemas/Axis"}}
                times: {type: object, additionalProperties: {type: string, format: date}}
                maps: {type: object, additionalProperties: {type: object, additionalProperties:
                  {type: integer}}}
        """,
        response="{$ref: '#/components/schemas/Maps'}",
        checks=(
            Reading(
                {
                    "points": {"a": [{"x": 1}]},
                    "axes": {"b": "y"},
                    "times": {"c": "2021-01-02"},
                    "maps": {"d": {"e": 1}},
                },
                "Maps(points=MapsPoints('a': [Point(x=1)]), axes=MapsAxes('b': Axis.Y),"
                " times=MapsTimes('c': date(2021-01-02)),"
                " maps=MapsMaps('d': MapsMapsAdditionalProperty('e': 1)))",
            ),
        ),
    ),
    Case(
        "map_of_nullable",
        "a map of values that can be null",
        "",
        schemas="""
            Item3: {type: object, properties: {a: {type: integer}}}
            Nullables:
              type: object
              additionalProperties: {anyOf: [{$ref: "#/components/schemas/Item3"}, {type: "null"}]}
        """,
        response="{$ref: '#/components/schemas/Nullables'}",
        checks=(Reading({"x": None, "y": {"a": 1}}, "Nullables('x': None, 'y': Item3(a=1))"),),
    ),
    Case(
        "only_additional",
        "a response that is a map, without a component",
        "openapi-generator#2078",
        response="{type: object, additionalProperties: {type: number}}",
        checks=(Reading({"a": 1.5, "b": 2}, "OnlyAdditionalResponse200('a': 1.5, 'b': 2)"),),
    ),
    Case(
        "additional_attribute",
        "additional properties with names of attributes of the model",
        "openapi-generator#2028",
        schemas="""
            Extra: {type: object, properties: {name: {type: string}}, additionalProperties:
              {type: string}}
        """,
        response="{$ref: '#/components/schemas/Extra'}",
        checks=(
            Reading(
                {"name": "n", "to_dict": "x", "additional_properties": "y", "self": "z"},
                "Extra(name='n', 'to_dict': 'x', 'additional_properties': 'y', 'self': 'z')",
            ),
        ),
    ),
    Case(
        "empty_object",
        "an object with no properties at all, as a component and inline",
        "",
        schemas="Empty: {type: object, properties: {}}",
        response="""
            type: object
            properties:
              a: {$ref: "#/components/schemas/Empty"}
              b: {type: object, properties: {}}
        """,
        checks=(
            Reading(
                {"a": {}, "b": {}}, "EmptyObjectResponse200(a=Empty(), b=EmptyObjectResponse200B())"
            ),
        ),
    ),
    Case(
        "required_without_property",
        "a required name without a property is an attribute, as a component and inline",
        "",
        schemas="""
            Named: {type: object, required: [x]}
            Names:
              type: object
              required: [top]
              properties:
                component: {$ref: "#/components/schemas/Named"}
                inline: {type: object, required: [x]}
                items: {type: array, items: {type: object, required: [x]}}
                union: {oneOf: [{type: object, required: [x]}, {type: string}]}
                map: {type: object, additionalProperties: {type: object, required: [x]}}
                counts: {type: object, required: [x], additionalProperties: {type: integer}}
                nullable: {type: [object, "null"], required: [x]}
        """,
        response="{$ref: '#/components/schemas/Names'}",
        checks=(
            Reading(
                {
                    "component": {"x": 1, "more": 2},
                    "inline": {"x": "a"},
                    "items": [{"x": [1]}],
                    "union": {"x": 1},
                    "map": {"k": {"x": 1}},
                    "counts": {"x": 1},
                    "nullable": {"x": 1},
                    "top": None,
                },
                "Names(component=Named(x=1, 'more': 2), inline=NamesInline(x='a'),"
                " items=[NamesItemsItem(x=[1])], union=NamesUnionType0(x=1),"
                " map_=NamesMap('k': NamesMapAdditionalProperty(x=1)), counts=NamesCounts(x=1),"
                " nullable=NamesNullableType0(x=1), top=None)",
            ),
        ),
        types={"value.inline": "NamesInline | Unset"},
    ),
    Case(
        "body_with_required_name",
        "a required name without a property is an argument",
        "",
        body="{type: object, required: [x], additionalProperties: {type: integer}}",
        checks=(
            Sending("x=1, additional_properties={'y': 2}", body={"x": 1, "y": 2}),
            Invalid("x='a'", "x must be of type integer"),
        ),
    ),
    Case(
        "array_of_any",
        "a list without items, and nested lists",
        "",
        response="""
            type: object
            properties:
              any: {type: array}
              grid: {type: array, items: {type: array, items: {type: integer}}}
              objects: {type: array, items: {type: object}}
        """,
        checks=(
            Reading(
                {"any": [1, "a", None], "grid": [[1], []], "objects": [{"a": 1}]},
                "ArrayOfAnyResponse200(any_=[1, 'a', None], grid=[[1], []],"
                " objects=[ArrayOfAnyResponse200ObjectsItem('a': 1)])",
            ),
        ),
    ),
    Case(
        "type_missing",
        "an object without a type",
        "",
        schemas="Untyped: {properties: {a: {type: integer}, b: {items: {type: string}}}}",
        response="{$ref: '#/components/schemas/Untyped'}",
        checks=(Reading({"a": 1, "b": ["x"]}, "Untyped(a=1, b=['x'])"),),
        types={"value.a": "int | Unset"},
    ),
    Case(
        "read_only",
        "a property that only the API sets is no required argument",
        "openapi-python-client#1204",
        schemas="""
            Bug:
              type: object
              required: [id, name]
              properties: {id: {type: integer, readOnly: true}, name: {type: string}}
        """,
        body="{$ref: '#/components/schemas/Bug'}",
        checks=(Sending("name='n'", body={"name": "n"}),),
    ),
)
