"""The IP block: the decoder behind AXI4-Lite registers, with mailboxes, an interrupt, and a boot image in memory.

    s_axi ─> lite_slave ─> register_file ─> settings ─┐
                                │  └─> prompt mailbox ┴─> s_prompt ─┐
    irq <─ interrupts <─────────┤       token mailbox <── m_token ──┤ loaded_decoder ─> m_axi_boot, m_axi
                                └─────── start, reset, status ──────┘

`spec/control.rdl` describes the registers, `docs/integration.md` how to use them.
"""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.board.inquiry import CODE_BITS, inquiry
from llama2_myhdl.rtl.control.compose import compose, widen
from llama2_myhdl.rtl.control.interrupts import EVENTS, interrupts
from llama2_myhdl.rtl.control.lite_channels import LiteChannels
from llama2_myhdl.rtl.control.lite_slave import lite_slave
from llama2_myhdl.rtl.control.loaded_decoder import loaded_decoder, memory_ports
from llama2_myhdl.rtl.control.mailbox import mailbox
from llama2_myhdl.rtl.control.plan import LOCK_COUNT, index_of, live_words, plan, stored
from llama2_myhdl.rtl.control.register_file import LATENCY, register_file
from llama2_myhdl.rtl.control.slots import slots
from llama2_myhdl.rtl.control.stored_register import stored_register
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream, token_stream
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.access import ACCESS_BITS
from llama2_myhdl.spec.axi import RESP_BITS
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.control import (
    ADDRESS_BITS,
    INDEX_BITS,
    PROMPT_DEPTH,
    REGISTERS,
    TOKEN_DEPTH,
    WORD_BITS,
    place_buses,
)
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, NONE
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS
from llama2_myhdl.spec.sampling import SCALE_BITS, SEED_BITS, SHIFT_BITS
from llama2_myhdl.spec.stops import MORE_STOPS


