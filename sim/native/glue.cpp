// The only file that knows a build's own class: Vblock, as Verilator names it after --prefix.
#include "Vblock.h"
#include "model.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif
#ifdef COUNTS
#include "verilated_cov.h"
#endif

namespace {

struct Block final : Model {
    Vblock block;

    Block(VerilatedContext* context, const char* name) : block{context, name} {}
    void eval_step() override { block.eval_step(); }
    void eval_end_step() override { block.eval_end_step(); }
    void final() override { block.final(); }
    bool eventsPending() override { return block.eventsPending(); }
    uint64_t nextTimeSlot() override { return block.nextTimeSlot(); }
#ifdef COUNTS
    bool counts(const char* file) override {
        block.contextp()->coveragep()->write(file);
        return true;
    }
#else
    bool counts(const char*) override { return false; }
#endif
#if VM_TRACE
    void trace(VerilatedFstC* file, int levels) override { block.trace(file, levels); }
#endif
};

}  // namespace

Model* model_new(VerilatedContext* context, const char* name) { return new Block{context, name}; }
