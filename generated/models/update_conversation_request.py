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
        _location_id = self.location_id

        _unread_count = self.unread_count

        _starred = self.starred

        _feedback: dict[str, Any] | Unset = UNSET
        if not isinstance(self.feedback, Unset):
            _feedback = self.feedback.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        field_dict.update(
            {
                "locationId": _location_id,
            }
        )
        if _unread_count is not UNSET:
            field_dict["unreadCount"] = _unread_count
        if _starred is not UNSET:
            field_dict["starred"] = _starred
        if _feedback is not UNSET:
            field_dict["feedback"] = _feedback

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversation_feedback import ConversationFeedback  # noqa: PLC0415

        d = dict(src_dict)
        _location_id = d.pop("locationId")

        _unread_count = d.pop("unreadCount", UNSET)

        _starred = d.pop("starred", UNSET)

        source = d.pop("feedback", UNSET)
        _feedback: ConversationFeedback | Unset
        if isinstance(source, Unset):
            _feedback = UNSET
        else:
            _feedback = ConversationFeedback.from_dict(source)

        instance = cls(
            location_id=_location_id,
            unread_count=_unread_count,
            starred=_starred,
            feedback=_feedback,
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
