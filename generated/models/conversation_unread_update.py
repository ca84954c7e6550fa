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
        _type_ = self.type_

        _timestamp = self.timestamp

        _webhook_id = self.webhook_id

        _location_id = self.location_id

        _id = self.id

        _contact_id = self.contact_id

        _unread_count = self.unread_count

        _inbox = self.inbox

        _starred = self.starred

        _deleted = self.deleted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        field_dict.update({})
        if _type_ is not UNSET:
            field_dict["type"] = _type_
        if _timestamp is not UNSET:
            field_dict["timestamp"] = _timestamp
        if _webhook_id is not UNSET:
            field_dict["webhookId"] = _webhook_id
        if _location_id is not UNSET:
            field_dict["locationId"] = _location_id
        if _id is not UNSET:
            field_dict["id"] = _id
        if _contact_id is not UNSET:
            field_dict["contactId"] = _contact_id
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
        _type_ = d.pop("type", UNSET)

        _timestamp = d.pop("timestamp", UNSET)

        _webhook_id = d.pop("webhookId", UNSET)

        _location_id = d.pop("locationId", UNSET)

        _id = d.pop("id", UNSET)

        _contact_id = d.pop("contactId", UNSET)

        _unread_count = d.pop("unreadCount", UNSET)

        _inbox = d.pop("inbox", UNSET)

        _starred = d.pop("starred", UNSET)

        _deleted = d.pop("deleted", UNSET)

        instance = cls(
            type_=_type_,
            timestamp=_timestamp,
            webhook_id=_webhook_id,
            location_id=_location_id,
            id=_id,
            contact_id=_contact_id,
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
