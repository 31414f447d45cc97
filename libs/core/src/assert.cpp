#include "syncline/core/assert.h"

#include <cstdio>
#include <cstdlib>

namespace syncline::core {

void assertion_failed(const char* condition, std::source_location where) noexcept {
    std::fprintf(stderr, "assertion failed: %s at %s:%u in %s\n", condition, where.file_name(), where.line(),
                 where.function_name());
    std::abort();
}

}  // namespace syncline::core
