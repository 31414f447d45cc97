// Named points at which a test may kill or stop the process. Compiled out of Release builds.
//
//   SYNCLINE_FAULT_POINT("intent_written");
//
// The environment of the process chooses: SYNCLINE_FAULT="<point>:<nth>:kill|stop" and SYNCLINE_FAULT_MARKER=<file>. At the nth
// pass (counted from 1, over all threads) the point's name is appended to the marker file and synced to disk, then the process
// sends itself SIGKILL or SIGSTOP. A test whose marker file stayed empty has not reached its point and must fail. A malformed
// SYNCLINE_FAULT asserts at the first point: a chaos test that silently injects nothing would pass for the wrong reason.
#pragma once

#include <string_view>

namespace syncline::core {

// Called through the macro only. One relaxed load when no fault is asked for.
void pass_fault_point(std::string_view point) noexcept;

}  // namespace syncline::core

#ifdef NDEBUG
#define SYNCLINE_FAULT_POINT(point) static_cast<void>(0)
#else
#define SYNCLINE_FAULT_POINT(point) ::syncline::core::pass_fault_point(point)
#endif
