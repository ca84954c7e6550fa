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
    from ..models.conversation_feedback import ConversationFeedback


T = TypeVar("T", bound="UpdateConversationRequest")


@_attrs_define(kw_only=True)
class UpdateConversationRequest:
    """The details of the conversation to update; omitted properties are not changed.

    Attributes:
        location_id (str): Location ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        unread_count (float | Unset): Count of unread messages in the conversation Example: 1.
        starred (bool | Unset): Starred status of the conversation. Example: True.
        feedback (ConversationFeedback | Unset): Feedback on the conversation, a free-form object.
    """

    location_id: str
    unread_count: float | Unset = UNSET
    starred: bool | Unset = UNSET
    feedback: ConversationFeedback | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(
        init=False, factory=dict[str, Any]
    )

    def to_dict(self) -> dict[str, Any]:
        location_id = self.location_id

        unread_count = self.unread_count

        starred = self.starred

        feedback: dict[str, Any] | Unset = UNSET
        if not isinstance(self.feedback, Unset):
            feedback = self.feedback.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "locationId": location_id,
            }
        )
        if unread_count is not UNSET:
            field_dict["unreadCount"] = unread_count
        if starred is not UNSET:
            field_dict["starred"] = starred
        if feedback is not UNSET:
            field_dict["feedback"] = feedback

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversation_feedback import ConversationFeedback  # noqa: PLC0415

        d = dict(src_dict)
        location_id = d.pop("locationId")

        unread_count = d.pop("unreadCount", UNSET)

        starred = d.pop("starred", UNSET)

        _feedback = d.pop("feedback", UNSET)
        feedback: ConversationFeedback | Unset
        if isinstance(_feedback, Unset):
            feedback = UNSET
        else:
            feedback = ConversationFeedback.from_dict(_feedback)

        update_conversation_request = cls(
            location_id=location_id,
            unread_count=unread_count,
            starred=starred,
            feedback=feedback,
        )

        update_conversation_request.additional_properties = d
        return update_conversation_request

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
