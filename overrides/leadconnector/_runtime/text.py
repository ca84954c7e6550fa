"""Makes a text of the API short and printable, for a log or the message of an exception."""

MAXIMUM_QUOTED_CHARACTERS = 200
"""How many characters of a text of the API a message quotes: our own bound."""


def one_line(text: str) -> str:
    """A text in one printable line, so that it cannot forge lines of a log."""
    characters: list[str] = []
    for character in text:
        if character.isprintable():
            characters.append(character)
        else:
            characters.append(" ")
    return " ".join("".join(characters).split())
