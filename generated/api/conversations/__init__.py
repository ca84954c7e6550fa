# The generator's code for lists and unions does not pass these rules of pyright's strict mode.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnnecessaryCast=false
# pyright: reportUnnecessaryComparison=false, reportUnnecessaryIsInstance=false
# The functions `_get_kwargs` are private, and belong to this package.
# pyright: reportPrivateUsage=false
"""Conversations between a sub-account (a location) and its contacts."""

from collections.abc import Mapping
from typing import Any

from ... import AsyncSession, Operation, Session
from ...models.api_version import ApiVersion
from ...models.bad_request import BadRequest
from ...models.conversation_feedback import ConversationFeedback
from ...models.unauthorized import Unauthorized
from ...models.unprocessable_entity import UnprocessableEntity
from ...models.update_conversation_request import UpdateConversationRequest
from ...models.update_conversation_response import UpdateConversationResponse
from ...types import UNSET, Unset
from .update_conversation import _get_kwargs as _update_conversation_kwargs


def _build_update_conversation(
    *,
    conversation_id: str,
    location_id: str,
    unread_count: float | Unset,
    starred: bool | Unset,
    feedback: ConversationFeedback | Mapping[str, Any] | Unset,
    version: str,
) -> dict[str, Any]:
    _body = UpdateConversationRequest(
        location_id=location_id,
        unread_count=unread_count,
        starred=starred,
        feedback=ConversationFeedback.from_dict(feedback)
        if isinstance(feedback, Mapping)
        else feedback,
    )
    return _update_conversation_kwargs(
        conversation_id=conversation_id,
        version=ApiVersion(version),
        body=_body,
    )


def _decode_update_conversation_200(data: Any) -> UpdateConversationResponse:
    response_200 = UpdateConversationResponse.from_dict(data)

    return response_200


def _decode_update_conversation_422(data: Any) -> UnprocessableEntity:
    response_422 = UnprocessableEntity.from_dict(data)

    return response_422


def _decode_update_conversation_401(data: Any) -> Unauthorized:
    response_401 = Unauthorized.from_dict(data)

    return response_401


def _decode_update_conversation_400(data: Any) -> BadRequest:
    response_400 = BadRequest.from_dict(data)

    return response_400


_UPDATE_CONVERSATION: Operation[UpdateConversationResponse] = Operation(
    operation_id="updateConversation",
    build=_build_update_conversation,
    success={
        "200": _decode_update_conversation_200,
    },
    errors={
        "422": _decode_update_conversation_422,
        "401": _decode_update_conversation_401,
        "400": _decode_update_conversation_400,
    },
)


class Conversations:
    """Conversations between a sub-account (a location) and its contacts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def update_conversation(
        self,
        conversation_id: str,
        *,
        location_id: str,
        unread_count: float | Unset = UNSET,
        starred: bool | Unset = UNSET,
        feedback: ConversationFeedback | Mapping[str, Any] | Unset = UNSET,
        version: str | Unset = UNSET,
    ) -> UpdateConversationResponse:
        """Update Conversation

        Update the conversation details based on the conversation ID

        Args:
            conversation_id: Conversation ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            location_id: Location ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            unread_count: Count of unread messages in the conversation. Example: `1`.
            starred: Starred status of the conversation. Example: `True`.
            feedback: Feedback on the conversation, a free-form object.
            version: API Version. Default: '2021-07-28', the only value in the spec.

        Raises:
            APIStatusError: the API returned an error status: 422 Unprocessable Entity, 401
                Unauthorized, 400 Bad Request, or any other.
        """
        return self._session.call(
            _UPDATE_CONVERSATION,
            {
                "conversation_id": conversation_id,
                "location_id": location_id,
                "unread_count": unread_count,
                "starred": starred,
                "feedback": feedback,
                "version": version,
            },
        )


class AsyncConversations:
    """Conversations between a sub-account (a location) and its contacts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def update_conversation(
        self,
        conversation_id: str,
        *,
        location_id: str,
        unread_count: float | Unset = UNSET,
        starred: bool | Unset = UNSET,
        feedback: ConversationFeedback | Mapping[str, Any] | Unset = UNSET,
        version: str | Unset = UNSET,
    ) -> UpdateConversationResponse:
        """Update Conversation

        Update the conversation details based on the conversation ID

        Args:
            conversation_id: Conversation ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            location_id: Location ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            unread_count: Count of unread messages in the conversation. Example: `1`.
            starred: Starred status of the conversation. Example: `True`.
            feedback: Feedback on the conversation, a free-form object.
            version: API Version. Default: '2021-07-28', the only value in the spec.

        Raises:
            APIStatusError: the API returned an error status: 422 Unprocessable Entity, 401
                Unauthorized, 400 Bad Request, or any other.
        """
        return await self._session.call(
            _UPDATE_CONVERSATION,
            {
                "conversation_id": conversation_id,
                "location_id": location_id,
                "unread_count": unread_count,
                "starred": starred,
                "feedback": feedback,
                "version": version,
            },
        )


__all__ = ("AsyncConversations", "Conversations")
