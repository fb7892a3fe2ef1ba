"""What passes a sequencer: beats of one stream port in a row."""

from pyuvm import uvm_sequence, uvm_sequence_item


class Burst(uvm_sequence_item):
    """Beats that are sent back to back. payloads: dicts with a value for every field of the port."""

    def __init__(self, name, payloads=()):
        super().__init__(name)
        self.payloads = list(payloads)


class Feed(uvm_sequence):
    """Sends bursts (lists of payloads) in order; ends when the last one is being sent."""

    def __init__(self, name="feed", bursts=()):
        super().__init__(name)
        self.bursts = list(bursts)

    async def body(self):
        for number, payloads in enumerate(self.bursts):
            burst = Burst.create(f"{self.get_name()}_{number}")
            burst.payloads = list(payloads)
            await self.start_item(burst)
            await self.finish_item(burst)
