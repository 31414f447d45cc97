#include "src/batch/flow.h"

#include <syncline/telemetry/log.h>

namespace syncline::kit {

void BatchFlow::set(PauseReason reason, bool paused) {
    const std::lock_guard lock(mutex_);
    const bool changed = paused ? reasons_.insert(reason).second : reasons_.erase(reason) > 0;
    if (!changed) {
        return;
    }
    if (reason != PauseReason::in_flight) {
        telemetry::log::info(paused ? "consumer_paused" : "consumer_resumed", {{"reason", to_string(reason)}});
    }
    follow();
}

void BatchFlow::set_full(const TopicPartition& partition, bool full) {
    const std::lock_guard lock(mutex_);
    if (full ? partitions_.contains(partition) && full_.insert(partition).second : full_.erase(partition) > 0) {
        follow();
    }
}

void BatchFlow::assigned(const std::vector<TopicPartition>& partitions) {
    const std::lock_guard lock(mutex_);
    partitions_.insert(partitions.begin(), partitions.end());
    follow();
}

void BatchFlow::revoked(const std::vector<TopicPartition>& partitions) {
    const std::lock_guard lock(mutex_);
    for (const auto& partition : partitions) {
        partitions_.erase(partition);
        full_.erase(partition);
        paused_.erase(partition);
    }
}

std::size_t BatchFlow::paused() const {
    const std::lock_guard lock(mutex_);
    return paused_.size();
}

void BatchFlow::follow() {
    std::vector<TopicPartition> stop;
    std::vector<TopicPartition> go;
    for (const auto& partition : partitions_) {
        const bool wanted = !reasons_.empty() || full_.contains(partition);
        if (wanted && paused_.insert(partition).second) {
            stop.push_back(partition);
        } else if (!wanted && paused_.erase(partition) > 0) {
            go.push_back(partition);
        }
    }
    if (!stop.empty()) {
        source_.pause(stop);
    }
    if (!go.empty()) {
        source_.resume(go);
    }
}

}  // namespace syncline::kit
