// A compiled block as a shared library: the clock, streams and recordings run here, the host looks in now and then.
//
// A cycle: the block settles with the clock low, everything is sampled as it stands just before the rising edge, the
// edge comes, and what the host's side drives changes behind it. `cycle` counts rising edges from 0. While the reset is
// high nothing passes and nothing is recorded.
//
// All values pass as little-endian bytes; a recorded field takes whole 64-bit words. Calls that can fail return a
// negative number.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "model.h"
#include "pin.h"
#include "read_memory.h"
#include "streams.h"
#include "toggles.h"
#include "verilated_syms.h"
#include "write_memory.h"

namespace {

std::string* printed = nullptr;  // where the running block's messages go
uint64_t half_cycles = 0;        // of the running block: $time

struct Simulator {
    VerilatedContext context;
    std::unique_ptr<Model> model;
    std::deque<Pin> pins;
    std::deque<Source> sources;
    std::deque<Recorder> recorders;
    std::deque<ReadMemory> memories;
    std::map<int, WriteMemory> writes;  // of those memories that are written too
    const Pin *clock = nullptr, *reset = nullptr;
    uint64_t cycle = 0;
    std::string messages;
    Toggles toggles;

    explicit Simulator(unsigned seed) {
        context.randReset(2);  // registers start with random values
        context.randSeed(static_cast<int>(seed));
        context.fatalOnError(false);
        enter();
        model.reset(model_new(&context, ""));
    }

    ~Simulator() {
        enter();
        model->final();
        model.reset();
        printed = nullptr;
    }

    void enter() {
        Verilated::threadContextp(&context);
        printed = &messages;
        half_cycles = 2 * cycle;
    }

    bool failed() const {
        for (const ReadMemory& memory : memories) {
            if (!memory.broken.empty()) return true;
        }
        for (const auto& [number, memory] : writes) {
            if (!memory.broken.empty()) return true;
        }
        return context.gotError() || context.gotFinish();
    }

    void eval() {
        model->eval_step();
        model->eval_end_step();
        ++half_cycles;
    }

    // 0: all cycles done; 1: a recorder that wakes has something; 2: a source has nothing left; negative: the block
    // has ended the simulation.
    int run(uint64_t cycles, const Source* drained) {
        enter();
        if (drained && drained->idle()) return 2;
        for (; cycles; --cycles) {
            clock->data[0] = 0;
            eval();
            if (toggles.counts) toggles.sample();
            bool wakes = false;
            const bool in_reset = reset->high();
            for (ReadMemory& memory : memories) memory.sample(cycle, in_reset);
            for (auto& [number, memory] : writes) memory.sample(cycle, in_reset);
            if (!in_reset) {
                for (Source& source : sources) source.sample();
                for (Recorder& recorder : recorders) {
                    const bool found = recorder.sample(cycle);
                    wakes = wakes || (recorder.wakes && found);
                }
            }
            clock->data[0] = 1;
            eval();
            ++cycle;
            for (Source& source : sources) source.drive(cycle);
            for (ReadMemory& memory : memories) memory.drive(cycle, in_reset);
            for (auto& [number, memory] : writes) memory.drive(cycle, in_reset);
            if (failed()) return -1;
            if (wakes) return 1;
            if (drained && drained->idle()) return 2;
        }
        return 0;
    }
};

const Pin* pin_at(Simulator* sim, int index) { return index < 0 ? nullptr : &sim->pins[index]; }

std::vector<const Pin*> pins_at(Simulator* sim, const int* indices, int count) {
    std::vector<const Pin*> found;
    for (int k = 0; k < count; ++k) found.push_back(pin_at(sim, indices[k]));
    return found;
}

}  // namespace

// $time counts whole nanoseconds, and live checks pass over time 0: a cycle is as long as under cocotb.
double sc_time_stamp() { return 5000.0 * static_cast<double>(half_cycles); }  // in picoseconds

