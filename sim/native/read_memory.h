// A memory behind AXI4's read channels of a block, and the rules that the block has to keep: what sim/axi_memory.py and
// sim/axi.py are under cocotb, where all that is said here in short is written out.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pin.h"

struct Random {  // xorshift
    uint64_t state;

    explicit Random(uint64_t seed) : state{seed * 0x9E3779B97F4A7C15 + 1} {}

    uint64_t draw() {
        state ^= state << 13;
        state ^= state >> 7;
        return state ^= state << 17;
    }

    bool chance(uint64_t of) { return of && (draw() >> 32) < of; }  // in 2^32
};

struct ReadMemory {
    enum { OKAY, SLVERR = 2, DECERR = 3, INCR = 1, PAGE = 4096 };
    // in this order the host names them
    enum Port {
        ARID, ARADDR, ARLEN, ARSIZE, ARBURST, ARCACHE, ARPROT, ARVALID, ARREADY,
        RID, RDATA, RRESP, RLAST, RVALID, RREADY, PORTS
    };

    struct Sizes {
        uint64_t word_bytes, burst, outstanding, regions;
    };

    // latency: cycles from a burst's address to its first beat; stalls: chances in 2^32 that a channel stands still in a
    // cycle; refresh: no beat goes out in the last `length` cycles of each `period`, 0 for none.
    struct Behaviour {
        uint64_t least_latency = 1, most_latency = 1, ar_stalls = 0, r_stalls = 0, period = 0, length = 0, interleaved = 0;
    };

    struct Burst {
        uint64_t address, beats, due;  // of its next beat; beats to come; cycle of the first one at the earliest
    };

    std::vector<const Pin*> pins;
    Sizes sizes;
    Behaviour behaviour;
    Random random;
    std::vector<std::pair<uint64_t, std::vector<uint8_t>>> parts;  // address and bytes, whole words
    std::map<uint64_t, unsigned> faults;                           // response by the number of the beat
    // beats taken and offered, bursts left for another's beat, cycles of refresh, bursts asked for, most under way
    enum Count { SENT, MADE, MIXED, REFRESHED, BURSTS, MOST, COUNTS };
    uint64_t counts[COUNTS] = {};
    std::string broken;  // the first rule that was not kept

    ReadMemory(std::vector<const Pin*> pins, Sizes sizes, uint64_t seed)
        : pins{std::move(pins)}, sizes{sizes}, random{seed}, waiting(sizes.regions) {
        forget();
    }

    // Just before a rising edge; what it transfers.
    void sample(uint64_t cycle, bool in_reset) {
        if (in_reset) {
            if (++reset_cycles > 2 && at(ARVALID).high()) broken = "AR: valid is not low in reset";
            forget();
            return;
        }
        reset_cycles = 0;
        if (valid && at(RREADY).high()) {
            valid = false;
            ++counts[SENT];
            under_way -= at(RLAST).high();
        }
        look(cycle);
    }

    // Behind the edge; `cycle` is the number of the next one.
    void drive(uint64_t cycle, bool in_reset) {
        if (in_reset) return;
        ready = !random.chance(behaviour.ar_stalls);
        at(ARREADY).drive(ready);
        const bool refreshes = behaviour.period && cycle % behaviour.period >= behaviour.period - behaviour.length;
        counts[REFRESHED] += refreshes;
        if (valid) return;
        const int number = refreshes || random.chance(behaviour.r_stalls) ? NONE : choose(cycle);
        valid = number != NONE;
        at(RVALID).drive(valid);
        if (valid) {
            beat(number);
        } else {
            noise();
        }
    }

    // What lies there; nullptr if nothing does.
    uint8_t* word(uint64_t address) {
        for (auto& [start, bytes] : parts) {
            if (address >= start && address - start < bytes.size()) return bytes.data() + (address - start);
        }
        return nullptr;
    }

private:
    static constexpr int NONE = -1;

