// A memory behind AXI4's write channels of a block, and the rules that the block has to keep: what sim/axi_writes.py and
// sim/axi.py are under cocotb. What is written is read in the ReadMemory that it stands beside.
#pragma once

#include "read_memory.h"

struct WriteMemory {
    // in this order the host names them
    enum Port {
        AWID, AWADDR, AWLEN, AWSIZE, AWBURST, AWCACHE, AWPROT, AWVALID, AWREADY,
        WDATA, WSTRB, WLAST, WVALID, WREADY, BID, BRESP, BVALID, BREADY, PORTS
    };

    // latency: cycles from a burst's last beat to its answer; stalls: chances in 2^32.
    struct Behaviour {
        uint64_t least_latency = 1, most_latency = 1, aw_stalls = 0, w_stalls = 0, b_stalls = 0;
    };

    struct Burst {
        uint64_t address, beats, due;
        std::vector<std::vector<uint8_t>> words, strobes;
    };

    std::vector<const Pin*> pins;
    ReadMemory& contents;
    Behaviour behaviour;
    Random random;
    std::map<uint64_t, unsigned> faults;  // response by the number of the burst
    // answers taken and offered, bursts begun, most under way, beats taken
    enum Count { ANSWERED, OFFERED, BEGUN, MOST, WRITTEN, COUNTS };
    uint64_t counts[COUNTS] = {};
    std::string broken;  // the first rule that was not kept

    WriteMemory(std::vector<const Pin*> pins, ReadMemory& contents, uint64_t seed)
        : pins{std::move(pins)}, contents{contents}, random{seed} {
        forget();
    }

    // Just before a rising edge; what it transfers.
    void sample(uint64_t cycle, bool in_reset) {
        if (in_reset) {
            if (++reset_cycles > 2 && (at(AWVALID).high() || at(WVALID).high())) wrong("valid is not low in reset");
            forget();
            return;
        }
        reset_cycles = 0;
        if (valid && at(BREADY).high()) {
            valid = false;
            ++counts[ANSWERED];
            --under_way;
        }
        look(AWID, AWPROT, at(AWVALID).high(), aw_ready, held_address);
        look(WDATA, WLAST, at(WVALID).high(), w_ready, held_data);
        if (at(AWVALID).high()) address();
        if (at(WVALID).high() && w_ready) data(cycle);
    }

    // Behind the edge; `cycle` is the number of the next one.
    void drive(uint64_t cycle, bool in_reset) {
        if (in_reset) return;
        aw_ready = !random.chance(behaviour.aw_stalls);
        w_ready = !random.chance(behaviour.w_stalls);
        at(AWREADY).drive(aw_ready);
        at(WREADY).drive(w_ready);
        if (valid) return;
        valid = !written.empty() && written.front().due <= cycle && !random.chance(behaviour.b_stalls);
        at(BVALID).drive(valid);
        if (!valid) return;
        at(BID).data[0] = 0;
        at(BRESP).data[0] = static_cast<uint8_t>(respond(written.front()));
        written.pop_front();
        ++counts[OFFERED];
    }

private:
    std::deque<Burst> addressed, written;
    uint64_t under_way = 0;  // bursts without an answer
    unsigned reset_cycles = 0;
    bool aw_ready = false, w_ready = false, valid = false;
    std::vector<uint8_t> held_address, held_data;  // what was offered and not taken

    const Pin& at(int port) const { return *pins[port]; }

    std::vector<uint8_t> bytes(int port) const { return {at(port).data, at(port).data + at(port).bytes}; }

    void forget() {
        addressed.clear();
        written.clear();
        held_address.clear();
        held_data.clear();
        under_way = 0;
        aw_ready = w_ready = valid = false;
        for (int port : {AWREADY, WREADY, BVALID}) at(port).drive(false);
    }

    void wrong(const std::string& words) {
        if (broken.empty()) broken = "writes: " + words;
    }

    void look(int first, int last, bool offered, bool ready, std::vector<uint8_t>& held) {
        std::vector<uint8_t> now;
        for (int port = first; offered && port <= last; ++port) {
            const std::vector<uint8_t> field = bytes(port);
            now.insert(now.end(), field.begin(), field.end());
        }
        if (!held.empty() && held != now) wrong("what was offered and not taken has changed");
        held = ready ? std::vector<uint8_t>() : now;
    }

    void address() {
        const uint64_t first = at(AWADDR).number(), beats = at(AWLEN).number() + 1, size = contents.sizes.word_bytes;
        const uint64_t last = first + beats * size - 1;
        if (1ull << at(AWSIZE).number() != size) return wrong("AWSIZE is not that of a beat");
        if (at(AWBURST).number() != ReadMemory::INCR) return wrong("AWBURST is not INCR");
        if (first % size) return wrong("the address is no multiple of a beat's bytes");
        if (first / ReadMemory::PAGE != last / ReadMemory::PAGE) return wrong("it crosses 4096 bytes");
        if (beats > contents.sizes.burst) return wrong("it is longer than the master's bursts");
        if (at(AWID).number()) return wrong("its ID is not 0");
        if (!aw_ready) return;
        ++counts[BEGUN];
        counts[MOST] = std::max(counts[MOST], ++under_way);
        if (under_way > contents.sizes.outstanding) return wrong("too many bursts are under way");
        addressed.push_back({first, beats, 0, {}, {}});
    }

    void data(uint64_t cycle) {
        if (addressed.empty()) return wrong("a beat belongs to no burst");
        Burst& burst = addressed.front();
        ++counts[WRITTEN];
        burst.words.push_back(bytes(WDATA));
        burst.strobes.push_back(bytes(WSTRB));
        const bool last = burst.words.size() == burst.beats;
        if (at(WLAST).high() != last) return wrong("WLAST is not that of the burst's last beat");
        if (!last) return;
        const uint64_t span = behaviour.most_latency - behaviour.least_latency + 1;
        burst.due = cycle + behaviour.least_latency + (span > 1 ? random.draw() % span : 0);
        written.push_back(std::move(burst));
        addressed.pop_front();
    }

    unsigned respond(const Burst& burst) {
        const auto fault = faults.find(counts[OFFERED]);
        if (fault != faults.end()) return fault->second;
        const uint64_t size = contents.sizes.word_bytes;
        for (size_t k = 0; k < burst.words.size(); ++k) {
            uint8_t* to = contents.word(burst.address + k * size);
            if (!to) return ReadMemory::DECERR;
            for (uint64_t j = 0; j < size; ++j) {
                if (burst.strobes[k][j / 8] >> j % 8 & 1) to[j] = burst.words[k][j];
            }
        }
        return ReadMemory::OKAY;
    }
};
