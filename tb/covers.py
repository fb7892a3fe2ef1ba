"""The tests that compare what blocks of rtl/ make which have no test of their own name.

`tb/hdl/test_covers.py` holds the table against the sources.
"""

COVERS = {
    "tb/attention/test_attention.py": (
        "attention_unit", "head_place", "key_cache", "key_lane", "key_side", "row_intake", "sequencer", "value_gate",
        "value_intake", "value_lane", "value_side",
    ),
    "tb/attention/test_divide.py": ("denominator", "leading_one", "serialise"),
    "tb/attention/test_numerator.py": ("weight",),
    "tb/attention/test_weighted_sum.py": ("lane_group",),
    "tb/axi/test_read_master.py": ("read_channel", "region"),
    "tb/board/test_board.py": ("link",),
    "tb/board/test_frames.py": ("frame_store", "seal", "spell", "stuff"),
    "tb/board/test_parts.py": ("beats", "crc32", "inquiry", "leds", "merge", "watch"),
    "tb/board/test_uart.py": ("bit_clock", "uart_rx", "uart_tx"),
    "tb/boot/test_loader.py": ("boot_register",),
    "tb/cache/test_attention_memory.py": ("head_reader", "memory_cache", "newest", "recent", "row_words"),
    "tb/control/test_read_gate.py": ("address_gate",),
    "tb/decode/test_decode_loop.py": ("wishes",),
    "tb/decoder/test_decoder.py": ("head",),
    "tb/embedding/test_bus_embedding.py": ("row_elements",),
    "tb/embedding/test_embedding.py": ("embedding_rows",),
    "tb/host/test_ip.py": (
        "image_reader", "interrupts", "llama2_ip", "load_control", "loaded_decoder", "register_file", "shape_store",
        "stored_register",
    ),
    "tb/layer/test_engine.py": ("tail",),
    "tb/matvec/test_activation_buffer.py": ("ring_part",),
    "tb/memory/test_banked_ram.py": ("private", "ram_bank"),
    "tb/norm/test_rmsnorm.py": ("gain_buffer",),
    "tb/quant/test_quantiser.py": ("bank",),
}  # fmt: skip
