"""The Stream and Payload interfaces."""
import pytest

from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint


def test_fields():
    stream = Stream(data=sint(32), last=bit(), tag=uint(3))
    assert stream.payload == ("data", "last", "tag")
    assert stream.width == 36
    assert stream.fields() == [stream.data, stream.last, stream.tag]
    assert (stream.data.min, stream.data.max, stream.tag.max) == (-1 << 31, 1 << 31, 8)


@pytest.mark.parametrize("copy", [Stream.clone, Stream.bare])
def test_copies_have_the_types_and_not_the_signals(copy):
    stream = Stream(data=sint(5), last=bit())
    twin = copy(stream)
    assert twin.payload == stream.payload and twin.width == stream.width
    assert (twin.data.min, twin.data.max, twin.last._type) == (-16, 16, bool)
    assert twin.data is not stream.data
    assert isinstance(twin, Stream) == hasattr(twin, "valid") == (copy is Stream.clone)


@pytest.mark.parametrize("kind", [Stream, Payload])
@pytest.mark.parametrize("fields", [{}, {"valid": bit()}, {"width": uint(2), "data": uint(2)}])
def test_bad_fields(kind, fields):
    with pytest.raises(ValueError, match="payload fields are needed"):
        kind(**fields)


@pytest.mark.parametrize("make", [uint, sint])
@pytest.mark.parametrize("bits", [0, -1, 2.0, True])
def test_bad_widths(make, bits):
    with pytest.raises(ValueError, match=f"not {bits}"):
        make(bits)
