"""Addresses as the lake has them: one spelling each, an IPv4-mapped one as the IPv4 address.

AWS writes them so; other tools write capitals, zeros and `::ffff:`, and the same address would be
two. Invariant: what is given back differs in spelling only, and a table in which no text has a
colon is given back as it is, for the price of a search of its distinct texts.
"""

from __future__ import annotations

from socket import AF_INET6, inet_ntop, inet_pton
from typing import Final

import pyarrow as pa

from flowscan.arrays import string_array, string_buffers
from flowscan.schema import ADDRESS_COLUMNS

_MAPPED: Final = "::ffff:"
"""How an IPv4-mapped address begins; the IPv4 address follows."""


def canonical(flows: pa.Table) -> pa.Table:
    """Flows whose dictionaries of addresses hold the one spelling of each."""
    for at, name in enumerate(flows.column_names):
        if name in ADDRESS_COLUMNS:
            given = flows.column(at).chunks
            chunks = [_spelled(chunk) for chunk in given]
            if any(new is not old for new, old in zip(chunks, given, strict=True)):
                flows = flows.set_column(at, flows.field(at), pa.chunked_array(chunks))
    return flows


def _spelled(column: pa.DictionaryArray) -> pa.DictionaryArray:
    texts = column.dictionary
    if b":" not in string_buffers(texts)[0].tobytes():
        return column
    given = texts.to_pylist()
    spelled = [_spelling(text) for text in given]
    if spelled == given:
        return column
    # Two spellings may have become one: the values are told apart anew.
    rows = pa.DictionaryArray.from_arrays(column.indices, string_array(spelled))
    return rows.dictionary_decode().dictionary_encode()


def _spelling(text: str) -> str:
    if ":" not in text:
        return text
    try:
        spelled = inet_ntop(AF_INET6, inet_pton(AF_INET6, text))
    except OSError:  # another reading than the parser's; it stays as it is
        return text
    return spelled[len(_MAPPED) :] if spelled.startswith(_MAPPED) and "." in spelled else spelled
