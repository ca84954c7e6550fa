# The generator's code for lists and unions does not pass these rules of pyright's strict mode.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnnecessaryCast=false
# pyright: reportUnnecessaryComparison=false, reportUnnecessaryIsInstance=false
# mypy: disable-error-code=redundant-cast
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.conversation import Conversation


T = TypeVar("T", bound="UpdateConversationResponse")


@_attrs_define(kw_only=True)
class UpdateConversationResponse:
    """
    Attributes:
        success (bool | Unset): Boolean value as the API response. Example: True.
        conversation (Conversation | Unset): Conversation data of the provided conversation ID.
    """

    success: bool | Unset = UNSET
    conversation: Conversation | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(
        init=False, factory=dict[str, Any]
    )

    def to_dict(self) -> dict[str, Any]:
        _success = self.success

        _conversation: dict[str, Any] | Unset = UNSET
        if not isinstance(self.conversation, Unset):
            _conversation = self.conversation.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        field_dict.update({})
        if _success is not UNSET:
            field_dict["success"] = _success
        if _conversation is not UNSET:
            field_dict["conversation"] = _conversation

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversation import Conversation  # noqa: PLC0415

        d = dict(src_dict)
        _success = d.pop("success", UNSET)

        source = d.pop("conversation", UNSET)
        _conversation: Conversation | Unset
        if isinstance(source, Unset):
            _conversation = UNSET
        else:
            _conversation = Conversation.from_dict(source)

        instance = cls(
            success=_success,
            conversation=_conversation,
        )

        instance.additional_properties = d
        return instance

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
