"""The resources of the API, one attribute for each tag of the spec."""

from typing import Any, Generic, TypeVar, overload

from .. import AsyncSession, Session
from .conversations import AsyncConversations, Conversations

ResourceT = TypeVar("ResourceT")


class Resource(Generic[ResourceT]):
    """Makes a resource an attribute of a client's class too, where it is the resource's class.

    Tools that read a class find its methods there: `unittest.mock.create_autospec`, for example.
    """

    def __init__(self, resource_class: type[ResourceT]) -> None:
        self._resource_class = resource_class

    @overload
    def __get__(self, client: None, client_class: type[Any]) -> type[ResourceT]: ...

    @overload
    def __get__(self, client: object, client_class: type[Any]) -> ResourceT: ...

    def __get__(self, client: object, client_class: type[Any]) -> object:
        # A client's own attribute has precedence, because this class has no `__set__`. So this is
        # the class, or a client without resources, whose `__init__` has not run.
        if client is not None:
            raise AttributeError(f"{client_class.__name__}.__init__ was not called")
        return self._resource_class


class Resources:
    """All resources. They share one session."""

    conversations = Resource(Conversations)

    def __init__(self, session: Session) -> None:
        vars(self)["conversations"] = Conversations(session)


class AsyncResources:
    """All resources. They share one session."""

    conversations = Resource(AsyncConversations)

    def __init__(self, session: AsyncSession) -> None:
        vars(self)["conversations"] = AsyncConversations(session)


__all__ = ("AsyncResources", "Resources")
