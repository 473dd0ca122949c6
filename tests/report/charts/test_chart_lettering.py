"""Room for text: never less than its letters need, and cut only when it has to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowscan.report.charts.lettering import fit, widest, width


@given(text=st.text(max_size=40), room=st.floats(12, 300), size=st.floats(8, 14))
def test_a_text_is_cut_to_its_room(text: str, room: float, size: float) -> None:
    cut = fit(text, room, size)
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
    assert width(cut, size) <= max(room, width("…", size))
    assert (cut == text) == (width(text, size) <= room or text == cut)


def test_wide_letters_take_more() -> None:
    assert width("iii") < width("aaa") < width("AAA") < width("WWW")
    assert width("中中") > width("AA")
    assert width("é") == width("É")
    assert width("e\u0301") == width("e")
    assert widest([]) == 0
    assert widest(["a", "aa"]) == width("aa")
