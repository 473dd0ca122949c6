"""The sink over many objects."""

from __future__ import annotations

import pytest
from parsing import DEFAULT, LINE, LINES, NODATA, dictionary_of

from flowscan.errors import RejectedObject
from flowscan.parse import ParseOptions, Plan, Sink, kernel_name, native_text, parse

KERNELS = ["arrow", "native"] if native_text.available() else ["arrow"]
V3 = DEFAULT + " vpc-id"


def add(sink: Sink, *lines: str) -> None:
    for _ in parse(["\n".join(lines).encode()], ParseOptions(), sink):
        pass


@pytest.mark.parametrize("kernel", KERNELS)
def test_objects_of_many_formats_make_one_table_each(kernel: str) -> None:
    sink = Sink(kernel=kernel)
    for i in range(20):
        add(sink, DEFAULT, LINE, NODATA, "x")
        add(sink, V3, f"{LINE} vpc-{i % 3}")
        assert (sink.counts.records, sink.rejects, sink.shape) == (1, [], "text")
        assert sink.dirty
    assert sink.rows == 40
    drained = sink.drain()
    assert [b.num_rows for b in drained.flows] == [20, 20]
    assert dictionary_of(drained.flows[1].column("vpc_id")) == ["vpc-0", "vpc-1", "vpc-2"]
    assert drained.coverage.num_rows == 20
    assert sink.rows == 0
    again = sink.drain()
    assert (again.flows, again.coverage.num_rows) == ([], 0)
    add(sink, DEFAULT, LINE)
    assert sink.drain().flows[0].num_rows == 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_refused_object_that_brought_nothing_is_not_dirty(kernel: str) -> None:
    sink = Sink(kernel=kernel)
    add(sink, DEFAULT, *LINES)
    with pytest.raises(RejectedObject):
        add(sink, "<html>")
    assert not sink.dirty
    assert sink.drain().flows[0].num_rows == 100


@pytest.mark.parametrize("kernel", KERNELS)
def test_ever_new_formats_do_not_pile_up(kernel: str) -> None:
    sink = Sink(kernel=kernel)
    for i in range(40):
        add(sink, f"srcaddr start field{i}", "1.1.1.1 2 x")
    assert len(sink.drain().flows) == 40
    assert len(sink._texts) <= 16


def test_kernel_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel_name("arrow") == Sink(kernel="arrow").kernel == "arrow"
    assert kernel_name() in ("native", "arrow")
    monkeypatch.setattr(native_text, "available", lambda: False)
    assert kernel_name() == "arrow"
    with pytest.raises(RuntimeError, match="not built"):
        kernel_name("native")


@pytest.mark.parametrize("kernel", KERNELS)
def test_blocks_of_any_size_keep_order_and_one_dictionary(kernel: str) -> None:
    """Blocks of one line are held apart until there are a thousand or the sink is drained."""
    sink = Sink(kernel=kernel)
    plan = Plan(("interface_id", "bytes", "start"))
    sizes = [1, 1, 200, 1, *[1] * 1100, 200, 3, 70, 1]
    number = 0
    for size in sizes:
        lines = [f"eni-{(number + i) % 7} {number + i} 1" for i in range(size)]
        wrong = f"eni-bad-{number} {2**64} 1"
        sink.text(plan, "\n".join([*lines, wrong, ""]).encode(), 1, final=False)
        number += size
    assert sink.rows == number == sum(sizes)
    (flows,) = sink.drain().flows
    flows.validate(full=True)
    assert flows.column("bytes").to_pylist() == list(range(number))
    names = [f"eni-{i % 7}" for i in range(number)]
    assert flows.column("interface_id").to_pylist() == names
    assert sorted(dictionary_of(flows.column("interface_id"))) == sorted(set(names))


@pytest.mark.parametrize("kernel", KERNELS)
def test_rows_have_the_number_of_their_object(kernel: str) -> None:
    sink = Sink(kernel=kernel)
    for source in (7, 9, 8):
        sink.source = source
        add(sink, DEFAULT, LINE, NODATA, LINE)
        add(sink, V3, f"{LINE} vpc-1")
    drained = sink.drain()
    numbers = [flows.column("source_id").to_pylist() for flows in drained.flows]
    assert numbers == [[7, 7, 9, 9, 8, 8], [7, 9, 8]]
    assert drained.coverage.column("source_id").to_pylist() == [7, 9, 8]
    add(sink, DEFAULT, LINE)
    assert sink.drain().flows[0].column("source_id").to_pylist() == [8]
