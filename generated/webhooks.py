"""The models of the webhooks: of the events that the API sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .models import ConversationUnreadUpdate

WebhookModel: TypeAlias = "ConversationUnreadUpdate"

__all__ = (
    "ConversationUnreadUpdate",
)
