from enum import StrEnum
from typing import Self


class ApiVersion(StrEnum):
    V2021_07_28 = "2021-07-28"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        # Early releases of Python 3.11, such as 3.11.2, pickle a member by its name. An unknown value
        # has none.
        return type(self), (self._value_,)

    @property
    def is_unknown(self) -> bool:
        """Whether the spec does not list this value."""
        return self._value_ not in type(self)._value2member_map_

    def __repr__(self) -> str:
        if self.is_unknown:
            return f"<{type(self).__name__} unknown: {self._value_!r}>"
        return f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"

    def __str__(self) -> str:
        return str(self.value)
