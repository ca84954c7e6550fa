"""References and `allOf`: to components of every kind, into schemas, and in circles."""

from __future__ import annotations

from .case import Case, Reading, Sending

CASES = (
    Case(
        "recursive",
        "a schema that contains itself, directly, in a list and in a map",
        "openapi-python-client#338",
        schemas="""
            Folder:
              type: object
              properties:
                name: {type: string}
                parent: {$ref: "#/components/schemas/Folder"}
                folders: {type: array, items: {$ref: "#/components/schemas/Folder"}}
                byName: {type: object, additionalProperties: {$ref: "#/components/schemas/Folder"}}
        """,
        response="{$ref: '#/components/schemas/Folder'}",
        checks=(
            Reading(
                {"name": "a", "folders": [{"parent": {"name": "a"}}], "byName": {"b": {}}},
                "Folder(name='a', folders=[Folder(parent=Folder(name='a'))],"
                " by_name=FolderByName('b': Folder()))",
            ),
        ),
    ),
    Case(
        "circular",
        "two schemas that contain each other",
        "openapi-python-client#466",
        schemas="""
            Brother: {type: object, properties: {sister: {$ref: "#/components/schemas/Sister"}}}
            Sister: {type: object, properties: {brother: {$ref: "#/components/schemas/Brother"}}}
        """,
        body="{$ref: '#/components/schemas/Brother'}",
        checks=(
            Sending("sister=Sister(brother=Brother())", body={"sister": {"brother": {}}}),
            Sending("sister={'brother': {}}", body={"sister": {"brother": {}}}),
        ),
    ),
    Case(
        "recursive_list",
        "a list of itself, and a union with a list of itself",
        "openapi-python-client#347",
        schemas="""
            Tree: {type: object, properties: {value: {$ref: "#/components/schemas/Value"}}}
            Value:
              oneOf:
                - {type: string}
                - {type: array, items: {$ref: "#/components/schemas/Tree"}}
        """,
        response="{$ref: '#/components/schemas/Tree'}",
        checks=(Reading({"value": [{"value": "x"}]}, "Tree(value=[Tree(value='x')])"),),
    ),
    Case(
        "all_of_chain",
        "an allOf of a schema that is itself an allOf of one branch",
        "openapi-python-client#1091",
        schemas="""
            Base: {type: object, required: [id], properties: {id: {type: string}}}
            Alias: {allOf: [{$ref: "#/components/schemas/Base"}]}
            Extended:
              allOf:
                - {$ref: "#/components/schemas/Alias"}
                - {type: object, properties: {more: {type: integer}}}
        """,
        response="{$ref: '#/components/schemas/Extended'}",
        checks=(Reading({"id": "i", "more": 1}, "Extended(id='i', more=1)"),),
    ),
    Case(
        "all_of_required",
        "a branch that only requires properties of another branch",
        "openapi-python-generator#110",
        schemas="""
            Loose: {type: object, properties: {a: {type: string}, b: {type: string}}}
            Strict: {allOf: [{$ref: "#/components/schemas/Loose"}, {required: [a]}]}
            Wide: {allOf: [{$ref: "#/components/schemas/Loose"}], required: [b], properties:
              {c: {type: integer}}}
        """,
        body="{$ref: '#/components/schemas/Strict'}",
        checks=(Sending("a='x'", body={"a": "x"}),),
    ),
    Case(
        "described_reference",
        "a reference with a description beside it or in an allOf",
        "api-ts#759",
        schemas="""
            Money: {type: object, properties: {amount: {type: integer}}}
            Bill:
              type: object
              properties:
                net: {$ref: "#/components/schemas/Money", description: Without taxes.}
                gross: {allOf: [{$ref: "#/components/schemas/Money"}], description: With taxes.}
                tip: {allOf: [{$ref: "#/components/schemas/Money"}], nullable: true,
                  deprecated: true}
        """,
        response="{$ref: '#/components/schemas/Bill'}",
        checks=(
            Reading(
                {"net": {"amount": 1}, "gross": {"amount": 2}, "tip": None},
                "Bill(net=Money(amount=1), gross=Money(amount=2), tip=None)",
            ),
        ),
        types={"value.gross": "Money | Unset", "value.tip": "Money | None | Unset"},
    ),
    Case(
        "nullable_beside_reference",
        "nullable beside a reference",
        "openapi-generator#11352",
        schemas="""
            Delta: {type: object, properties: {days: {type: integer}}}
            Run: {type: object, properties: {timeout: {nullable: true,
              $ref: "#/components/schemas/Delta"}}}
        """,
        response="{$ref: '#/components/schemas/Run'}",
        checks=(
            Reading({"timeout": None}, "Run(timeout=None)"),
            Reading({"timeout": {"days": 1}}, "Run(timeout=Delta(days=1))"),
        ),
    ),
    Case(
        "referenced_parameters",
        "parameters and responses that are references",
        "openapi-python-client#288",
        path="/referenced_parameters/{id}",
        components="""
            parameters:
              Id: {name: id, in: path, required: true, schema: {type: string}}
              Page: {name: page, in: query, schema: {$ref: "#/components/schemas/PageNumber"}}
            responses:
              Done: {description: Done, content: {application/json: {schema:
                {$ref: "#/components/schemas/Outcome"}}}}
        """,
        schemas="""
            PageNumber: {type: integer, minimum: 1}
            Outcome: {type: object, properties: {done: {type: boolean}}}
        """,
        parameters="""
            - {$ref: "#/components/parameters/Id"}
            - {$ref: "#/components/parameters/Page"}
        """,
        operation="{responses: {'200': {$ref: '#/components/responses/Done'}}}",
        checks=(Reading({"done": True}, "Outcome(done=True)", "'x', page=2"),),
        types={"value": "Outcome"},
    ),
    Case(
        "deep_reference",
        "a reference to a property of another schema",
        "openapi-python-client#342",
        schemas="""
            Source:
              type: object
              properties:
                kind: {type: string, enum: [file, feed]}
                place: {type: object, properties: {url: {type: string}}}
            Copy:
              type: object
              properties:
                kind: {$ref: "#/components/schemas/Source/properties/kind"}
                place: {$ref: "#/components/schemas/Source/properties/place"}
        """,
        response="{$ref: '#/components/schemas/Copy'}",
        checks=(
            Reading(
                {"kind": "file", "place": {"url": "u"}},
                "Copy(kind=Kind.FILE, place=Place(url='u'))",
            ),
        ),
    ),
    Case(
        "alias",
        "a schema that is only a reference to another one",
        "openapi-python-client#366",
        schemas="""
            Real: {type: object, properties: {a: {type: string}}}
            Other: {$ref: "#/components/schemas/Real"}
            Shade: {type: string, enum: [dark]}
            Tint: {$ref: "#/components/schemas/Shade"}
            Both: {type: object, properties: {o: {$ref: "#/components/schemas/Other"}, t:
              {$ref: "#/components/schemas/Tint"}}}
        """,
        response="{$ref: '#/components/schemas/Both'}",
        checks=(Reading({"o": {"a": "x"}, "t": "dark"}, "Both(o=Other(a='x'), t=Tint.DARK)"),),
    ),
    Case(
        "discriminator_of_base",
        "a base schema with a discriminator, and schemas that extend it",
        "openapi-generator#16808",
        schemas="""
            Element:
              type: object
              required: [type]
              properties: {type: {type: string}}
              discriminator: {propertyName: type, mapping: {group: "#/components/schemas/Group"}}
            Group:
              allOf:
                - {$ref: "#/components/schemas/Element"}
                - {type: object, properties: {members: {type: array, items:
                    {$ref: "#/components/schemas/Element"}}}}
        """,
        response="{$ref: '#/components/schemas/Group'}",
        checks=(
            Reading(
                {"type": "group", "members": [{"type": "group"}]},
                "Group(type_='group', members=[Element(type_='group')])",
            ),
        ),
    ),
)
