"""Text from outside, in characters that everybody can take."""

from __future__ import annotations

import re

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def whole_characters(text: str) -> str:
    r"""Join halves of a character, and replace what is left over.

    JSON may write "\ud83d" alone, which UTF-8 cannot, and NUL, which PostgreSQL does not store.
    """
    if not _UNWRITABLE.search(text):
        return text
    halves = text.replace("\x00", "").encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace")
