"""Contains all the data models used in inputs/outputs"""

from .api_version import ApiVersion
from .bad_request import BadRequest
from .conversation import Conversation
from .conversation_feedback import ConversationFeedback
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
    "LastMessageType",
    "Unauthorized",
    "UnprocessableEntity",
    "UpdateConversationRequest",
    "UpdateConversationResponse",
)
