// Precompiled: what every file that Verilator writes includes.
#pragma once

#include "message.h"

#include "verilated.h"
#include "verilated_dpi.h"
#include "verilated_syms.h"
#include "verilated_vpi.h"
