// One compiled block behind one class, whatever its ports are: what uses it is compiled once and serves every build.
#pragma once

#include <cstdint>

#include "verilated.h"

#if VM_TRACE
class VerilatedFstC;
#endif

struct Model {
    virtual ~Model() = default;
    virtual void eval_step() = 0;
    virtual void eval_end_step() = 0;
    virtual void final() = 0;
    virtual bool eventsPending() = 0;
    virtual uint64_t nextTimeSlot() = 0;
    virtual bool counts(const char* file) = 0;  // writes them; false when the block counts nothing
#if VM_TRACE
    virtual void trace(VerilatedFstC* file, int levels) = 0;
#endif
};

// Defined by glue.cpp, which is compiled with every build.
Model* model_new(VerilatedContext* context, const char* name);
