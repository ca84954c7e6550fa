"""Names of properties and schemas that Python or the generated code uses itself."""

from __future__ import annotations

from .case import Case, Reading, Sending

CASES = (
    Case(
        "property_self",
        "properties named like arguments of a constructor",
        "openapi-generator#9007",
        schemas="""
            Link:
              type: object
              properties: {self: {type: string}, args: {type: integer}, kwargs: {type: integer}}
        """,
        body="{$ref: '#/components/schemas/Link'}",
        checks=(
            Sending(
                "self_='here', args=1, kwargs=2", body={"self": "here", "args": 1, "kwargs": 2}
            ),
        ),
    ),
    Case(
        "property_keywords",
        "properties that are keywords of Python",
        "openapi-generator#7119",
        schemas="""
            Range:
              type: object
              required: [from, class]
              properties:
                from: {type: string}
                class: {type: string}
                "None": {type: string}
                import: {type: boolean}
                in: {type: string}
                async: {type: string}
                match: {type: string}
        """,
        response="{$ref: '#/components/schemas/Range'}",
        checks=(
            Reading(
                {"from": "a", "class": "b", "None": "c", "import": True, "in": "d", "match": "e"},
                "Range(from_='a', class_='b', none='c', import_=True, in_='d', match='e')",
            ),
        ),
    ),
    Case(
        "property_builtins",
        "properties with names of types do not hide the types of other properties",
        "openapi-python-client#359",
        schemas="""
            Node:
              type: object
              properties:
                int: {type: integer}
                str: {type: string}
                list: {type: array, items: {type: string}}
                dict: {type: object, properties: {bool: {type: boolean}}}
                bool: {type: boolean}
                float: {type: number}
                type: {type: string}
                id: {type: integer}
                object: {type: string}
                isinstance: {type: string}
                values: {type: array, items: {type: integer}}
        """,
        response="{$ref: '#/components/schemas/Node'}",
        checks=(
            Reading(
                {"int": 1, "str": "s", "list": ["l"], "dict": {"bool": True}, "id": 2},
                "Node(int_=1, str_='s', list_=['l'], dict_=NodeDict(bool_=True), id=2)",
            ),
            Reading(
                {"type": "t", "isinstance": "i", "values": [1]},
                "Node(type_='t', isinstance_='i', values=[1])",
            ),
        ),
        types={"value.int_": "int | Unset", "value.list_": "list[str] | Unset"},
    ),
    Case(
        "property_field",
        "properties with names that a module of a model imports or uses",
        "openapi-python-client#781",
        schemas="""
            Uses:
              type: object
              properties:
                field: {type: string}
                define: {type: string}
                attrs: {type: string}
                cast: {type: string, format: date-time}
                datetime: {type: string, format: date-time}
                isoparse: {type: string}
                Unset: {type: string, format: uuid}
                json: {type: string}
                Any: {type: array, items: {type: string, format: date}}
                T: {type: string}
                Mapping: {type: string}
                prop: {type: string}
                property: {type: object, additionalProperties: {type: string}}
        """,
        response="{$ref: '#/components/schemas/Uses'}",
        checks=(
            Reading(
                {
                    "field": "f",
                    "cast": "2021-01-02T03:04:05+00:00",
                    "datetime": "2021-01-02T03:04:05+00:00",
                    "property": {"p": "q"},
                    "Any": ["2021-01-02"],
                },
                "Uses(field='f', cast=datetime(2021-01-02T03:04:05+00:00),"
                " datetime_=datetime(2021-01-02T03:04:05+00:00), any_=[date(2021-01-02)],"
                " property_=UsesProperty('p': 'q'))",
            ),
        ),
    ),
    Case(
        "property_underscores",
        "properties that differ only by an underscore",
        "openapi-python-client#602",
        schemas="""
            Entry:
              type: object
              properties:
                id: {type: string}
                _id: {type: string}
                id_: {type: string}
                __id: {type: string}
        """,
        response="{$ref: '#/components/schemas/Entry'}",
        checks=(
            Reading(
                {"id": "a", "_id": "b", "id_": "c", "__id": "d"},
                "Entry(id='a', field__id='b', id_='c', field___id='d')",
            ),
        ),
    ),
    Case(
        "property_case",
        "properties that differ only in case or punctuation",
        "",
        schemas="""
            Mixed:
              type: object
              properties:
                userName: {type: string}
                user_name: {type: integer}
                user-name: {type: boolean}
                UserName: {type: array, items: {type: string}}
        """,
        response="{$ref: '#/components/schemas/Mixed'}",
        checks=(
            Reading(
                {"userName": "a", "user_name": 1, "user-name": True, "UserName": ["b"]},
                "Mixed(userName='a', user_name=1, username=True, UserName=['b'])",
            ),
        ),
    ),
    Case(
        "property_digits",
        "properties that begin with a digit or a symbol",
        "openapi-python-client#203",
        schemas="""
            Quarters:
              type: object
              required: [1Q]
              properties:
                1Q: {type: integer}
                30d_active: {type: boolean}
                "@type": {type: string}
                $schema: {type: string}
                "with space": {type: string}
                a.b: {type: string}
                größe: {type: integer}
                名前: {type: string}
        """,
        body="{$ref: '#/components/schemas/Quarters'}",
        checks=(
            Sending(
                "field_1q=1, field_30d_active=True, type_='t', schema='s', with_space='w', a_b='x',"
                " größe=2, 名前='n'",
                body={
                    "1Q": 1,
                    "30d_active": True,
                    "@type": "t",
                    "$schema": "s",
                    "with space": "w",
                    "a.b": "x",
                    "größe": 2,
                    "名前": "n",
                },
            ),
        ),
    ),
    Case(
        "schemas_like_types",
        "schemas with names of types",
        "openapi-python-client#1045",
        schemas="""
            Client: {type: object, properties: {a: {type: integer}}}
            Response: {type: object, properties: {b: {type: integer}}}
            Field: {type: object, properties: {c: {type: integer}}}
            Exception: {type: object, properties: {d1: {type: integer}}}
            List: {type: array, items: {$ref: "#/components/schemas/Client"}}
            Optional: {type: object, properties: {e: {$ref: "#/components/schemas/Type"}}}
            Type: {type: object, properties: {f: {type: integer}}}
            Union: {oneOf: [{$ref: "#/components/schemas/Field"},
              {$ref: "#/components/schemas/Type"}]}
            Session: {type: object, properties: {g: {type: integer}}}
            Resource: {type: object, properties: {h: {type: integer}}}
        """,
        response="""
            type: object
            properties:
              client: {$ref: "#/components/schemas/Client"}
              response: {$ref: "#/components/schemas/Response"}
              exception: {$ref: "#/components/schemas/Exception"}
              list: {$ref: "#/components/schemas/List"}
              optional: {$ref: "#/components/schemas/Optional"}
              union: {$ref: "#/components/schemas/Union"}
              session: {$ref: "#/components/schemas/Session"}
              resource: {$ref: "#/components/schemas/Resource"}
        """,
        checks=(
            Reading(
                {
                    "client": {"a": 1},
                    "response": {"b": 2},
                    "list": [{"a": 3}],
                    "optional": {"e": {"f": 4}},
                    "union": {"c": 5},
                },
                "SchemasLikeTypesResponse200(client=Client(a=1), response=Response(b=2),"
                " list_=[Client(a=3)], optional=Optional(e=Type(f=4)), union=Field(c=5))",
            ),
        ),
    ),
    Case(
        "inline_like_component",
        "an inline schema and a component may want the same class name",
        "openapi-python-client#323",
        schemas="""
            Entity: {type: object, properties: {schema: {type: object, properties: {a:
              {type: integer}}}}}
            EntitySchema: {type: object, properties: {b: {type: integer}}}
        """,
        response="""
            type: object
            properties:
              entity: {$ref: "#/components/schemas/Entity"}
              schema: {$ref: "#/components/schemas/EntitySchema"}
        """,
        checks=(
            Reading(
                {"entity": {"schema": {"a": 1}}, "schema": {"b": 2}},
                "InlineLikeComponentResponse200(entity=Entity(schema=EntitySchema2(a=1)),"
                " schema=EntitySchema(b=2))",
            ),
        ),
    ),
    Case(
        "schemas_with_dots",
        "schemas with dots, dashes and digits in their names",
        "",
        schemas="""
            acme.v1.Item: {type: object, properties: {a: {type: integer}}}
            2fa-Token: {type: object, properties: {b: {type: integer}}}
            item_list: {type: array, items: {$ref: "#/components/schemas/acme.v1.Item"}}
        """,
        response="""
            type: object
            properties:
              items: {$ref: "#/components/schemas/item_list"}
              token: {$ref: "#/components/schemas/2fa-Token"}
        """,
        checks=(
            Reading(
                {"items": [{"a": 1}], "token": {"b": 2}},
                "SchemasWithDotsResponse200(items=[AcmeV1Item(a=1)], token=Field2FaToken(b=2))",
            ),
        ),
    ),
)
