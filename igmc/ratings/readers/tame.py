"""Whether the quotes of a text file are plain, so that a lenient parser cannot misread them."""

from __future__ import annotations

import numpy as np

from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.layout import BLANKS, TextLayout

__all__ = ["is_tame"]

_BLOCK = 1 << 24
_QUOTE, _LINE_ENDS = 34, (10, 13)
_ASCII_LIKE = ("utf-8", "utf-8-sig", "latin-1", "cp1252")


def is_tame(file: RatingFile, layout: TextLayout, encoding: str) -> bool:
    """Whether there is no NUL, and each quote opens a field or closes it on the same line.

    Where fields may not be quoted, quotes do not matter.
    """
    quoted = layout.quoted and (len(layout.delimiter) == 1 or layout.delimiter == BLANKS)
    if encoding not in _ASCII_LIKE:
        with file.open_text(encoding) as text:
            blocks = iter(lambda: text.read(_BLOCK), "")
            return not any("\0" in block or (quoted and '"' in block) for block in blocks)
    # Blanks of both kinds may separate, and quotes among them are rare: nothing to gain.
    delimiter = ord(layout.delimiter) if len(layout.delimiter) == 1 else -1
    with file.open() as stream:
        first = True
        while block := stream.read(_BLOCK):
            rest = stream.readline(_BLOCK)
            if len(rest) == _BLOCK:  # a line that is too long, or nearly
                return False
            block += rest
            block = block.removeprefix(b"\xef\xbb\xbf") if first else block
            first = False
            if b"\0" in block or (quoted and b'"' in block and not _are_plain(block, delimiter)):
                return False
    return True


def _are_plain(block: bytes, delimiter: int) -> bool:
    text = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    borders = np.array([delimiter, *_LINE_ENDS])
    line_ends = np.flatnonzero(np.isin(text, _LINE_ENDS))
    same_line = np.searchsorted(line_ends, opening) == np.searchsorted(line_ends, closing)
    around = np.isin(text[opening - 1], borders) & np.isin(text[closing + 1], borders)
    return bool(np.all(same_line & around))
