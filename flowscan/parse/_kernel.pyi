# Types of the compiled kernel (native/module.c), which need not be there.
from collections.abc import Sequence
from typing import Any, final

@final
class Parser:
    rows: int
    nbytes: int
    instructions: str
    def __init__(
        self,
        *,
        kinds: Sequence[int],
        limits: Sequence[int],
        comma: bool,
        max_line: int,
        start: int,
        end: int,
        status: int,
        coverage: Sequence[int],
        traffic: Sequence[int],
        known: bytes,
        seed: int,
        instructions: str,
    ) -> None: ...
    def feed(
        self, data: bytes | bytearray | memoryview, final: bool, every: int | None, each: Any
    ) -> tuple[int, int, int, int, int, int, int, list[tuple[int, int, bytes]]]: ...
    def drain(self) -> tuple[object, object, tuple[int, int] | None]: ...
