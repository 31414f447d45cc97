#include "src/processing/flow.h"

#include <syncline/telemetry/log.h>

namespace syncline::kit {

std::string_view to_string(PauseReason reason) noexcept {
    switch (reason) {
        case PauseReason::in_flight:
            return "in_flight";
        case PauseReason::circuit:
            return "circuit_open";
        case PauseReason::postgres:
            return "postgres_unavailable";
        case PauseReason::operator_pause:
            return "paused_by_operator";
    }
    return "";
}

void Flow::set(PauseReason reason, bool paused) {
    const std::lock_guard lock(mutex_);
    const bool before = !reasons_.empty();
    const bool changed = paused ? reasons_.insert(reason).second : reasons_.erase(reason) > 0;
    if (!changed) {
        return;
    }
    // The bound on what is in flight comes and goes by the second under load: that is its work, not news.
    if (reason != PauseReason::in_flight) {
        telemetry::log::info(paused ? "consumer_paused" : "consumer_resumed", {{"reason", to_string(reason)}});
    }
    if (before == !reasons_.empty() || partitions_.empty()) {
        return;
    }
    const std::vector<TopicPartition> all(partitions_.begin(), partitions_.end());
    if (reasons_.empty()) {
        source_.resume(all);
    } else {
        source_.pause(all);
    }
}

void Flow::assigned(const std::vector<TopicPartition>& partitions) {
    const std::lock_guard lock(mutex_);
    partitions_.insert(partitions.begin(), partitions.end());
    if (!reasons_.empty()) {
        source_.pause(partitions);
    }
}

void Flow::revoked(const std::vector<TopicPartition>& partitions) {
    const std::lock_guard lock(mutex_);
    for (const auto& partition : partitions) {
        partitions_.erase(partition);
    }
}

bool Flow::paused() const {
    const std::lock_guard lock(mutex_);
    return !reasons_.empty();
}

bool Flow::paused(PauseReason reason) const {
    const std::lock_guard lock(mutex_);
    return reasons_.contains(reason);
}

}  // namespace syncline::kit
