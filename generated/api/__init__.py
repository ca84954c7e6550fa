"""The resources of the API, one attribute for each tag of the spec."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .. import AsyncSession, Session

if TYPE_CHECKING:
    from .conversations import AsyncConversations, Conversations

ResourceT = TypeVar("ResourceT")


class Resource(Generic[ResourceT]):
    """An attribute that is a resource. Its module is imported at the first use.

    A client has its resources, and each resource has its `with_raw_response`. On the owner's class,
    the attribute is the class of the resource. So tools that inspect a class find the methods of
    its resources: `unittest.mock.create_autospec`, for example.

    Args:
        module: the name of the module in this package.
        class_name: the name of the resource's class in that module.
        session_name: the attribute of the owner that is its session.
    """

    def __init__(
        self, module: str, class_name: str, session_name: str = "_resource_session"
    ) -> None:
        self._module = module
        self._class_name = class_name
        self._session_name = session_name

    def __set_name__(self, client_class: type[Any], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, client_class: type[Any]) -> type[ResourceT]: ...

    @overload
    def __get__(self, client: object, client_class: type[Any]) -> ResourceT: ...

    def __get__(self, client: object, client_class: type[Any]) -> object:
        module = import_module(f"{__name__}.{self._module}")
        resource_class: type[Any] = getattr(module, self._class_name)
        if client is None:
            return resource_class
        attributes = vars(client)
        if self._session_name not in attributes:
            raise AttributeError(
                f"{client_class.__name__} has no resources before the end of its __init__: "
                "does it call super().__init__()?"
            )
        resource = resource_class(attributes[self._session_name])
        # The next access finds it there, without this function. Threads that get here together
        # share one resource.
        return attributes.setdefault(self._name, resource)


class Resources:
    """The base class of a sync client: all resources, which share one session."""

    conversations = Resource["Conversations"]("conversations", "Conversations")

    def __init__(self, session: Session) -> None:
        self._resource_session = session


class AsyncResources:
    """The base class of an async client: all resources, which share one session."""

    conversations = Resource["AsyncConversations"](
        "conversations", "AsyncConversations"
    )

    def __init__(self, session: AsyncSession) -> None:
        self._resource_session = session


__all__ = ("AsyncResources", "Resources")
