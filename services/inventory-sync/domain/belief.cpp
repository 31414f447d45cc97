#include "domain/belief.h"

#include <algorithm>

namespace inventory_sync {
namespace {

// Units that fell, rose again and are known to have been given back were never reserved.
void settle(Belief& belief) {
    const auto over = std::min({belief.pending, belief.risen, belief.returned});
    belief.pending -= over;
    belief.risen -= over;
    belief.returned -= over;
}

}  // namespace

std::optional<std::int64_t> Belief::expected() const {
    return believed ? std::optional(*believed - net) : std::nullopt;
}

Belief heard(Belief before, std::int64_t change) {
    if (change < 0) {
        before.net += change;
        return before;
    }
    const auto explained = std::min(before.pending, change);
    before.pending -= explained;
    before.taken += change - explained;
    before.net += change - explained;
    return before;
}

Belief looked(const Belief& before, std::int64_t found, std::int64_t unaccounted) {
    Belief after{.believed = found, .pending = before.pending, .perhaps = {}, .risen = before.risen, .returned = before.returned};
    const bool was_taken = before.perhaps && (found == *before.perhaps || found == *before.perhaps - before.net);
    if (!was_taken && before.believed) {
        const auto fallen = *before.believed - found;
        after.pending += std::max<std::int64_t>(0, fallen - before.taken);
        // What was given back since may have raised it too: only what goes beyond that rose without a cause.
        const auto risen = -fallen - (before.taken - before.net);
        after.risen = std::min(after.pending, after.risen + std::max<std::int64_t>(0, risen));
    } else if (!was_taken) {
        after.pending = std::max(after.pending, std::max<std::int64_t>(0, unaccounted));
    }
    settle(after);
    if (after.pending == 0) {
        after.risen = 0;
        after.returned = 0;
    }
    return after;
}

Belief came_and_went(Belief before, std::int64_t units) {
    before.returned += units;
    settle(before);
    return before;
}

Belief wrote(const Belief& before, std::int64_t written, std::int64_t taken, std::int64_t net) {
    return {.believed = written,
            .taken = before.taken - taken,
            .net = before.net - net,
            .pending = before.pending,
            .perhaps = {},
            .risen = before.risen,
            .returned = before.returned};
}

bool is_own(const Belief& belief, std::span<const std::int64_t> recently_written, std::int64_t available) {
    return belief.expected() == available || belief.believed == available ||
           std::ranges::find(recently_written, available) != recently_written.end();
}

}  // namespace inventory_sync
