// Texts into tapes.
#pragma once

#include <cstdint>

#include "syncline/core/error.h"
#include "syncline/json/document.h"

namespace syncline::json {

// More nodes than bytes cannot be, so texts below this fit Node::end.
inline constexpr std::size_t kBytesLimit = (std::size_t{1} << 29U) - 2;

// The reader recurses; this many arrays and objects within each other fit every thread's stack.
inline constexpr int kDepthLimit = 500;

// Fills the tape from tape.body.
[[nodiscard]] core::Result<void> parse(Tape& tape, const Limits& limits);

}  // namespace syncline::json
