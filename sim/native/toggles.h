// Counts how often the bits of a block's signals change from one cycle to the next: of every signal that the build shows,
// ports on every level of the hierarchy, but for the words of larger memories.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "verilated.h"
#include "verilated_syms.h"

struct Toggles {
    static constexpr size_t MOST_BYTES = 1024;  // of one signal or list of signals: what has more is a memory

    struct Net {
        const uint8_t* data;
        size_t bytes, at;  // at: its place in `last`
        uint64_t count;
    };

    std::vector<Net> nets;
    std::vector<uint8_t> last;
    std::string names;  // a line each: module, instance, signal, bytes
    bool counts = false, follows = false;  // follows: `last` is of the cycle before

    void find(VerilatedContext& context) {
        for (const auto& [path, scope] : *context.scopeNameMap()) {
            if (scope->type() != VerilatedScope::SCOPE_MODULE || !scope->varsp()) continue;  // else a process's locals
            for (const auto& [name, var] : *scope->varsp()) {
                if (var.isParam() || var.totalSize() > MOST_BYTES) continue;
                const size_t bytes = var.totalSize(), at = last.size();
                nets.push_back({static_cast<const uint8_t*>(var.datap()), bytes, at, 0});
                last.resize(at + bytes);
                names += std::string{scope->defname()} + '\t' + path + '\t' + name + '\t' + std::to_string(bytes) + '\n';
            }
        }
    }

    void arm(VerilatedContext& context, bool on) {
        if (on && nets.empty()) find(context);
        counts = on;
        follows = false;
    }

    static uint64_t differing(const uint8_t* a, const uint8_t* b, size_t bytes) {
        uint64_t count = 0;
        for (; bytes >= 8; bytes -= 8, a += 8, b += 8) {
            uint64_t x, y;
            std::memcpy(&x, a, 8);
            std::memcpy(&y, b, 8);
            count += __builtin_popcountll(x ^ y);
        }
        for (; bytes; --bytes) count += __builtin_popcount(*a++ ^ *b++);
        return count;
    }

    void sample() {
        for (Net& net : nets) {
            uint8_t* before = last.data() + net.at;
            if (!std::memcmp(before, net.data, net.bytes)) continue;
            if (follows) net.count += differing(net.data, before, net.bytes);
            std::memcpy(before, net.data, net.bytes);
        }
        follows = true;
    }

    void take(uint64_t* to) {
        for (Net& net : nets) {
            *to++ = net.count;
            net.count = 0;
        }
    }
};
