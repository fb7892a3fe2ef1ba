// A signal that the host's side of a block reads or drives.
#pragma once

#include <cstdint>
#include <cstring>

struct Pin {
    uint8_t* data;
    unsigned bits, bytes;  // bytes: of the value, not of its storage

    bool high() const { return data[0] & 1; }
    void drive(bool level) const { data[0] = level; }
    unsigned words() const { return (bits + 63) / 64; }

    // Of up to 64 bits.
    uint64_t number() const {
        uint64_t value = 0;
        std::memcpy(&value, data, bytes);
        return value;
    }
};
