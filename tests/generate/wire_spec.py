"""A spec with every style of parameters and every kind of body."""

from __future__ import annotations

SPEC = """
openapi: 3.1.0
info: {title: Things, version: "1"}
servers: [{url: "https://api.example.com/base"}]
security: [{bearer: []}]
paths:
  /path/{id}/{tags}/{point}/{pairs}:
    get:
      operationId: path
      tags: [Things]
      parameters:
        - {name: id, in: path, required: true, schema: {type: boolean}}
        - {name: tags, in: path, required: true, schema: {type: array, items: {type: string}}}
        - {name: point, in: path, required: true, schema: {$ref: "#/components/schemas/Point"}}
        - name: pairs
          in: path
          required: true
          explode: true
          schema: {$ref: "#/components/schemas/Point"}
      responses: {"204": {description: Done}}
  /query:
    get:
      operationId: query
      tags: [Things]
      parameters:
        - {name: query, in: query, schema: {type: array, items: {type: string}}}
        - {name: listed, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - name: spaces
          in: query
          style: spaceDelimited
          schema: {type: array, items: {type: string}}
        - name: bars
          in: query
          style: pipeDelimited
          schema: {$ref: "#/components/schemas/Numbers"}
        - name: deep
          in: query
          style: deepObject
          explode: true
          schema: {$ref: "#/components/schemas/Point"}
        - {name: flat, in: query, explode: false, schema: {$ref: "#/components/schemas/Point"}}
        - {name: spread, in: query, schema: {$ref: "#/components/schemas/Point"}}
        - {name: free, in: query, style: deepObject, schema: {type: object}}
        - {name: kinds, in: query, schema: {$ref: "#/components/schemas/Kinds"}}
        - {name: day, in: query, schema: {type: string, format: date}}
        - {name: number, in: query, schema: {type: number}}
        - {name: flag, in: query, schema: {type: [boolean, "null"]}}
        - name: either
          in: query
          explode: false
          schema: {anyOf: [{type: string}, {type: array, items: {type: string}}]}
      responses: {"204": {description: Done}}
  /headers:
    get:
      operationId: headers
      tags: [Things]
      parameters:
        # The client or HTTP sets these.
        - {name: Host, in: header, required: true, schema: {type: string}}
        - {name: content-length, in: header, schema: {type: string}}
        - {name: User-Agent, in: header, required: true, schema: {type: string}}
        - {name: Cookie, in: header, schema: {type: string}}
        - {name: X-List, in: header, schema: {type: array, items: {type: string}}}
        - {name: X-Flat, in: header, schema: {$ref: "#/components/schemas/Point"}}
        - {name: X-Pairs, in: header, explode: true, schema: {$ref: "#/components/schemas/Point"}}
        - {name: X-Time, in: header, schema: {type: string, format: date-time}}
        - {name: X-Flag, in: header, schema: {type: boolean}}
        - {name: X-Kind, in: header, schema: {$ref: "#/components/schemas/Kind"}}
        - {name: headers, in: header, schema: {type: string}}
        - {name: ids, in: cookie, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: flag, in: cookie, schema: {type: boolean}}
        - {name: cookies, in: cookie, schema: {type: string, format: uuid}}
      responses: {"204": {description: Done}}
  /integers/{id}/{ids}:
    get:
      operationId: integers
      tags: [Things]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: ids, in: path, required: true, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: one, in: query, schema: {type: integer}}
        - {name: many, in: query, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: point, in: query, schema: {$ref: "#/components/schemas/Point"}}
        - {name: maybe, in: query, schema: {type: [integer, "null"]}}
        - {name: either, in: query, schema: {anyOf: [{type: string}, {type: integer}]}}
        - {name: level, in: query, schema: {type: integer, enum: [1, 2]}}
        - {name: constant, in: query, schema: {const: 3}}
        - {name: number, in: query, schema: {type: number}}
        - {name: X-Count, in: header, schema: {type: integer}}
        - {name: X-Counts, in: header, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: visits, in: cookie, schema: {type: integer}}
      responses: {"204": {description: Done}}
  /range:
    get:
      operationId: range
      tags: [Things]
      responses:
        "2XX":
          description: An object
          content:
            application/json:
              schema: {type: object, required: [name], properties: {name: {type: string}}}
  /value:
    post:
      operationId: value
      tags: [Things]
      parameters:
        - {name: session, in: cookie, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {type: [integer, "null"]}}}
      responses: {"204": {description: Done}}
  /kind:
    post:
      operationId: kind
      tags: [Things]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Kind"}}}}
      responses: {"204": {description: Done}}
  /days:
    post:
      operationId: days
      tags: [Things]
      requestBody:
        required: true
        content:
          application/json: {schema: {type: array, items: {type: string, format: date}}}
      responses: {"204": {description: Done}}
  /upload:
    put:
      operationId: upload
      tags: [Things]
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: {$ref: "#/components/schemas/Upload"}
            encoding:
              image: {contentType: "image/png, image/jpeg"}
              xml: {contentType: application/xml}
              json: {contentType: application/json}
      responses: {"204": {description: Done}}
  /note:
    put:
      operationId: note
      tags: [Things]
      requestBody:
        required: true
        content: {multipart/form-data: {schema: {$ref: "#/components/schemas/Note"}}}
      responses: {"204": {description: Done}}
  /form:
    post:
      operationId: form
      tags: [Things]
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/Form"}}
      responses: {"204": {description: Done}}
  /csv:
    post:
      operationId: csv
      tags: [Things]
      requestBody: {content: {text/csv: {schema: {type: string}}}}
      responses:
        "200": {description: The text, content: {text/csv: {schema: {type: string}}}}
  /xml:
    post:
      operationId: xml
      tags: [Things]
      requestBody: {required: true, content: {application/xml: {schema: {type: string}}}}
      responses:
        "200": {description: The text, content: {application/xml: {}}}
  /png:
    put:
      operationId: png
      tags: [Things]
      requestBody: {required: true, content: {image/png: {}}}
      responses:
        "200": {description: The image, content: {image/png: {}}}
  /image:
    put:
      operationId: image
      tags: [Things]
      requestBody: {required: true, content: {"image/*": {}}}
      responses:
        "200":
          description: The image
          content: {application/octet-stream: {schema: {type: string, format: binary}}}
  /any:
    put:
      operationId: putAny
      tags: [Things]
      requestBody: {required: true, content: {"*/*": {schema: {type: string, format: binary}}}}
      responses:
        "200": {description: The file, content: {"*/*": {}}}
  /choice:
    put:
      operationId: choice
      tags: [Things]
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: "#/components/schemas/Point"}}
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/Form"}}
          multipart/form-data: {schema: {$ref: "#/components/schemas/Upload"}}
          text/plain: {schema: {type: string}}
          application/pdf: {}
      responses: {"204": {description: Done}}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  schemas:
    Kind: {type: string, enum: [a, "b,c"]}
    Kinds: {type: array, items: {$ref: "#/components/schemas/Kind"}}
    Numbers: {type: array, items: {type: integer}}
    Point:
      type: object
      properties: {R: {type: integer}, G: {type: [string, "null"]}}
    Upload:
      type: object
      required: [title]
      properties:
        title: {type: string}
        file: {type: string, format: binary}
        files: {type: array, items: {type: string, contentMediaType: application/octet-stream}}
        image: {type: string, contentMediaType: image/png}
        tags: {type: array, items: {type: string}}
        point: {$ref: "#/components/schemas/Point"}
        points: {type: array, items: {$ref: "#/components/schemas/Point"}}
        flag: {type: boolean}
        number: {type: number}
        day: {type: string, format: date}
        time: {type: string, format: date-time}
        uid: {type: string, format: uuid}
        kind: {$ref: "#/components/schemas/Kind"}
        maybe: {type: [string, "null"]}
        maybeFile: {type: [string, "null"], format: binary}
        count: {type: integer}
        counts: {$ref: "#/components/schemas/Numbers"}
        xml: {type: string}
        json: {type: string}
        base64: {type: string, contentEncoding: base64}
        short: {type: string, minLength: 2, maxLength: 4}
        few: {type: array, maxItems: 1, items: {type: string}}
        any: {}
    Note:
      type: object
      properties: {text: {type: string}, file: {type: string, format: binary, minLength: 2}}
    Form:
      type: object
      required: [name]
      properties:
        name: {type: string}
        flag: {type: boolean}
        number: {type: number}
        tags: {type: array, items: {type: string}}
        point: {$ref: "#/components/schemas/Point"}
        points: {type: array, items: {$ref: "#/components/schemas/Point"}}
        time: {type: string, format: date-time}
        maybe: {type: [integer, "null"]}
        counts: {$ref: "#/components/schemas/Numbers"}
"""
