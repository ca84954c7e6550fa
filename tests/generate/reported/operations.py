"""Operations and parameters: their names, places and forms on the wire."""

from __future__ import annotations

from .case import Case, Invalid, Reading, Sending

CASES = (
    Case(
        "same_name_everywhere",
        "parameters with one name in path, query, header and body are different arguments",
        "openapi-python-client#305",
        path="/same_name_everywhere/{name}",
        parameters="""
            - {name: name, in: path, required: true, schema: {type: string}}
            - {name: name, in: query, schema: {type: string}}
            - {name: name, in: header, schema: {type: string}}
        """,
        body="{type: object, properties: {name: {type: string}}}",
        checks=(
            Sending(
                "'p', name_query='q', name='h', name_body='b'",
                "/same_name_everywhere/p?name=q",
                {"name": "b"},
                headers={"name": "h"},
            ),
        ),
    ),
    Case(
        "argument_client",
        "parameters with names of arguments and variables of the client",
        "openapi-python-client#758",
        parameters="""
            - {name: client, in: query, schema: {type: string}}
            - {name: self, in: query, schema: {type: string}}
            - {name: options, in: query, schema: {type: string}}
            - {name: body, in: query, schema: {type: string}}
            - {name: params, in: query, schema: {type: string}}
            - {name: headers, in: query, schema: {type: string}}
            - {name: url, in: query, schema: {type: string}}
            - {name: args, in: query, schema: {type: string}}
            - {name: operation, in: query, schema: {type: string}}
        """,
        body="{type: object, properties: {a: {type: string}}}",
        checks=(
            Sending(
                "client_query='a', self_='b', options_query='c', body_query='d', params='e',"
                " headers='f', url_query='g', args='h', operation='i'",
                "/argument_client?client=a&self=b&options=c&body=d&params=e&headers=f&url=g"
                "&args=h&operation=i",
                {},
            ),
        ),
    ),
    Case(
        "dashes_in_path",
        "parameters with dashes in the path, and with dots and brackets in the query",
        "openapi-python-client#976",
        path="/dashes_in_path/{user-id}/{item-id}",
        parameters="""
            - {name: user-id, in: path, required: true, schema: {type: string}}
            - {name: item-id, in: path, required: true, schema: {type: integer}}
            - {name: vendor.name, in: query, schema: {type: string}}
            - {name: "filter[size]", in: query, schema: {type: integer}}
            - {name: "ids[]", in: query, schema: {type: array, items: {type: integer}}}
        """,
        checks=(
            Sending(
                "'a/b', 2, vendor_name='v', filtersize=3, ids=[4, 5]",
                "/dashes_in_path/a%2Fb/2?vendor.name=v&filter%5Bsize%5D=3&ids%5B%5D=4&ids%5B%5D=5",
            ),
        ),
    ),
    Case(
        "path_overrides",
        "an operation redefines a parameter of its path",
        "openapi-python-client#457",
        path="/path_overrides/{bar}",
        parameters="""
            - {name: bar, in: path, required: true, schema: {type: integer}}
            - {name: bar, in: header, schema: {type: string}}
        """,
        checks=(Sending("1, bar_header='h'", "/path_overrides/1", headers={"bar": "h"}),),
    ),
    Case(
        "boolean_header",
        "booleans and numbers in headers, path and query are JSON texts",
        "openapi-python-client#552",
        path="/boolean_header/{flag}",
        parameters="""
            - {name: flag, in: path, required: true, schema: {type: boolean}}
            - {name: X-Flag, in: header, schema: {type: boolean}}
            - {name: X-Count, in: header, schema: {type: integer}}
            - {name: on, in: query, schema: {type: boolean}}
        """.replace("name: on", 'name: "on"'),
        checks=(
            Sending(
                "True, x_flag=False, x_count=3, on=True",
                "/boolean_header/true?on=true",
                headers={"X-Flag": "false", "X-Count": "3"},
            ),
        ),
    ),
    Case(
        "list_in_header",
        "a list in a header or the path is joined with commas",
        "fastmcp#4897",
        path="/list_in_header/{ids}",
        parameters="""
            - {name: ids, in: path, required: true, schema: {type: array, items: {type: integer}}}
            - {name: X-Names, in: header, schema: {type: array, items: {type: string}}}
        """,
        checks=(
            Sending(
                "[1, 2], x_names=['a', 'b']", "/list_in_header/1,2", headers={"X-Names": "a,b"}
            ),
        ),
    ),
    Case(
        "nullable_query",
        "null is not sent in a query",
        "openapi-generator#7745",
        parameters="""
            - {name: text, in: query, schema: {type: string, nullable: true}}
            - {name: kind, in: query, schema: {type: [string, "null"], enum: [a, null]}}
            - {name: list, in: query, schema: {type: array, items: {type: string}}}
        """,
        checks=(
            Sending("text=None, kind=None, list_=[]", "/nullable_query"),
            Sending("text='', kind='a', list_=['']", "/nullable_query?text=&kind=a&list="),
        ),
    ),
    Case(
        "union_in_query",
        "a union of scalars and lists in a query",
        "",
        parameters="""
            - name: ids
              in: query
              schema: {anyOf: [{type: array, items: {type: integer}}, {type: integer},
                {type: "null"}]}
            - {name: any, in: query, schema: {anyOf: [{type: boolean}, {type: string}]}}
        """,
        checks=(
            Sending("ids=[1, 2], any_=True", "/union_in_query?ids=1&ids=2&any=true"),
            Sending("ids=3, any_='x'", "/union_in_query?ids=3&any=x"),
        ),
    ),
    Case(
        "cookie_parameter",
        "a cookie is sent",
        "openapi-typescript-codegen#1617",
        parameters="""
            - {name: session, in: cookie, schema: {type: string}}
            - {name: session, in: query, schema: {type: string}}
        """,
        checks=(
            Sending(
                "session_cookie='a', session_query='b'",
                "/cookie_parameter?session=b",
                headers={"Cookie": "session=a"},
            ),
        ),
    ),
    Case(
        "optional_path_parameter",
        "a parameter of the path without a type",
        "",
        path="/optional_path_parameter/{id}",
        parameters="""
            - {name: id, in: path, required: true, schema: {}}
        """,
        checks=(
            Sending("'x y'", "/optional_path_parameter/x%20y"),
            Invalid("'..'", "change the URL"),
        ),
    ),
    Case(
        "import",
        "an operationId that is a keyword",
        "",
        method="import_",
        response="{type: string}",
        checks=(Reading("x", "'x'"),),
    ),
)
