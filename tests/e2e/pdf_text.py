"""The text of a PDF as Chromium writes it: enough to see that there is some, and which.

Owns no more of the format than that: streams are deflated, fonts carry a map to Unicode, and text
is shown as hexadecimal glyph numbers of the font that was chosen last.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

_OBJECT = re.compile(rb"(\d+) 0 obj\n?(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>\s*Tj|\[(.*?)\]\s*TJ", re.DOTALL)
_RANGE = re.compile(rb"<(\w+)> <(\w+)> <(\w+)>|<(\w+)> <(\w+)>")


def text_of(path: Path) -> str:
    """Every shown glyph in the order of the pages' streams, without line breaks."""
    objects = {int(number): body for number, body in _OBJECT.findall(path.read_bytes())}
    fonts = {
        number: _map(_inflated(objects[int(found[1])]))
        for number, body in objects.items()
        if (found := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    shown = []
    for body in objects.values():
        if content := _inflated(body):
            shown.append(_shown(content, fonts))
    return "".join(shown)


def _shown(content: bytes, fonts: dict[int, dict[int, str]]) -> str:
    letters: dict[int, str] = {}
    text = []
    for font, one, several in _SHOWN.findall(content):
        if font:
            letters = fonts.get(int(font), {})
        for glyphs in [one] if one else re.findall(rb"<([0-9A-Fa-f]+)>", several):
            text += [letters.get(int(glyphs[i : i + 4], 16), "") for i in range(0, len(glyphs), 4)]
    return "".join(text)


def _inflated(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if not found or b"FlateDecode" not in body[: found.start()]:
        return b""
    return zlib.decompress(found[1])


def _map(cmap: bytes) -> dict[int, str]:
    letters = {}
    for block in re.findall(rb"begin(?:bfchar|bfrange)\n(.*?)end", cmap, re.DOTALL):
        for first, last, start, glyph, letter in _RANGE.findall(block):
            if glyph:
                letters[int(glyph, 16)] = _letter(letter, 0)
            for offset in range(int(last, 16) - int(first, 16) + 1 if first else 0):
                letters[int(first, 16) + offset] = _letter(start, offset)
    return letters


def _letter(code: bytes, offset: int) -> str:
    raw = bytes.fromhex(code.decode())
    return (raw[:-2] + (int.from_bytes(raw[-2:], "big") + offset).to_bytes(2, "big")).decode(
        "utf-16-be"
    )
