# The generator's code for lists and unions does not pass these rules of pyright's strict mode.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnnecessaryCast=false
# pyright: reportUnnecessaryComparison=false, reportUnnecessaryIsInstance=false
# mypy: disable-error-code=redundant-cast
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AuthenticatedClient, Client

from http import HTTPStatus
from typing import Any

import httpx

from ... import Operation, errors
from ...models.api_version import ApiVersion
from ...models.bad_request import BadRequest
from ...models.unauthorized import Unauthorized
from ...models.unprocessable_entity import UnprocessableEntity
from ...models.update_conversation_request import UpdateConversationRequest
from ...models.update_conversation_response import UpdateConversationResponse
from ...types import Response
from ...types import add_text as _add_text
from ...types import json_object as _json_object
from ...types import json_value as _json_value
from ...types import path_text as _path_text


def _get_kwargs(
    conversation_id: str,
    *,
    body: UpdateConversationRequest,
    version: ApiVersion,
) -> dict[str, Any]:
    _headers: dict[str, Any] = {}
    _add_text(_headers, "Version", version)

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/conversations/{conversation_id}".format(
            conversation_id=_path_text(conversation_id),
        ),
    }

    _kwargs["json"] = _json_value(body)
    _headers["Content-Type"] = "application/json"

    _kwargs["headers"] = _headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse | None
):
    if response.status_code == 200:
        response_200 = UpdateConversationResponse.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = BadRequest.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Unauthorized.from_dict(response.json())

        return response_401

    if response.status_code == 422:
        response_422 = UnprocessableEntity.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse
]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    conversation_id: str,
    *,
    client: AuthenticatedClient,
    body: UpdateConversationRequest,
    version: ApiVersion,
) -> Response[
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse
]:
    """Update Conversation

     Update the conversation details based on the conversation ID

    Args:
        conversation_id (str):  Example: tDtDnQdgm2LXpyiqYvZ6.
        version (ApiVersion): API Version Example: 2021-07-28.
        body (UpdateConversationRequest): The details of the conversation to update; omitted
            properties are not changed.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse]
    """

    kwargs = _get_kwargs(
        conversation_id=conversation_id,
        body=body,
        version=version,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    conversation_id: str,
    *,
    client: AuthenticatedClient,
    body: UpdateConversationRequest,
    version: ApiVersion,
) -> (
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse | None
):
    """Update Conversation

     Update the conversation details based on the conversation ID

    Args:
        conversation_id (str):  Example: tDtDnQdgm2LXpyiqYvZ6.
        version (ApiVersion): API Version Example: 2021-07-28.
        body (UpdateConversationRequest): The details of the conversation to update; omitted
            properties are not changed.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse
    """

    return sync_detailed(
        conversation_id=conversation_id,
        client=client,
        body=body,
        version=version,
    ).parsed


async def asyncio_detailed(
    conversation_id: str,
    *,
    client: AuthenticatedClient,
    body: UpdateConversationRequest,
    version: ApiVersion,
) -> Response[
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse
]:
    """Update Conversation

     Update the conversation details based on the conversation ID

    Args:
        conversation_id (str):  Example: tDtDnQdgm2LXpyiqYvZ6.
        version (ApiVersion): API Version Example: 2021-07-28.
        body (UpdateConversationRequest): The details of the conversation to update; omitted
            properties are not changed.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse]
    """

    kwargs = _get_kwargs(
        conversation_id=conversation_id,
        body=body,
        version=version,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    conversation_id: str,
    *,
    client: AuthenticatedClient,
    body: UpdateConversationRequest,
    version: ApiVersion,
) -> (
    BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse | None
):
    """Update Conversation

     Update the conversation details based on the conversation ID

    Args:
        conversation_id (str):  Example: tDtDnQdgm2LXpyiqYvZ6.
        version (ApiVersion): API Version Example: 2021-07-28.
        body (UpdateConversationRequest): The details of the conversation to update; omitted
            properties are not changed.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BadRequest | Unauthorized | UnprocessableEntity | UpdateConversationResponse
    """

    return (
        await asyncio_detailed(
            conversation_id=conversation_id,
            client=client,
            body=body,
            version=version,
        )
    ).parsed


def _build(
    *,
    conversation_id: Any,
    location_id: Any,
    unread_count: Any,
    starred: Any,
    feedback: Any,
    version: Any,
) -> dict[str, Any]:
    _body: Any = _json_object(
        {
            "locationId": location_id,
            "unreadCount": unread_count,
            "starred": starred,
            "feedback": feedback,
        },
    )
    return _get_kwargs(
        conversation_id=conversation_id,
        version=version,
        body=_body,
    )


def _decode_200(data: Any) -> UpdateConversationResponse:
    response_200 = UpdateConversationResponse.from_dict(data)

    return response_200


def _decode_422(data: Any) -> UnprocessableEntity:
    response_422 = UnprocessableEntity.from_dict(data)

    return response_422


def _decode_401(data: Any) -> Unauthorized:
    response_401 = Unauthorized.from_dict(data)

    return response_401


def _decode_400(data: Any) -> BadRequest:
    response_400 = BadRequest.from_dict(data)

    return response_400


OPERATION: Operation[UpdateConversationResponse] = Operation(
    operation_id="updateConversation",
    build=_build,
    success={
        "200": _decode_200,
    },
    errors={
        "422": _decode_422,
        "401": _decode_401,
        "400": _decode_400,
    },
)
