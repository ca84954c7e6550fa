"""The methods of `Conversations`, which return the whole response as an `APIResponse`."""

from collections.abc import Mapping
from typing import Any

from ... import AsyncSession, Session
from ...models.conversation_feedback import ConversationFeedback
from ...models.update_conversation_response import UpdateConversationResponse
from ...types import UNSET, APIResponse, RequestOptions, Unset


class ConversationsWithRawResponse:
    """The methods of `Conversations`, which return the whole response as an `APIResponse`."""

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
        options: RequestOptions | None = None,
    ) -> APIResponse[UpdateConversationResponse]:
        """Update Conversation

        Update the conversation details based on the conversation ID

        Args:
            conversation_id: Conversation ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            location_id: Location ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            unread_count: Count of unread messages in the conversation. Example: `1`.
            starred: Starred status of the conversation. Example: `True`.
            feedback: Feedback on the conversation, a free-form object.
            version: API Version. Default: '2021-07-28', the only value in the spec.
            options: Options of this call alone, such as its `timeout` or additional
                `headers`.

        Raises:
            APIStatusError: the API returned an error status: 422 Unprocessable Entity, 401
                Unauthorized, 400 Bad Request, or any other.
        """
        from .update_conversation import OPERATION  # noqa: PLC0415

        return self._session.call_raw(
            OPERATION,
            {
                "conversation_id": conversation_id,
                "location_id": location_id,
                "unread_count": unread_count,
                "starred": starred,
                "feedback": feedback,
                "version": version,
            },
            options,
        )


class AsyncConversationsWithRawResponse:
    """The methods of `Conversations`, which return the whole response as an `APIResponse`."""

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
        options: RequestOptions | None = None,
    ) -> APIResponse[UpdateConversationResponse]:
        """Update Conversation

        Update the conversation details based on the conversation ID

        Args:
            conversation_id: Conversation ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            location_id: Location ID as string. Example: `tDtDnQdgm2LXpyiqYvZ6`.
            unread_count: Count of unread messages in the conversation. Example: `1`.
            starred: Starred status of the conversation. Example: `True`.
            feedback: Feedback on the conversation, a free-form object.
            version: API Version. Default: '2021-07-28', the only value in the spec.
            options: Options of this call alone, such as its `timeout` or additional
                `headers`.

        Raises:
            APIStatusError: the API returned an error status: 422 Unprocessable Entity, 401
                Unauthorized, 400 Bad Request, or any other.
        """
        from .update_conversation import OPERATION  # noqa: PLC0415

        return await self._session.call_raw(
            OPERATION,
            {
                "conversation_id": conversation_id,
                "location_id": location_id,
                "unread_count": unread_count,
                "starred": starred,
                "feedback": feedback,
                "version": version,
            },
            options,
        )


__all__ = ("AsyncConversationsWithRawResponse", "ConversationsWithRawResponse")
