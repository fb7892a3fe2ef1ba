// What drives and what records a block's streams and signals.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "pin.h"

// Drives valid and payload of a stream from a queue; a payload is offered at its cycle at the earliest, and held.
struct Source {
    const Pin *valid, *ready;
    std::vector<const Pin*> fields;
    size_t stride = 0;  // bytes of a payload
    std::vector<uint8_t> payloads;
    std::vector<uint64_t> due;  // the cycle at which each payload may pass at the earliest
    size_t next = 0;
    bool offers = false, takes = false;

    bool idle() const { return next == due.size(); }

    void forget() {
        payloads.clear();
        due.clear();
        next = 0;
        offers = takes = false;
    }

    void sample() { takes = offers && ready->high(); }

    void drive(uint64_t cycle) {
        if (takes) {
            offers = takes = false;
            if (++next == due.size()) forget();
        }
        if (!offers && !idle() && due[next] <= cycle) {
            offers = true;
            const uint8_t* from = payloads.data() + next * stride;
            for (const Pin* field : fields) {
                std::memcpy(field->data, from, field->bytes);
                from += field->bytes;
            }
        }
        valid->data[0] = offers;
    }
};

// Records values: of every transfer of a stream, or, without `valid`, whenever one of them changes.
struct Recorder {
    const Pin *valid, *ready;
    std::vector<const Pin*> fields;
    std::vector<uint64_t> rows;  // the cycle, then the fields
    std::vector<uint64_t> last;
    bool armed = true, wakes = false;
    size_t width = 1;

    void values(uint64_t* to) const {
        for (const Pin* field : fields) {
            to[field->words() - 1] = 0;
            std::memcpy(to, field->data, field->bytes);
            to += field->words();
        }
    }

    // Whether there is something new.
    bool sample(uint64_t cycle) {
        if (!armed || (valid && !(valid->high() && ready->high()))) return false;
        const size_t at = rows.size();
        rows.resize(at + width);
        rows[at] = cycle;
        values(rows.data() + at + 1);
        if (valid) return true;
        if (last.size() == width - 1 && !std::memcmp(last.data(), rows.data() + at + 1, 8 * (width - 1))) {
            rows.resize(at);
            return false;
        }
        last.assign(rows.begin() + at + 1, rows.end());
        return true;
    }
};
