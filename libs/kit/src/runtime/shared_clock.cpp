#include "src/runtime/shared_clock.h"

#include <algorithm>

namespace syncline::kit {
namespace {

// PostgreSQL's times are whole microseconds.
constexpr std::chrono::microseconds kPrecision{1};

}  // namespace

core::Result<void> SharedClock::follow(postgres::Pool& pool, const core::Deadline& deadline) {
    const auto asked = machine_.now();
    const auto rows = pool.exec(deadline, "SELECT clock_timestamp()");
    const auto answered = machine_.now();
    if (!rows) {
        return std::unexpected(rows.error());
    }
    if (answered < asked) {
        return {};  // The machine's clock was set back in between: the next answer counts.
    }
    // The database looked at its clock at some moment of the call; that is all that is known.
    const auto theirs = (*rows)[0].time(0);
    ahead_ns_ =
        std::clamp<std::chrono::nanoseconds>(ahead(), theirs - answered - kPrecision, theirs - asked + kPrecision).count();
    return {};
}

}  // namespace syncline::kit
