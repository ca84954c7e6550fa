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

from ..types import UNSET, Unset

T = TypeVar("T", bound="ConversationUnreadUpdate")


@_attrs_define(kw_only=True)
class ConversationUnreadUpdate:
    """Called whenever a conversations unread status is updated

    Attributes:
        type_ (str | Unset): The type of the event. Example: ConversationUnreadUpdate.
        timestamp (str | Unset): When the event was created, in ISO 8601. Example: 2025-01-28T14:35:00.000Z.
        webhook_id (str | Unset): Identifies the event; the vendor can send it more than once. Example: abc123xyz.
        location_id (str | Unset): Location ID as string Example: ADVlSQnPsdq3hinusd6C3.
        id (str | Unset): Conversation ID as string Example: MzKIpg0rEIH2ZUGKf6BS.
        contact_id (str | Unset): Contact ID as string Example: zsYhPBOUsEHtrK508Wm9.
        unread_count (float | Unset): Count of unread messages in the conversation Example: 0.
        inbox (bool | Unset): Inbox status of the conversation. Example: False.
        starred (bool | Unset): Starred status of the conversation. Example: True.
        deleted (bool | Unset): Deleted status of the conversation. Example: False.
    """

    type_: str | Unset = UNSET
    timestamp: str | Unset = UNSET
    webhook_id: str | Unset = UNSET
    location_id: str | Unset = UNSET
    id: str | Unset = UNSET
    contact_id: str | Unset = UNSET
    unread_count: float | Unset = UNSET
    inbox: bool | Unset = UNSET
    starred: bool | Unset = UNSET
    deleted: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(
        init=False, factory=dict[str, Any]
    )

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        timestamp = self.timestamp

        webhook_id = self.webhook_id

        location_id = self.location_id

        id = self.id

        contact_id = self.contact_id

        unread_count = self.unread_count

        inbox = self.inbox

        starred = self.starred

        deleted = self.deleted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if type_ is not UNSET:
            field_dict["type"] = type_
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp
        if webhook_id is not UNSET:
            field_dict["webhookId"] = webhook_id
        if location_id is not UNSET:
            field_dict["locationId"] = location_id
        if id is not UNSET:
            field_dict["id"] = id
        if contact_id is not UNSET:
            field_dict["contactId"] = contact_id
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
        type_ = d.pop("type", UNSET)

        timestamp = d.pop("timestamp", UNSET)

        webhook_id = d.pop("webhookId", UNSET)

        location_id = d.pop("locationId", UNSET)

        id = d.pop("id", UNSET)

        contact_id = d.pop("contactId", UNSET)

        unread_count = d.pop("unreadCount", UNSET)

        inbox = d.pop("inbox", UNSET)

        starred = d.pop("starred", UNSET)

        deleted = d.pop("deleted", UNSET)

        conversation_unread_update = cls(
            type_=type_,
            timestamp=timestamp,
            webhook_id=webhook_id,
            location_id=location_id,
            id=id,
            contact_id=contact_id,
            unread_count=unread_count,
            inbox=inbox,
            starred=starred,
            deleted=deleted,
        )

        conversation_unread_update.additional_properties = d
        return conversation_unread_update

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
