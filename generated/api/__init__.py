"""The resources of the API, one attribute for each tag of the spec."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .. import AsyncSession, Session

if TYPE_CHECKING:
    from .conversations import AsyncConversations, Conversations

ResourceT = TypeVar("ResourceT")


class Resource(Generic[ResourceT]):
    """A resource as an attribute of a client. Its module is imported at its first use.

    It is also an attribute of the client's class, where it is the resource's class. Tools that read
    a class find its methods there: `unittest.mock.create_autospec`, for example.

    Args:
        module: the name of the module in this package.
        class_name: the class of the resource in it.
    """

    def __init__(self, module: str, class_name: str) -> None:
        self._module = module
        self._class_name = class_name

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
        if "_resource_session" not in vars(client):
            raise AttributeError(f"{client_class.__name__}.__init__ was not called")
        resource = resource_class(vars(client)["_resource_session"])
        # The next use finds it without this function. Threads that get here together share one.
        return vars(client).setdefault(self._name, resource)


class Resources:
    """All resources. They share one session."""

    conversations = Resource["Conversations"]("conversations", "Conversations")

    def __init__(self, session: Session) -> None:
        self._resource_session = session


class AsyncResources:
    """All resources. They share one session."""

    conversations = Resource["AsyncConversations"](
        "conversations", "AsyncConversations"
    )

    def __init__(self, session: AsyncSession) -> None:
        self._resource_session = session


__all__ = ("AsyncResources", "Resources")
