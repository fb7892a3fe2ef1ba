// For a program: what a block prints goes to standard output.
#include <cstdarg>
#include <cstdio>

extern "C" int model_printf(const char* format, ...) {
    va_list values;
    va_start(values, format);
    const int written = vprintf(format, values);
    va_end(values);
    return written;
}
