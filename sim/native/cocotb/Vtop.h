// What cocotb's own main program takes for the compiled block: it forwards to whichever block is linked.
#pragma once

#include <memory>

#include "model.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

class Vtop {
    std::unique_ptr<Model> model;

public:
    explicit Vtop(const char* name) : model{model_new(Verilated::threadContextp(), name)} {}
    void eval_step() { model->eval_step(); }
    void eval_end_step() { model->eval_end_step(); }
    void final() { model->final(); }
    bool eventsPending() { return model->eventsPending(); }
    uint64_t nextTimeSlot() { return model->nextTimeSlot(); }
#if VM_TRACE
    void trace(VerilatedFstC* file, int levels) { model->trace(file, levels); }
#endif
};
