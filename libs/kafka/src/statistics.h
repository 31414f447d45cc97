// The few numbers we take from librdkafka's statistics JSON.
#pragma once

#include <syncline/kafka/record.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::kafka {

struct PartitionStatistics {
    TopicPartition partition;
    std::int64_t end_offset = -1;  // Last stable (or high) offset; negative: unknown.
    std::int64_t lag = -1;         // Against the committed offset; negative: unknown.
};

struct ClientStatistics {
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_message_bytes = 0;  // Payloads produced, before compression.
    std::uint64_t rebalances = 0;
    std::int64_t brokers_up = 0;
    std::int64_t round_trip_max_us = 0;
    std::vector<PartitionStatistics> partitions;
};

// What cannot be read is left at its default: statistics never fail a client.
[[nodiscard]] ClientStatistics parse_statistics(std::string_view json);

}  // namespace syncline::kafka
