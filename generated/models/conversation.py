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
        id = self.id

        location_id = self.location_id

        contact_id = self.contact_id

        assigned_to = self.assigned_to

        user_id = self.user_id

        last_message_body = self.last_message_body

        last_message_date = self.last_message_date

        last_message_type: str | Unset = UNSET
        if not isinstance(self.last_message_type, Unset):
            last_message_type = self.last_message_type.value

        unread_count = self.unread_count

        inbox = self.inbox

        starred = self.starred

        deleted = self.deleted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if id is not UNSET:
            field_dict["id"] = id
        if location_id is not UNSET:
            field_dict["locationId"] = location_id
        if contact_id is not UNSET:
            field_dict["contactId"] = contact_id
        if assigned_to is not UNSET:
            field_dict["assignedTo"] = assigned_to
        if user_id is not UNSET:
            field_dict["userId"] = user_id
        if last_message_body is not UNSET:
            field_dict["lastMessageBody"] = last_message_body
        if last_message_date is not UNSET:
            field_dict["lastMessageDate"] = last_message_date
        if last_message_type is not UNSET:
            field_dict["lastMessageType"] = last_message_type
        if unread_count is not UNSET:
            field_dict["unreadCount"] = unread_count
        if inbox is not UNSET:
            field_dict["inbox"] = inbox
        if starred is not UNSET:
            field_dict["starred"] = starred
        if deleted is not UNSET:
            field_dict["deleted"] = deleted

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id", UNSET)

        location_id = d.pop("locationId", UNSET)

        contact_id = d.pop("contactId", UNSET)

        assigned_to = d.pop("assignedTo", UNSET)

        user_id = d.pop("userId", UNSET)

        last_message_body = d.pop("lastMessageBody", UNSET)

        last_message_date = d.pop("lastMessageDate", UNSET)

        _last_message_type = d.pop("lastMessageType", UNSET)
        last_message_type: LastMessageType | Unset
        if isinstance(_last_message_type, Unset):
            last_message_type = UNSET
        else:
            last_message_type = LastMessageType(_last_message_type)

        unread_count = d.pop("unreadCount", UNSET)

        inbox = d.pop("inbox", UNSET)

        starred = d.pop("starred", UNSET)

        deleted = d.pop("deleted", UNSET)

        conversation = cls(
            id=id,
            location_id=location_id,
            contact_id=contact_id,
            assigned_to=assigned_to,
            user_id=user_id,
            last_message_body=last_message_body,
            last_message_date=last_message_date,
            last_message_type=last_message_type,
            unread_count=unread_count,
            inbox=inbox,
            starred=starred,
            deleted=deleted,
        )

        conversation.additional_properties = d
        return conversation

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