    std::vector<std::deque<Burst>> waiting;
    uint64_t under_way = 0;  // bursts whose last beat was not taken
    unsigned reset_cycles = 0;
    int turn = NONE;  // whose burst is being answered
    bool ready = false, valid = false;
    bool held = false;  // an address was offered and not taken: these fields
    std::vector<uint64_t> fields = std::vector<uint64_t>(ARPROT + 1);

    const Pin& at(int port) const { return *pins[port]; }

    void forget() {
        for (auto& bursts : waiting) bursts.clear();
        under_way = 0;
        turn = NONE;
        ready = valid = held = false;
        at(ARREADY).drive(false);
        at(RVALID).drive(false);
    }

    void look(uint64_t cycle) {
        const bool offered = at(ARVALID).high();
        bool same = true;
        for (int port = ARID; offered && port <= ARPROT; ++port) {
            const uint64_t now = at(port).number();
            same = same && fields[port] == now;
            fields[port] = now;
        }
        if (held && !(offered && same)) return wrong("what was offered and not taken has changed");
        held = offered && !ready;
        if (!offered) return;
        const uint64_t beats = fields[ARLEN] + 1, last = fields[ARADDR] + beats * sizes.word_bytes - 1;
        if (1ull << fields[ARSIZE] != sizes.word_bytes) return wrong("ARSIZE is not that of a beat");
        if (fields[ARBURST] != INCR) return wrong("ARBURST is not INCR");
        if (fields[ARADDR] % sizes.word_bytes) return wrong("the address is no multiple of a beat's bytes");
        if (fields[ARADDR] / PAGE != last / PAGE) return wrong("it crosses 4096 bytes");
        if (beats > sizes.burst) return wrong("it is longer than the master's bursts");
        if (fields[ARID] >= sizes.regions) return wrong("there is no region of this ID");
        if (!ready) return;
        ++counts[BURSTS];
        counts[MOST] = std::max(counts[MOST], ++under_way);
        if (under_way > sizes.outstanding) return wrong("too many bursts are under way");
        const uint64_t span = behaviour.most_latency - behaviour.least_latency + 1;
        const uint64_t latency = behaviour.least_latency + (span > 1 ? random.draw() % span : 0);
        waiting[fields[ARID]].push_back({fields[ARADDR], beats, cycle + latency});
    }

    void wrong(const char* words) {
        broken = "AR: burst of " + std::to_string(fields[ARLEN] + 1) + " beats, ID " + std::to_string(fields[ARID]) +
                 ", at address " + std::to_string(fields[ARADDR]) + ": " + words;
    }

    int choose(uint64_t cycle) {
        if (turn != NONE && !behaviour.interleaved) return turn;
        int found = NONE;
        uint64_t count = 0;  // each of those that are due is as likely as the others
        for (size_t k = 0; k < waiting.size(); ++k) {
            if (waiting[k].empty() || waiting[k].front().due > cycle) continue;
            if (++count == 1 || random.draw() % count == 0) found = static_cast<int>(k);
        }
        return found;
    }

    void noise() {
        for (unsigned k = 0; k < at(RDATA).bytes; k += 8) {
            const uint64_t value = random.draw();
            std::memcpy(at(RDATA).data + k, &value, 8);
        }
    }

    void beat(int number) {
        Burst& burst = waiting[number].front();
        const uint8_t* data = word(burst.address);
        const auto fault = faults.find(counts[MADE]);
        const unsigned response = fault != faults.end() ? fault->second : data ? OKAY : DECERR;
        if (response == OKAY && data) {
            std::memcpy(at(RDATA).data, data, at(RDATA).bytes);
        } else {
            noise();
        }
        burst.address += sizes.word_bytes;
        const bool last = --burst.beats == 0;
        counts[MIXED] += turn != NONE && turn != number;
        turn = last ? NONE : number;
        at(RID).data[0] = static_cast<uint8_t>(number);
        at(RRESP).data[0] = static_cast<uint8_t>(response);
        at(RLAST).drive(last);
        if (last) waiting[number].pop_front();
        ++counts[MADE];
    }
};
