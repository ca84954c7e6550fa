# The generator's code for lists and unions does not pass these rules of pyright's strict mode.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnnecessaryCast=false
# pyright: reportUnnecessaryComparison=false, reportUnnecessaryIsInstance=false
# mypy: disable-error-code=redundant-cast
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.last_message_type import LastMessageType
from ..types import UNSET, Unset

T = TypeVar("T", bound="Conversation")


@_attrs_define(kw_only=True)
class Conversation:
    """Conversation data of the provided conversation ID.

    Attributes:
        id (str | Unset): Contact ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        location_id (str | Unset): Location ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        contact_id (str | Unset): Contact ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        assigned_to (str | Unset): Assigned User ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        user_id (str | Unset): User ID as string Example: tDtDnQdgm2LXpyiqYvZ6.
        last_message_body (str | Unset): Last message body as string Example: Hello, this is the message body.
        last_message_date (str | Unset): Last message date as UTC Example: 1628008053263.
        last_message_type (LastMessageType | Unset): Type of the last message sent/received in the conversation.
            Example: TYPE_CALL.
        unread_count (float | Unset): Count of unread messages in the conversation Example: 1.
        inbox (bool | Unset): Inbox status of the conversation. Example: True.
        starred (bool | Unset): Starred status of the conversation. Example: True.
        deleted (bool | Unset): Deleted status of the conversation. Example: False.
    """

    id: str | Unset = UNSET
    location_id: str | Unset = UNSET
    contact_id: str | Unset = UNSET
    assigned_to: str | Unset = UNSET
    user_id: str | Unset = UNSET
    last_message_body: str | Unset = UNSET
    last_message_date: str | Unset = UNSET
    last_message_type: LastMessageType | Unset = UNSET
    unread_count: float | Unset = UNSET
    inbox: bool | Unset = UNSET
    starred: bool | Unset = UNSET
    deleted: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(
        init=False, factory=dict[str, Any]
    )

    def to_dict(self) -> dict[str, Any]:
        _id = self.id

        _location_id = self.location_id

        _contact_id = self.contact_id

        _assigned_to = self.assigned_to

        _user_id = self.user_id

        _last_message_body = self.last_message_body

        _last_message_date = self.last_message_date

        _last_message_type: str | Unset = UNSET
        if not isinstance(self.last_message_type, Unset):
            _last_message_type = self.last_message_type.value

        _unread_count = self.unread_count

        _inbox = self.inbox

        _starred = self.starred

        _deleted = self.deleted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        field_dict.update({})
        if _id is not UNSET:
            field_dict["id"] = _id
        if _location_id is not UNSET:
            field_dict["locationId"] = _location_id
        if _contact_id is not UNSET:
            field_dict["contactId"] = _contact_id
        if _assigned_to is not UNSET:
            field_dict["assignedTo"] = _assigned_to
        if _user_id is not UNSET:
            field_dict["userId"] = _user_id
        if _last_message_body is not UNSET:
            field_dict["lastMessageBody"] = _last_message_body
        if _last_message_date is not UNSET:
            field_dict["lastMessageDate"] = _last_message_date
        if _last_message_type is not UNSET:
            field_dict["lastMessageType"] = _last_message_type
        if _unread_count is not UNSET:
            field_dict["unreadCount"] = _unread_count
        if _inbox is not UNSET:
            field_dict["inbox"] = _inbox
        if _starred is not UNSET:
            field_dict["starred"] = _starred
        if _deleted is not UNSET:
            field_dict["deleted"] = _deleted

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        _id = d.pop("id", UNSET)

        _location_id = d.pop("locationId", UNSET)

        _contact_id = d.pop("contactId", UNSET)

        _assigned_to = d.pop("assignedTo", UNSET)

        _user_id = d.pop("userId", UNSET)

        _last_message_body = d.pop("lastMessageBody", UNSET)

        _last_message_date = d.pop("lastMessageDate", UNSET)

        source = d.pop("lastMessageType", UNSET)
        _last_message_type: LastMessageType | Unset
        if isinstance(source, Unset):
            _last_message_type = UNSET
        else:
            _last_message_type = LastMessageType(source)

        _unread_count = d.pop("unreadCount", UNSET)

        _inbox = d.pop("inbox", UNSET)

        _starred = d.pop("starred", UNSET)

        _deleted = d.pop("deleted", UNSET)

        instance = cls(
            id=_id,
            location_id=_location_id,
            contact_id=_contact_id,
            assigned_to=_assigned_to,
            user_id=_user_id,
            last_message_body=_last_message_body,
            last_message_date=_last_message_date,
            last_message_type=_last_message_type,
            unread_count=_unread_count,
            inbox=_inbox,
            starred=_starred,
            deleted=_deleted,
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
