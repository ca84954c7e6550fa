"""Formats: dates, times, UUIDs, and formats that have no Python type."""

from __future__ import annotations

from .case import Case, Invalid, Reading, Sending

CASES = (
    Case(
        "times",
        "a time is read with Z, with an offset, without a zone and with any fraction",
        "openapi-generator#16284",
        schemas="""
            Times: {type: array, items: {type: string, format: date-time}}
        """,
        response="{$ref: '#/components/schemas/Times'}",
        checks=(
            Reading(
                [
                    "2021-01-02T03:04:05Z",
                    "2021-01-02T03:04:05.123Z",
                    "2021-01-02T03:04:05+02:00",
                    "2021-01-02T03:04:05",
                ],
                "[datetime(2021-01-02T03:04:05+00:00), datetime(2021-01-02T03:04:05.123000+00:00),"
                " datetime(2021-01-02T03:04:05+02:00), datetime(2021-01-02T03:04:05)]",
            ),
        ),
        types={"value": "list[datetime.datetime]"},
    ),
    Case(
        "time_in_query",
        "a time without a zone is not sent, because RFC 3339 requires one",
        "openapi-python-client#841",
        parameters="""
            - {name: since, in: query, required: true, schema: {type: string, format: date-time}}
        """,
        checks=(
            Sending(
                "since=datetime.datetime(2021, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)",
                "/time_in_query?since=2021-01-02T03%3A04%3A05%2B00%3A00",
            ),
            Invalid("since=datetime.datetime(2021, 1, 2)", "time zone"),
        ),
    ),
    Case(
        "date_in_query",
        "a date is no time, in path, query and header",
        "openapi-generator#15554",
        path="/date_in_query/{day}",
        parameters="""
            - {name: day, in: path, required: true, schema: {type: string, format: date}}
            - {name: days, in: query, schema: {type: array, items: {type: string, format: date}}}
            - {name: X-Day, in: header, schema: {type: string, format: date}}
        """,
        checks=(
            Sending(
                "datetime.date(2021, 1, 2), days=[datetime.date(2021, 1, 3)],"
                " x_day=datetime.date(2021, 1, 4)",
                "/date_in_query/2021-01-02?days=2021-01-03",
                headers={"X-Day": "2021-01-04"},
            ),
        ),
    ),
    Case(
        "time_of_response",
        "a response that is a time alone",
        "openapi-generator#18088",
        response="{type: string, format: date-time}",
        checks=(Reading("2021-01-02T03:04:05Z", "datetime(2021-01-02T03:04:05+00:00)"),),
        types={"value": "datetime.datetime"},
    ),
    Case(
        "uuid_of_response",
        "a response that is a UUID alone",
        "openapi-generator#23281",
        response="{type: string, format: uuid}",
        checks=(
            Reading(
                "00000000-0000-4000-8000-000000000001",
                "UUID('00000000-0000-4000-8000-000000000001')",
            ),
        ),
        types={"value": "UUID"},
    ),
    Case(
        "uuid_in_path",
        "a UUID in path, query and body",
        "openapi-python-client#1131",
        path="/uuid_in_path/{key}",
        parameters="""
            - {name: key, in: path, required: true, schema: {type: string, format: uuid}}
            - {name: others, in: query, schema: {type: array, items: {type: string, format: uuid}}}
        """,
        body="{type: object, properties: {parent: {type: [string, 'null'], format: uuid}}}",
        checks=(
            Sending(
                "UUID(int=1), others=[UUID(int=2)], parent=UUID(int=3)",
                "/uuid_in_path/00000000-0000-0000-0000-000000000001"
                "?others=00000000-0000-0000-0000-000000000002",
                {"parent": "00000000-0000-0000-0000-000000000003"},
            ),
            Sending("UUID(int=1), parent=None", body={"parent": None}),
        ),
    ),
    Case(
        "texts_with_formats",
        "formats without a Python type are texts: time, duration, byte, email, password",
        "openapi3-parser#101",
        schemas="""
            Texts:
              type: object
              properties:
                time: {type: string, format: time}
                duration: {type: string, format: duration}
                byte: {type: string, format: byte}
                email: {type: string, format: email}
                secret: {type: string, format: password}
                other: {type: string, format: x-unheard-of}
        """,
        response="{$ref: '#/components/schemas/Texts'}",
        checks=(
            Reading(
                {"time": "10:00:00", "duration": "P1D", "byte": "YQ==", "other": "o"},
                "Texts(time='10:00:00', duration='P1D', byte='YQ==', other='o')",
            ),
        ),
        types={"value.duration": "str | Unset", "value.byte": "str | Unset"},
    ),
    Case(
        "formats_of_numbers",
        "a format of text on a number has no effect, and a whole number is a number",
        "openapi-json-schema-generator#426",
        response="""
            type: object
            properties:
              number: {type: number, format: float}
              double: {type: number, format: double}
              long: {type: integer, format: int64}
              at: {type: integer, format: date-time}
        """,
        checks=(
            Reading(
                {"number": 0, "double": 1.0, "long": 9007199254740993, "at": 1609556645},
                "FormatsOfNumbersResponse200(number=0, double=1.0, long=9007199254740993,"
                " at=1609556645)",
            ),
        ),
        types={"value.number": "float | Unset", "value.at": "int | Unset"},
    ),
    Case(
        "nullable_time",
        "null is a value of a time",
        "openapi-python-client#997",
        schemas="""
            Slot:
              type: object
              required: [start]
              properties:
                start: {type: string, format: date-time, nullable: true}
                end: {type: [string, "null"], format: date}
        """,
        body="{$ref: '#/components/schemas/Slot'}",
        checks=(
            Sending("start=None, end=None", body={"start": None, "end": None}),
            Sending(
                "start=datetime.datetime(2021, 1, 2, tzinfo=datetime.timezone.utc)",
                body={"start": "2021-01-02T00:00:00+00:00"},
            ),
        ),
    ),
    Case(
        "time_defaults",
        "defaults of dates and times are what the API applies",
        "",
        parameters="""
            - {name: day, in: query, schema: {type: string, format: date, default: "2021-01-02"}}
            - {name: at, in: query, schema: {type: string, format: date-time,
                default: "2021-01-02T03:04:05Z"}}
            - {name: key, in: query, schema: {type: string, format: uuid,
                default: 00000000-0000-4000-8000-000000000001}}
        """,
        checks=(
            Sending("", "/time_defaults"),
            Sending("day=datetime.date(2022, 1, 1)", "/time_defaults?day=2022-01-01"),
        ),
    ),
)
