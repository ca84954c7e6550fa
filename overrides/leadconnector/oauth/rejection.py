"""Decides whether a token that the API rejected is replaced, or kept because it is not the cause.

The API also returns `401 Unauthorized` for a missing scope, a token of the wrong class, or an
invalid `Version`. No new token fixes these, and each refresh uses up a refresh token. Such a
refresh is called a replacement. Replacements are limited.
"""

from collections.abc import Sequence

MINIMUM_AGE = 30.0
"""Seconds after it was obtained in which a token that was never accepted is not replaced.

The age of such a new token is not the reason why the API rejects it.
"""

MAXIMUM_REPLACEMENTS = 2
"""How many rejected tokens are replaced within `REPLACEMENT_INTERVAL`. Our own choice.

One can be useless, for a scope that the application lacks. The other remains for a token that the
vendor revokes in the same hour. So a token that was never accepted takes only the first.
"""

REPLACEMENT_INTERVAL = 3600.0
"""Seconds; see `MAXIMUM_REPLACEMENTS`."""


def replacement_can_help(
    *, was_accepted: bool, obtained_at: float, replacements: Sequence[float], now: float
) -> bool:
    """Whether a rejected token is replaced. All times are in seconds since the epoch.

    Args:
        was_accepted: whether the API executed a request of the same operation and location with
            this token before. The token may have been revoked since then.
        obtained_at: when the token was obtained; 0.0 if that is unknown.
        replacements: when rejected tokens were replaced, in ascending order.
        now: the time.
    """
    recent_times = recent_replacements(replacements, now)
    if len(recent_times) >= MAXIMUM_REPLACEMENTS:
        return False
    if was_accepted:
        return True
    if is_new(obtained_at, now):
        return False
    # After a recent replacement, the new token does not work either.
    return not recent_times


def is_new(obtained_at: float, now: float) -> bool:
    """Whether a token was obtained less than `MINIMUM_AGE` ago.

    It is not new if it was obtained in the future: the clock has been set back, maybe by years.
    """
    return 0.0 <= now - obtained_at < MINIMUM_AGE


def recent_replacements(times: Sequence[float], now: float) -> tuple[float, ...]:
    """The replacements that count for the limit, in ascending order.

    A time in the future does not count: the clock has been set back.

    Args:
        times: seconds since the epoch, in any order.
        now: seconds since the epoch.
    """
    recent_times: list[float] = []
    for time in sorted(times):
        if 0.0 <= now - time < REPLACEMENT_INTERVAL:
            recent_times.append(time)
    return tuple(recent_times[-MAXIMUM_REPLACEMENTS:])
