#include "domain/belief.h"

#include <algorithm>

namespace inventory_sync {

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
    Belief after{.believed = found, .pending = before.pending, .perhaps = {}};
    const bool was_taken = before.perhaps && (found == *before.perhaps || found == *before.perhaps - before.net);
    if (was_taken) {
        return after;
    }
    if (before.believed) {
        const auto fallen = *before.believed - found;
        after.pending += std::max<std::int64_t>(0, fallen - before.taken);
    } else {
        after.pending = std::max(after.pending, std::max<std::int64_t>(0, unaccounted));
    }
    return after;
}

Belief wrote(const Belief& before, std::int64_t written, std::int64_t taken, std::int64_t net) {
    return {
        .believed = written, .taken = before.taken - taken, .net = before.net - net, .pending = before.pending, .perhaps = {}};
}

bool is_own(const Belief& belief, std::span<const std::int64_t> recently_written, std::int64_t available) {
    return belief.expected() == available || belief.believed == available ||
           std::ranges::find(recently_written, available) != recently_written.end();
}

}  // namespace inventory_sync
