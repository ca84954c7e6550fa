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

T = TypeVar("T", bound="Unauthorized")


@_attrs_define(kw_only=True)
class Unauthorized:
    """The bearer token is missing, invalid or expired.

    Attributes:
        status_code (float | Unset):  Example: 401.
        message (str | Unset):  Example: Invalid token: access token is invalid.
        error (str | Unset):  Example: Unauthorized.
    """

    status_code: float | Unset = UNSET
    message: str | Unset = UNSET
    error: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(
        init=False, factory=dict[str, Any]
    )

    def to_dict(self) -> dict[str, Any]:
        _status_code = self.status_code

        _message = self.message

        _error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        field_dict.update({})
        if _status_code is not UNSET:
            field_dict["statusCode"] = _status_code
        if _message is not UNSET:
            field_dict["message"] = _message
        if _error is not UNSET:
            field_dict["error"] = _error

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        _status_code = d.pop("statusCode", UNSET)

        _message = d.pop("message", UNSET)

        _error = d.pop("error", UNSET)

        instance = cls(
            status_code=_status_code,
            message=_message,
            error=_error,
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
