// Which partitions of a batch group are paused: all of them for a common reason, single ones because their queue is full.
//
// Any thread. pause() and resume() of the source are called one at a time, in the order of the changes.
#pragma once

#include <syncline/kit/transport.h>
#include <mutex>
#include <set>
#include <vector>

#include "src/processing/flow.h"

namespace syncline::kit {

class BatchFlow {
public:
    explicit BatchFlow(RecordSource& source) : source_(source) {}

    void set(PauseReason reason, bool paused);
    void set_full(const TopicPartition& partition, bool full);
    void assigned(const std::vector<TopicPartition>& partitions);
    void revoked(const std::vector<TopicPartition>& partitions);
    [[nodiscard]] std::size_t paused() const;  // Partitions.

private:
    void follow();  // Under the mutex.

    RecordSource& source_;
    mutable std::mutex mutex_;
    std::set<PauseReason> reasons_;
    std::set<TopicPartition> partitions_;
    std::set<TopicPartition> full_;
    std::set<TopicPartition> paused_;
};

}  // namespace syncline::kit
