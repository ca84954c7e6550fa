"""The error for everything that stops an adoption."""


class AdoptionError(Exception):
    """Nothing was adopted. The message says why, and what to do."""
