#include "src/assignment.h"

#include <algorithm>

namespace syncline::kafka {

void Assignment::assign(std::span<const AssignedPartition> partitions) {
    const std::lock_guard lock(mutex_);
    places_.clear();
    for (const auto& partition : partitions) {
        places_[{partition.topic, partition.partition}] = {.next = partition.start, .committed = partition.committed};
    }
}

void Assignment::clear() {
    const std::lock_guard lock(mutex_);
    places_.clear();
}

void Assignment::start_at(const TopicPartition& partition, std::int64_t offset) {
    const std::lock_guard lock(mutex_);
    if (const auto place = places_.find(partition); place != places_.end()) {
        place->second.next = offset;
    }
}

void Assignment::consumed(const TopicPartition& partition, std::int64_t offset) {
    start_at(partition, offset + 1);
}

void Assignment::committed(std::span<const Position> offsets) {
    const std::lock_guard lock(mutex_);
    for (const auto& position : offsets) {
        if (const auto place = places_.find({position.topic, position.partition}); place != places_.end()) {
            place->second.committed = position.offset;
        }
    }
}

std::vector<TopicPartition> Assignment::pause(std::span<const TopicPartition> partitions) {
    std::vector<TopicPartition> out;
    const std::lock_guard lock(mutex_);
    for (const auto& partition : partitions) {
        if (const auto place = places_.find(partition); place != places_.end() && !place->second.paused) {
            place->second.paused = true;
            out.push_back(partition);
        }
    }
    return out;
}

std::vector<TopicPartition> Assignment::resume(std::span<const TopicPartition> partitions) {
    std::vector<TopicPartition> out;
    const std::lock_guard lock(mutex_);
    for (const auto& partition : partitions) {
        if (const auto place = places_.find(partition); place != places_.end() && place->second.paused) {
            place->second.paused = false;
            out.push_back(partition);
        }
    }
    return out;
}

std::vector<TopicPartition> Assignment::paused() const {
    std::vector<TopicPartition> out;
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, place] : places_) {
        if (place.paused) {
            out.push_back(partition);
        }
    }
    return out;
}

bool Assignment::has(const TopicPartition& partition) const {
    const std::lock_guard lock(mutex_);
    return places_.contains(partition);
}

std::vector<Position> Assignment::next() const {
    std::vector<Position> out;
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, place] : places_) {
        out.push_back({partition.topic, partition.partition, place.next});
    }
    return out;
}

std::optional<std::int64_t> Assignment::lag(const TopicPartition& partition, std::int64_t end) const {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(partition);
    if (place == places_.end() || !place->second.committed || end < 0) {
        return std::nullopt;
    }
    return std::max<std::int64_t>(end - *place->second.committed, 0);
}

int Assignment::size() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(places_.size());
}

int Assignment::paused_count() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count_if(places_, [](const auto& entry) { return entry.second.paused; }));
}

}  // namespace syncline::kafka
