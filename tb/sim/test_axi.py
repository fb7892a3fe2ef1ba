"""The rules of AXI4: what keeps them passes, and each one that is broken is seen."""

import pytest

from llama2_myhdl.sim import axi as watching
from llama2_myhdl.sim.axi import Burst, Channel, ReadRules, WriteRules
from llama2_myhdl.sim.streams import ProtocolError
from llama2_myhdl.spec.axi import INCR, ReadMaster

AXI = ReadMaster(data_bits=64, burst=16, depth=32, outstanding=2)  # 8 bytes a beat
BURST = dict(arid=0, araddr=0x1000, arlen=15, arsize=3, arburst=INCR)


def beat(number, last=0):
    return dict(rid=number, rlast=last)


def opened(*lengths):
    """Rules with bursts of these ids and lengths under way."""
    rules = ReadRules(AXI, 2)
    for number, length in lengths:
        rules.address(BURST | dict(arid=number, arlen=length - 1), True)
    return rules


def test_what_is_right_passes():
    """Bursts of two IDs, beats mixed; a burst that waits is none yet."""
    rules = opened((0, 2), (1, 1))
    rules.address(BURST, False)
    for fields in (beat(0), beat(1, 1), beat(0, 1)):
        rules.data(fields, False)
        rules.data(fields, True)
    rules.finish()
    assert (rules.beats, rules.most, rules.under_way) == (3, 2, 0)
    assert rules.bursts == [Burst(0, 0x1000, 2), Burst(1, 0x1000, 1)]
    rules.address(BURST | dict(araddr=0x1F80), True)  # to the end of the page


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(arsize=2), "ARSIZE is 2, a beat has 8 bytes"),
        (dict(arburst=2), "ARBURST is 2, INCR is 1"),
        (dict(araddr=0x1004), "no multiple of 8"),
        (dict(araddr=0x1F88), "crosses 4096 bytes"),
        (dict(arlen=16), "longer than 16 beats"),
        (dict(arid=2), "there are 2 regions"),
    ],
)
def test_a_wrong_address_is_seen(change, words):
    """As soon as it is offered."""
    with pytest.raises(ProtocolError, match=words):
        opened().address(BURST | change, False)


@pytest.mark.parametrize(
    "fields, words",
    [
        (beat(1), "a beat with ID 1 that was not asked for"),
        (beat(3), "a beat with ID 3 that was not asked for"),
        (beat(0, 1), "RLAST is 1 with 1 beats of the burst to come"),
    ],
)
def test_wrong_data_is_seen(fields, words):
    with pytest.raises(ProtocolError, match=words):
        opened((0, 2)).data(fields, False)


def test_a_missing_last_is_seen():
    with pytest.raises(ProtocolError, match="RLAST is 0 with 0 beats"):
        opened((0, 1)).data(beat(0), True)


def test_bursts_are_answered_in_their_order():
    """Of one ID: its second one is shorter, and cannot be the first to end."""
    with pytest.raises(ProtocolError, match="RLAST is 1 with 2 beats"):
        opened((0, 3), (0, 1)).data(beat(0, 1), True)


def test_too_many_under_way_are_seen():
    with pytest.raises(ProtocolError, match="3 bursts under way, at most 2"):
        opened((0, 1), (1, 1), (0, 1))


def test_what_has_not_come_is_seen():
    """A reset ends it."""
    rules = opened((1, 4))
    with pytest.raises(ProtocolError, match="1 bursts have not had their last beat"):
        rules.finish()
    rules.reset()
    rules.finish()


WRITE = {name.replace("ar", "aw", 1): value for name, value in BURST.items()}


def written(*lengths):
    """Rules with write bursts of these lengths begun."""
    rules = WriteRules(AXI)
    for length in lengths:
        rules.address(WRITE | dict(awlen=length - 1), True)
    return rules


def test_what_is_written_right_passes():
    """Two bursts, the second one answered later; a reset ends what is under way."""
    rules = written(2, 1)
    rules.data(dict(wlast=0), True)
    rules.data(dict(wlast=1), False)
    rules.data(dict(wlast=1), True)
    rules.answer(dict(bid=0), False)
    rules.answer(dict(bid=0), True)
    rules.data(dict(wlast=1), True)
    assert (rules.beats, rules.most, rules.under_way) == (3, 2, 1)
    with pytest.raises(ProtocolError, match="1 bursts have had no answer"):
        rules.finish()
    rules.reset()
    rules.finish()


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(awsize=2), "AWSIZE is 2, a beat has 8 bytes"),
        (dict(awburst=0), "AWBURST is 0, INCR is 1"),
        (dict(awaddr=0x1F88), "crosses 4096 bytes"),
        (dict(awlen=16), "longer than 16 beats"),
        (dict(awid=1), "writes have ID 0"),
    ],
)
def test_a_wrong_write_is_seen(change, words):
    with pytest.raises(ProtocolError, match=words):
        written().address(WRITE | change, False)


def test_wrong_writing_is_seen():
    """Data without an address, a last beat too early and none, an answer that nobody waits for, too many bursts."""
    for lengths, last, words in (
        ((), 1, "belongs to no burst"),
        ((2,), 1, "WLAST is 1 with 1"),
        ((1,), 0, "WLAST is 0 with 0"),
    ):
        with pytest.raises(ProtocolError, match=words):
            written(*lengths).data(dict(wlast=last), True)
    with pytest.raises(ProtocolError, match="an answer with ID 0 that was not asked for"):
        written(1).answer(dict(bid=0), True)
    with pytest.raises(ProtocolError, match="3 bursts under way, at most 2"):
        written(1, 1, 1)


@pytest.fixture
def channel(monkeypatch):
    """A channel with a field, and its pins: texts by name."""
    pins = dict(m_axi_arvalid="0", m_axi_arready="0", m_axi_araddr="0101")
    monkeypatch.setattr(watching, "reader", lambda name: lambda: pins[name])

    class Names:
        def __getattr__(self, name):
            return name

    return Channel(Names(), "m_axi", "ar", ("araddr",)), pins


def test_an_offer_is_read(channel):
    watched, pins = channel
    assert watched.step() == (None, False)
    pins |= dict(m_axi_arvalid="1")
    assert watched.step() == (dict(araddr=5), False)
    pins |= dict(m_axi_arready="1")
    assert watched.step() == (dict(araddr=5), True)
    pins |= dict(m_axi_araddr="0110")
    assert watched.step() == (dict(araddr=6), True)


@pytest.mark.parametrize("change", [dict(m_axi_arvalid="0"), dict(m_axi_araddr="0111")])
def test_an_offer_that_does_not_wait_is_seen(channel, change):
    watched, pins = channel
    pins |= dict(m_axi_arvalid="1")
    watched.step()
    pins |= change
    with pytest.raises(ProtocolError, match="was offered and not taken"):
        watched.step()


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(m_axi_arvalid="x"), "arvalid is x"),
        (dict(m_axi_arready="z"), "arready is z"),
        (dict(m_axi_arvalid="1", m_axi_araddr="01x1"), "araddr is 01x1 while valid is high"),
    ],
)
def test_what_is_unknown_is_seen(channel, change, words):
    watched, pins = channel
    pins |= change
    with pytest.raises(ProtocolError, match=words):
        watched.step()


def test_valid_in_reset_is_seen(channel):
    """Once the registers have been reset."""
    watched, pins = channel
    watched.reset(3)
    pins |= dict(m_axi_arvalid="1")
    watched.reset(2)
    with pytest.raises(ProtocolError, match="not low in reset"):
        watched.reset(3)
