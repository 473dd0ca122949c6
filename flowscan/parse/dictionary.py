"""The distinct texts of a plan's columns, and a code for each: a hash table over whole arrays.

Invariant: equal texts have equal codes, different ones different codes, whatever their hashes;
NULL is code 0. Hashes are keyed at random, so that no log can be written to collide.
"""

from __future__ import annotations

import secrets
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flowscan.parse.lines import ACTIONS, STATUSES, is_address
from flowscan.parse.tokens import (
    BEHIND,
    CONTINUED,
    LONGEST,
    Bytes,
    Ints,
    Mask,
    Texts,
    Words,
    texts_at,
)

Codes: TypeAlias = npt.NDArray[np.int32]

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_QUAD = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
_KNOWN = ("-", *ACTIONS, *STATUSES)
CODES = {text: code for code, text in enumerate(_KNOWN)}
"""Codes of the values of action and log_status, which every dictionary begins with."""

_MINUS = np.uint64(ord("-"))
_ROOM = 1 << 10
_SPARSE = 4
"""Slots of the table for each value that there is room for: few collide."""
_LONG = 1 << 30
"""Codes from here on are of texts that are too long for the table."""


class Dictionary:
    """Encodes texts as they come, and judges each distinct one once."""

    def __init__(self) -> None:
        self._key = np.uint64(secrets.randbits(64) | 1)
        self._words: list[Words] = [np.zeros(_ROOM, np.uint64) for _ in range(2)]
        self._hashes: Words = np.zeros(_ROOM, np.uint64)
        self._address: Mask = np.ones(_ROOM, np.bool_)
        self._size = 0
        self._long: dict[str, int] = {}
        self._build_table()
        for text in _KNOWN:
            word = np.array([int.from_bytes(text.encode(), "little")], np.uint64)
            self._find(Texts(word, np.zeros_like(word), np.zeros(0, np.int64), []))
        self._judge(1)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""
        rows = len(self._hashes) * (self._hashes.itemsize * (1 + len(self._words)) + 1)
        return rows + self._table.nbytes + sum(map(len, self._long))

    def encode(self, texts: Texts) -> Codes:
        """Codes of texts of up to LONGEST characters; the empty text is NULL, as `-` is."""
        empty = texts.first == 0
        if empty.any():
            texts = texts._replace(first=np.where(empty, _MINUS, texts.first))
        while len(self._words) < 2 + len(texts.more):
            self._words.append(np.zeros_like(self._hashes))
        known = self._size
        codes = self._find(texts)
        if self._size > known:
            self._judge(known)
        return codes

    def of_texts(self, texts: pl.Series) -> Codes:
        """Codes of printable texts of any length."""
        array: Any = texts.rechunk().to_arrow().cast(pa.large_string()).fill_null("")
        if not len(array):
            return np.zeros(0, np.int32)
        _, ends, data = array.buffers()
        offsets = np.frombuffer(ends, np.int64)[array.offset :][: len(array) + 1]
        size = int(offsets[-1])
        room: Bytes = np.zeros(size + BEHIND, np.uint8)
        room[:size] = np.frombuffer(data or b"", np.uint8)[:size]
        lengths = np.diff(offsets)
        short = np.where(lengths > LONGEST, 0, lengths)
        codes = self.encode(texts_at(room, offsets[:-1], short))
        for row in np.flatnonzero(lengths > LONGEST).tolist():
            codes[row] = self._long.setdefault(texts[row], _LONG + len(self._long))
        return codes

    def no_address(self, codes: Codes) -> Mask:
        """Which codes are neither of an address nor NULL."""
        return ~self._address.take(codes, mode="clip") | (codes >= _LONG)

    def array(self, codes: Codes) -> pa.DictionaryArray:
        """Arrow array of encoded rows; its dictionary holds only the values that occur."""
        if self._long:
            codes = np.where(codes >= _LONG, codes - (_LONG - self._size), codes)
        used: Mask = np.zeros(self._size + len(self._long), np.bool_)
        used[codes] = True
        with_nulls, used[0] = bool(used[0]), False
        chosen = np.flatnonzero(used)
        renumbered: Codes = np.zeros(len(used), np.int32)
        renumbered[chosen] = np.arange(len(chosen), dtype=np.int32)
        valid = pa.py_buffer(np.packbits(codes != 0, bitorder="little")) if with_nulls else None
        indices = pa.py_buffer(renumbered.take(codes))
        return pa.DictionaryArray.from_arrays(
            pa.Array.from_buffers(pa.int32(), len(codes), [valid, indices]), self._texts(chosen)
        )

    def _find(self, texts: Texts) -> Codes:
        hashes = self._hash(texts)
        codes = self._table.take((hashes >> self._shift).view(np.int64))
        same: Mask = codes >= 0
        same &= self._words[0].take(codes, mode="clip") == texts.first
        same &= self._words[1].take(codes, mode="clip") == texts.second
        if len(texts.long):
            same[texts.long] &= self._same(codes[texts.long], texts.more, 2)
        if not same.all():
            # few, once the values of a log have been seen
            rest = np.flatnonzero(~same)
            self._find_or_insert(rest, codes, hashes[rest], _dense(texts, rest, len(self._words)))
        return codes

    def _hash(self, texts: Texts) -> Words:
        hashes = texts.first * self._key
        hashes ^= hashes >> np.uint64(29)
        hashes += texts.second
        hashes *= self._key
        if len(texts.long):
            long = hashes[texts.long]
            for word in texts.more:
                # no word, no step: a text has one hash, however long the others are
                mixed = ((long ^ (long >> np.uint64(29))) + word) * self._key
                long = np.where(word == 0, long, mixed)
            hashes[texts.long] = long
        hashes ^= hashes >> np.uint64(32)
        hashes *= self._key
        return hashes

    def _same(self, codes: Codes, words: list[Words], begin: int = 0) -> Mask:
        """Which codes mean these words, from one on; no code means a slot that is empty (-1)."""
        same: Mask = codes >= 0
        for i, known in enumerate(self._words[begin:]):
            same &= known.take(codes, mode="clip") == (words[i] if i < len(words) else 0)
        return same

    def _find_or_insert(self, rows: Ints, codes: Codes, hashes: Words, words: list[Words]) -> None:
        """Probe slot after slot, all rows at once, until each has found or taken its own."""
        self._make_room(len(rows))
        slots = (hashes >> self._shift).view(np.int64)
        while len(rows):
            empty = np.flatnonzero(self._table.take(slots) < 0)
            if len(empty):
                self._table[slots[empty]] = empty  # of rows that want one slot, the last has it
                winners = empty[self._table.take(slots[empty]) == empty]
                self._append(slots[winners], hashes[winners], [w[winners] for w in words])
            found = self._table.take(slots)
            codes[rows] = found
            left = np.flatnonzero(~self._same(found, words))
            rows, hashes = rows[left], hashes[left]
            words = [w[left] for w in words]
            slots = (slots[left] + 1) & (len(self._table) - 1)

    def _append(self, slots: Ints, hashes: Words, words: list[Words]) -> None:
        begin, self._size = self._size, self._size + len(slots)
        self._table[slots] = np.arange(begin, self._size, dtype=np.int32)
        self._hashes[begin : self._size] = hashes
        for known, word in zip(self._words, words, strict=True):
            known[begin : self._size] = word

    def _make_room(self, more: int) -> None:
        room = len(self._hashes)
        while self._size + more > room:
            room *= 4
        grown = room - len(self._hashes)
        if grown:
            self._hashes = np.pad(self._hashes, (0, grown))
            self._address = np.pad(self._address, (0, grown))
            self._words = [np.pad(w, (0, grown)) for w in self._words]
            self._build_table()

    def _build_table(self) -> None:
        slots = _SPARSE * len(self._hashes)
        self._shift = np.uint64(65 - slots.bit_length())
        self._table: Codes = np.full(slots, -1, np.int32)
        codes = np.arange(self._size, dtype=np.int32)
        wanted = (self._hashes[: self._size] >> self._shift).view(np.int64)
        while len(codes):
            empty = self._table.take(wanted) < 0
            self._table[wanted[empty]] = codes[empty]
            left = np.flatnonzero(self._table.take(wanted) != codes)
            codes, wanted = codes[left], (wanted[left] + 1) & (slots - 1)

    def _judge(self, known: int) -> None:
        """Find out which values that came after the first `known` ones are addresses."""
        fresh = np.arange(known, self._size)
        texts = self._texts(fresh)
        quads = pc.match_substring_regex(texts, _QUAD).to_numpy(zero_copy_only=False)
        self._address[fresh] = quads
        colons = pc.match_substring(texts, ":").to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(colons).tolist():
            self._address[known + row] = is_address(texts[row].as_py())

    def _texts(self, codes: Ints) -> pa.StringArray:
        """The values of some codes in ascending order, long ones numbered behind the others."""
        short = codes[codes < self._size]
        matrix = np.stack([w[short] for w in self._words], axis=1)
        matrix[:, 1] &= ~CONTINUED
        characters = matrix.astype("<u8", copy=False).view(np.uint8)
        there = characters != 0
        ends: Codes = np.zeros(len(short) + 1, np.int32)
        np.cumsum(np.count_nonzero(there, axis=1), out=ends[1:])
        array = pa.StringArray.from_buffers(
            len(short), pa.py_buffer(ends), pa.py_buffer(characters[there])
        )
        if len(short) == len(codes):
            return array
        long = list(self._long)
        return pa.concat_arrays(
            [array, pa.array([long[c - self._size] for c in codes[len(short) :]], pa.string())]
        )


def _dense(texts: Texts, rows: Ints, count: int) -> list[Words]:
    """All `count` words of some rows."""
    words = [texts.first[rows], texts.second[rows]]
    words += [np.zeros(len(rows), np.uint64) for _ in range(count - 2)]
    if len(texts.long):
        at = np.minimum(np.searchsorted(texts.long, rows), len(texts.long) - 1)
        there = np.flatnonzero(texts.long[at] == rows)
        for word, more in zip(words[2:], texts.more, strict=False):
            word[there] = more[at[there]]
    return words
