// Why partitions are paused, and that they are: any reason pauses all of them, none lets them go on. Kafka is the buffer.
//
// Any thread. pause() and resume() of the source are called one at a time, in the order of the changes.
#pragma once

#include <syncline/kit/transport.h>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

namespace syncline::kit {

enum class PauseReason : std::uint8_t { in_flight, circuit, postgres, operator_pause };
[[nodiscard]] std::string_view to_string(PauseReason reason) noexcept;

class Flow {
public:
    explicit Flow(RecordSource& source) : source_(source) {}

    void set(PauseReason reason, bool paused);
    void assigned(const std::vector<TopicPartition>& partitions);
    void revoked(const std::vector<TopicPartition>& partitions);
    [[nodiscard]] bool paused() const;
    [[nodiscard]] bool paused(PauseReason reason) const;

private:
    RecordSource& source_;
    mutable std::mutex mutex_;
    std::set<PauseReason> reasons_;
    std::set<TopicPartition> partitions_;
};

}  // namespace syncline::kit
