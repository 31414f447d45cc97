// SYNCLINE_ASSERT(condition): states what only a bug of ours can break. Always on, also in Release; a failure prints the
// condition and its place on stderr and aborts. Never for input, network or configuration: those are core::Error.
#pragma once

#include <source_location>

namespace syncline::core {

[[noreturn]] void assertion_failed(const char* condition, std::source_location where) noexcept;

}  // namespace syncline::core

#define SYNCLINE_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::syncline::core::assertion_failed(#condition, std::source_location::current()))