extern "C" {

int model_printf(const char* format, ...) {
    char text[4096];
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (printed) {
        *printed += text;
    } else {
        fputs(text, stderr);
    }
    return length;
}

Simulator* sim_open(unsigned seed) { return new Simulator{seed}; }

void sim_close(Simulator* sim) { delete sim; }

// The pin `name` of an instance, for the host to use from now on; -1 when the build does not show it.
int sim_pin(Simulator* sim, const char* scope, const char* name) {
    const VerilatedScope* found = sim->context.scopeFind(scope);
    VerilatedVar* var = found ? found->varFind(name) : nullptr;
    if (!var) return -1;
    const unsigned bits = var->entBits();
    sim->pins.push_back({static_cast<uint8_t*>(var->datap()), bits, (bits + 7) / 8});
    return static_cast<int>(sim->pins.size()) - 1;
}

unsigned sim_bits(Simulator* sim, int pin) { return sim->pins[pin].bits; }

void sim_get(Simulator* sim, int pin, uint8_t* value) {
    std::memcpy(value, sim->pins[pin].data, sim->pins[pin].bytes);
}

void sim_set(Simulator* sim, int pin, const uint8_t* value) {
    std::memcpy(sim->pins[pin].data, value, sim->pins[pin].bytes);
}

void sim_clock(Simulator* sim, int clock, int reset) {
    sim->clock = pin_at(sim, clock);
    sim->reset = pin_at(sim, reset);
}

int sim_source(Simulator* sim, int valid, int ready, const int* fields, int count) {
    Source source{pin_at(sim, valid), pin_at(sim, ready), pins_at(sim, fields, count)};
    for (const Pin* field : source.fields) source.stride += field->bytes;
    sim->sources.push_back(std::move(source));
    return static_cast<int>(sim->sources.size()) - 1;
}

void sim_send(Simulator* sim, int source, const uint8_t* payloads, uint64_t count, uint64_t due) {
    Source& to = sim->sources[source];
    to.payloads.insert(to.payloads.end(), payloads, payloads + count * to.stride);
    to.due.insert(to.due.end(), count, due);
    to.drive(sim->cycle);
}

void sim_drop(Simulator* sim, int source) {
    sim->sources[source].forget();
    sim->sources[source].drive(sim->cycle);
}

int sim_idle(Simulator* sim, int source) { return sim->sources[source].idle(); }

// valid and ready: -1 to record every change of the fields.
int sim_recorder(Simulator* sim, int valid, int ready, const int* fields, int count, int wakes) {
    Recorder recorder{pin_at(sim, valid), pin_at(sim, ready), pins_at(sim, fields, count)};
    for (const Pin* field : recorder.fields) recorder.width += field->words();
    recorder.wakes = wakes != 0;
    sim->recorders.push_back(std::move(recorder));
    return static_cast<int>(sim->recorders.size()) - 1;
}

void sim_arm(Simulator* sim, int recorder, int on) {
    sim->recorders[recorder].armed = on != 0;
    sim->recorders[recorder].last.clear();
}

uint64_t sim_recorded(Simulator* sim, int recorder) { return sim->recorders[recorder].rows.size(); }

void sim_take(Simulator* sim, int recorder, uint64_t* words) {
    std::vector<uint64_t>& rows = sim->recorders[recorder].rows;
    std::memcpy(words, rows.data(), 8 * rows.size());
    rows.clear();
}

// pins: in the order of ReadMemory::Port; sizes: as ReadMemory::Sizes.
int sim_memory(Simulator* sim, const int* pins, const uint64_t* sizes, uint64_t seed) {
    const ReadMemory::Sizes given{sizes[0], sizes[1], sizes[2], sizes[3]};
    sim->memories.emplace_back(pins_at(sim, pins, ReadMemory::PORTS), given, seed);
    return static_cast<int>(sim->memories.size()) - 1;
}

// Nothing lies there any more.
void sim_memory_clear(Simulator* sim, int memory) { sim->memories[memory].parts.clear(); }

void sim_memory_put(Simulator* sim, int memory, uint64_t address, const uint8_t* bytes, uint64_t count) {
    ReadMemory& to = sim->memories[memory];
    std::vector<uint8_t> part(bytes, bytes + count);
    part.resize((count + to.sizes.word_bytes - 1) / to.sizes.word_bytes * to.sizes.word_bytes);
    to.parts.emplace_back(address, std::move(part));
}

// values: as ReadMemory::Behaviour.
void sim_memory_behave(Simulator* sim, int memory, const uint64_t* values) {
    sim->memories[memory].behaviour = {values[0], values[1], values[2], values[3], values[4], values[5], values[6]};
}

// Pairs of a beat's number and its response, in the place of those before.
void sim_memory_faults(Simulator* sim, int memory, const uint64_t* pairs, uint64_t count) {
    auto& faults = sim->memories[memory].faults;
    faults.clear();
    for (uint64_t k = 0; k < count; ++k) faults[pairs[2 * k]] = static_cast<unsigned>(pairs[2 * k + 1]);
}

// count: of ReadMemory::Count.
uint64_t sim_memory_count(Simulator* sim, int memory, int count) { return sim->memories[memory].counts[count]; }

// pins: in the order of WriteMemory::Port: that memory can be written too.
void sim_memory_writes(Simulator* sim, int memory, const int* pins, uint64_t seed) {
    sim->writes.try_emplace(memory, pins_at(sim, pins, WriteMemory::PORTS), sim->memories[memory], seed);
}

// values: as WriteMemory::Behaviour.
void sim_writes_behave(Simulator* sim, int memory, const uint64_t* values) {
    sim->writes.at(memory).behaviour = {values[0], values[1], values[2], values[3], values[4]};
}

// Pairs of a burst's number and its response, in the place of those before.
void sim_writes_faults(Simulator* sim, int memory, const uint64_t* pairs, uint64_t count) {
    auto& faults = sim->writes.at(memory).faults;
    faults.clear();
    for (uint64_t k = 0; k < count; ++k) faults[pairs[2 * k]] = static_cast<unsigned>(pairs[2 * k + 1]);
}

// count: of WriteMemory::Count.
uint64_t sim_writes_count(Simulator* sim, int memory, int count) { return sim->writes.at(memory).counts[count]; }

// What rule of the bus was not kept; empty when all were.
const char* sim_broken(Simulator* sim) {
    for (const ReadMemory& memory : sim->memories) {
        if (!memory.broken.empty()) return memory.broken.c_str();
    }
    for (const auto& [number, memory] : sim->writes) {
        if (!memory.broken.empty()) return memory.broken.c_str();
    }
    return "";
}

// Toggles are counted from the next cycle on, or not any more.
void sim_watch(Simulator* sim, int on) { sim->toggles.arm(sim->context, on != 0); }

const char* sim_watched(Simulator* sim) { return sim->toggles.names.c_str(); }

// Of every signal of `sim_watched` since the last call.
void sim_toggles(Simulator* sim, uint64_t* counts) { sim->toggles.take(counts); }

int sim_run(Simulator* sim, uint64_t cycles, int drained) {
    return sim->run(cycles, drained < 0 ? nullptr : &sim->sources[drained]);
}

// Write the coverage counts so far; 0 when the block has none.
int sim_counts(Simulator* sim, const char* file) { return sim->model->counts(file); }

uint64_t sim_cycle(Simulator* sim) { return sim->cycle; }

const char* sim_messages(Simulator* sim) { return sim->messages.c_str(); }

}  // extern "C"
