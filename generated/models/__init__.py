"""The models of requests and responses. Each one is imported at its first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api_version import ApiVersion
    from .bad_request import BadRequest
    from .conversation import Conversation
    from .conversation_feedback import ConversationFeedback
    from .conversation_unread_update import ConversationUnreadUpdate
    from .last_message_type import LastMessageType
    from .unauthorized import Unauthorized
    from .unprocessable_entity import UnprocessableEntity
    from .update_conversation_request import UpdateConversationRequest
    from .update_conversation_response import UpdateConversationResponse

__all__ = (
    "ApiVersion",
    "BadRequest",
    "Conversation",
    "ConversationFeedback",
    "ConversationUnreadUpdate",
    "LastMessageType",
    "Unauthorized",
    "UnprocessableEntity",
    "UpdateConversationRequest",
    "UpdateConversationResponse",
)

# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:
    _MODULES = {
        "ApiVersion": ".api_version",
        "BadRequest": ".bad_request",
        "Conversation": ".conversation",
        "ConversationFeedback": ".conversation_feedback",
        "ConversationUnreadUpdate": ".conversation_unread_update",
        "LastMessageType": ".last_message_type",
        "Unauthorized": ".unauthorized",
        "UnprocessableEntity": ".unprocessable_entity",
        "UpdateConversationRequest": ".update_conversation_request",
        "UpdateConversationResponse": ".update_conversation_response",
    }

    def __getattr__(name: str) -> object:
        """Import a model at its first use."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        model = getattr(import_module(_MODULES[name], __name__), name)
        # The next use finds it without this function.
        globals()[name] = model
        return model

    def __dir__() -> list[str]:
        """Every model, also those that are not imported yet."""
        return sorted({*globals(), *__all__})
