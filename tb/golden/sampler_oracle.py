"""The sampler's definition once more, item by item in plain integers: Threefry, the running sums, the reservoir."""

from math import log

from llama2_myhdl.golden.fixed.functions import exp2_neg

WORD = 0xFFFFFFFF


def words(seed: int, stream: int, item: int, position: int) -> tuple[int, int]:
    """Threefry-2x32-20 of key (seed, stream) and counter (item, position)."""
    key = seed, stream, seed ^ stream ^ 0x1BD11BDA
    x0, x1 = item + key[0] & WORD, position + key[1] & WORD
    for number in range(20):
        turn = (13, 15, 26, 6, 17, 29, 16, 24)[number % 8]
        x0 = x0 + x1 & WORD
        x1 = (x1 << turn | x1 >> 32 - turn) & WORD ^ x0
        if number % 4 == 3:
            k = number // 4 + 1
            x0, x1 = x0 + key[k % 3] & WORD, x1 + key[(k + 1) % 3] + k & WORD
    return x0, x1


def mantissa_of(cost: int) -> int:
    return int(exp2_neg((cost & 0xFFFF) << 4))


class Reservoir:
    """Takes items one after the other; block: the reference, None before the first item."""

    def __init__(self, registers, position: int, block: int | None = None):
        self.registers, self.position, self.block = registers, position, block
        self.total, self.share, self.token = 0, 0, None

    def offer(self, cost: int, token: int, item: int) -> None:
        level, mantissa = cost >> 16, mantissa_of(cost)
        if self.block is None:
            self.block = level >> 4
        if level >> 4 < self.block:
            fall = 16 * (self.block - (level >> 4))
            self.total, self.share, self.block = self.total >> fall, self.share >> fall, level >> 4
        n = level - 16 * self.block
        self.total += mantissa << 28 >> n
        self.share += mantissa * self.registers.p << 12 >> n
        assert 1 << 28 <= self.total < 1 << 62
        x0, x1 = words(self.registers.seed & WORD, self.registers.seed >> 32, item, self.position)
        z, rm = 32 - x0.bit_length(), 65536 | x1 >> 16
        length = self.total.bit_length()
        s = 63 - n - length + z
        if s >= 20 or (s in (18, 19) and rm * (self.total >> length - 18) < mantissa << s):
            self.token = token


def logarithm(cost: int, total: int, block: int) -> int:
    """Log-probability of an item of that cost."""
    length = total.bit_length()
    d, ln_total = total >> length - 25, (length - 44) * 726817
    for k in range(1, 21):
        if d + (d >> k) < 1 << 25:
            d, ln_total = d + (d >> k), ln_total - round(log(1 + 2**-k) * 2**20)
    return min(max(-(((cost - (block << 20)) * 726817 >> 16) + ln_total), -(2**31)), 0)


def drawn(logits, registers, position: int, entries: int = 64, target: int | None = None) -> tuple[int, int, bool]:
    """Token, log-probability and overflow: what `sample` says."""
    cost = [-int(x) * (65536 + registers.scale) >> registers.shift for x in logits]
    first = Reservoir(registers, position)
    for token, u in enumerate(cost):
        first.offer(u, token, token)
    token, overflow = first.token, False
    if registers.greedy:
        token = max(range(len(cost)), key=lambda i: (logits[i], -i))
    elif registers.k or registers.p < 65536 or registers.floor < 2**21 - 1:
        listed = sorted(range(len(cost)), key=lambda i: (cost[i], i))[:entries]
        count = min(registers.k or entries, len(listed))
        walk, states = Reservoir(registers, position, first.block), []
        for j, i in enumerate(listed[:count]):
            walk.offer(cost[i], i, len(cost) + j)
            states.append((walk.token, walk.total))
        target_sum = walk.share if registers.k else first.share
        nucleus = count
        if registers.p < 65536:
            nucleus = next((j + 1 for j, (_, total) in enumerate(states) if total >= target_sum), count)
        near = [j for j in range(count) if cost[listed[j]] - cost[listed[0]] <= registers.floor]
        above = count if registers.floor == 2**21 - 1 else len(near)
        beyond = registers.p == 65536 or states[-1][1] < target_sum
        overflow = registers.k == 0 and len(cost) > entries and beyond and above == count
        token = states[min(nucleus, above) - 1][0]
    asked = token if target is None else target
    return token, logarithm(cost[asked], first.total, first.block), overflow
