// Included before everything else: what a simulated block prints goes through here.
#pragma once

#ifdef __cplusplus
extern "C" int model_printf(const char* format, ...);
#endif
