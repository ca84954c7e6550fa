"""The resources of the API, one attribute for each tag of the spec."""

from .. import AsyncSession, Session
from .conversations import AsyncConversations, Conversations


class Resources:
    """All resources. They share one session."""

    def __init__(self, session: Session) -> None:
        self.conversations = Conversations(session)


class AsyncResources:
    """All resources. They share one session."""

    def __init__(self, session: AsyncSession) -> None:
        self.conversations = AsyncConversations(session)


__all__ = ("AsyncResources", "Resources")