@hblock
def llama2_ip(clk, rst, s_axi, m_axi_boot, irq, CFG, PLAN, m_axi=None, m_axi_embedding=None,
              m_axi_cache=None):  # fmt: skip
    """s_axi: `LiteChannels`, the registers; m_axi_boot: `ReadChannels` of `boot_bus(CFG)`, the boot image; irq: out, a
    level. m_axi, m_axi_embedding, m_axi_cache: of a build with `weights`, with `embedding`, with `cache`, as of the
    decoder. rst: in, of all and of the memory. CFG: the decoder's build; PLAN: `plan` of it.
    """
    COUNT, PLACES, DRAWS = stations(CFG), range(len(place_buses(CFG))), bool(CFG.list_entries)
    CONTROL, PROMPT, TOKEN = index_of("control"), index_of("prompt"), index_of("token")
    IRQ_STATUS, COUNTER_LOW = index_of("irq_status"), index_of("counter_low")
    START, AGAIN, CLEAR = (REGISTERS["control"].fields[name].low for name in ("start", "soft_reset", "clear"))
    VALID = REGISTERS["token"].fields["valid"].low
    LAST, TOKEN_BITS, EVENT_BITS = REGISTERS["prompt"].fields["last"].low, CFG.token_bits, len(EVENTS)
    LIVE, HALF = live_words(CFG), COUNTER_BITS - WORD_BITS
    setting = stored(CFG)
    word = {name: uint(WORD_BITS) for name in LIVE}

    address, data, value = uint(ADDRESS_BITS), uint(WORD_BITS), uint(WORD_BITS)
    resp, index, refusal = uint(RESP_BITS), uint(INDEX_BITS), uint(ACCESS_BITS)
    writing, whole, act, write, read, full = [bit() for _ in range(6)]
    live, locked = uint(len(LIVE) * WORD_BITS), uint(LOCK_COUNT)
    shape_index, shape_value = uint(clog2(len(SHAPE_REGISTERS))), uint(WORD_BITS)
    select, station, number = uint(CODE_BITS), uint(CODE_BITS), uint(COUNTER_BITS)
    counter_select, counter_station = uint(SELECT_BITS), uint(clog2(COUNT))
    counter_value, cycles = uint(COUNTER_BITS), uint(COUNTER_BITS)
    counter_low, counter_high, high_half = uint(WORD_BITS), uint(HALF), uint(HALF)

    start, again, clear, idle, loading, loaded, resetting, restart = [bit() for _ in range(8)]
    failed, was_loaded, was_failed = bit(), bit(), bit()
    error, access = uint(BUS_ERROR_BITS), uint(ACCESS_BITS)

    field = dict(token=uint(TOKEN_BITS), last=bit(), **(dict(target=uint(TOKEN_BITS)) if DRAWS else {}))
    said = Stream(**field)
    queued, prompt = said.clone(), prompt_stream(CFG)
    told, beat = token_stream(CFG), token_stream(CFG)
    prompts, tokens = uint(PROMPT_DEPTH.bit_length()), uint(TOKEN_DEPTH.bit_length())
    room = uint(PROMPT_DEPTH.bit_length())
    opened, prompting, busy, running, handed, ends, comes = [bit() for _ in range(7)]
    score, greedy = bit(), bit()
    happens = [bit() for _ in EVENTS]
    events, forget, happened = [uint(EVENT_BITS) for _ in range(3)]
    locks = [bit() for _ in range(LOCK_COUNT)]
    unlocked, by_image, by_slot, by_prompt, by_start, by_prompt_token = locks
    on_loaded, on_failed, on_token, on_ended = happens

    lite_slave_ = lite_slave(clk, rst, s_axi, address, writing, data, whole, act, value, resp, LATENCY=LATENCY)
    register_file_ = register_file(
        clk, address, writing, data, whole, act, value, resp, index, write, read, refusal, live, shape_index,
        shape_value, setting["counter_select"], select, station, number, locked, full, PLAN=PLAN,
    )  # fmt: skip
    inquiry_ = inquiry(
        clk, select, station, cycles, counter_station, counter_select, counter_value, value=number, CFG=CFG
    )
    stored_register_ = [
        stored_register(
            clk, rst, write, index, word=data, value=signal, number=tied(uint(INDEX_BITS, index_of(name))),
            RESET=REGISTERS[name].reset & (1 << len(signal)) - 1,
        )
        for name, signal in setting.items()
    ]  # fmt: skip
    halves = {f"tape_{half}": Series(*(setting[f"tape[{k}].{half}"] for k in PLACES)) for half in ("low", "high")}
    loaded_decoder_ = loaded_decoder(
        clk, rst, start, again, clear, idle, loading, loaded, resetting, restart, error, setting["image_low"],
        setting["image_high"], setting["image_bytes"], prompt, told, cycles, counter_station, counter_select,
        counter_value, shape_index, shape_value, m_axi_boot, CFG=CFG, **(halves if PLACES else {}),
        m_axi=m_axi, m_axi_embedding=m_axi_embedding, m_axi_cache=m_axi_cache,
    )  # fmt: skip
    prompt_mailbox = mailbox(clk, restart, said, queued, prompts, DEPTH=PROMPT_DEPTH)
    token_mailbox = mailbox(clk, restart, told, beat, tokens, DEPTH=TOKEN_DEPTH)
    slots_ = slots(
        clk, restart, push=said.valid, push_last=said.last, slot=setting["slot"], handed=handed, ends=ends,
        ends_slot=told.seq, opened=opened, prompting=prompting, busy=busy, running=running,
    )  # fmt: skip
    interrupts_ = interrupts(clk, restart, events, forget, setting["irq_enable"], status=happened, irq=irq)

    # how a prompt is to be told
    if DRAWS:
        logprobs, scale, shift, key = bit(), uint(SCALE_BITS), uint(SHIFT_BITS), uint(SEED_BITS)
        settling = [
            unpack(setting["mode"], [score, greedy, logprobs]),
            unpack(setting["temperature"], [scale, shift]),
            pack([setting["seed"], setting["stream"]], key),
            widen(said.target, setting["target"]),
        ]
        wishes = dict(greedy=greedy, logprobs=logprobs, scale=scale, shift=shift, seed=key, k=setting["top_k"])
        wishes |= dict(p=setting["top_p"], floor=setting["min_p"], new_tokens=setting["new_tokens"])
        wishes |= {f"stop_{k}": setting[f"stop[{k}]"] for k in range(MORE_STOPS)} | dict(stops=setting["stops"])
        settling.append(compose(word["token_logprob"], "token_logprob", value=beat.logprob))
    else:
        settling, wishes = [unpack(setting["mode"], [score, greedy])], {}
        unused(greedy)
    prompting_ = connect(queued, prompt, seq=setting["slot"], steps=setting["steps"], score=score, **wishes)

    # the words that are read
    STATE = dict(idle=idle, loading=loading, loaded=loaded, prompting=prompting, running=running, resetting=resetting)
    BEAT = dict(token=beat.token, scored=beat.scored, sampled=beat.sampled, last=beat.last, stop=beat.stop)
    shown = [widen(word[name], signal) for name, signal in setting.items()] + [
        compose(word["status"], "status", **STATE, prompt_room=room, tokens=tokens),
        compose(word["error"], "error", code=error, access=access),
        widen(word["irq_status"], happened),
        widen(word["counter_low"], counter_low),
        widen(word["counter_high"], counter_high),
        compose(word["token_place"], "token_place", pos=beat.pos, slot=beat.seq),
        compose(word["token"], "token", **BEAT, valid=beat.valid),
    ]
    lines = [pack([word[name] for name in LIVE], live), pack(happens, events), pack(locks, locked)]

    @always_comb
    def carry_out():
        start.next = write and index == CONTROL and data[START]
        again.next = write and index == CONTROL and data[AGAIN]
        clear.next = write and index == CONTROL and data[CLEAR]
        said.valid.next = write and index == PROMPT
        said.token.next = data[TOKEN_BITS:]
        said.last.next = data[LAST]
        beat.ready.next = read and index == TOKEN and value[VALID]  # it was there when it was looked up
        counter_low.next = number[WORD_BITS:]

    @always_comb
    def forgive():
        if write and index == IRQ_STATUS:
            forget.next = data[EVENT_BITS:]
        else:
            forget.next = 0

    @always_comb
    def lock():
        unlocked.next = False
        by_image.next = not idle
        by_slot.next = prompting
        by_prompt.next = prompting or busy
        by_start.next = data[START] and not idle
        by_prompt_token.next = not opened and (prompting or busy)
        full.next = not loaded or not said.ready
        room.next = PROMPT_DEPTH - prompts

    @always_comb
    def follow():
        handed.next = queued.valid and queued.ready and queued.last
        comes.next = told.valid and told.ready
        ends.next = told.valid and told.ready and told.last
        failed.next = error != NONE or access != NONE

    @always_comb
    def tell():
        on_loaded.next = loaded and not was_loaded
        on_failed.next = failed and not was_failed
        on_token.next = comes
        on_ended.next = ends

    @always(clk.posedge)
    def remember():
        was_loaded.next = loaded
        was_failed.next = failed
        if restart:
            access.next = NONE
        elif clear:
            access.next = NONE
        elif act and access == NONE:
            access.next = refusal
        high_half.next = number[:WORD_BITS]  # beside the low half that has been looked up
        if read and index == COUNTER_LOW:
            counter_high.next = high_half

    return (
        lite_slave_,
        register_file_,
        inquiry_,
        stored_register_,
        loaded_decoder_,
        prompt_mailbox,
        token_mailbox,
        slots_,
        interrupts_,
        settling,
        prompting_,
        shown,
        lines,
        carry_out,
        forgive,
        lock,
        follow,
        tell,
        remember,
    )


def ports(build: BuildConfig) -> dict:
    """Fresh ports and parameters, by name: `llama2_ip(**ports(build))`."""
    s_axi, table = LiteChannels(ADDRESS_BITS), plan(build, stations(build))
    return dict(clk=bit(), rst=bit(), s_axi=s_axi, irq=bit(), **memory_ports(build), CFG=build, PLAN=table)
