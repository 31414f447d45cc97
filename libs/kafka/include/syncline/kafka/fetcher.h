// Reads single records by their position, outside any consumer group.
//
// For re-reading what a key's newest snapshot was. Connects on first use. Any thread may call; calls are served one after
// another, each blocks until its deadline at most. Commits nothing and joins nothing.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kafka/client.h>
#include <syncline/kafka/record.h>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace syncline::kafka {

class Fetcher {
public:
    [[nodiscard]] static core::Result<std::unique_ptr<Fetcher>> create(ClientOptions options);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // Errors: offset_gone, offset_not_written, kafka_unknown_topic, kafka_unavailable (deadline).
    [[nodiscard]] core::Result<Record> read(const std::string& topic, std::int32_t partition, std::int64_t offset,
                                            const core::Deadline& deadline);

    // Many at once, one answer for each position in the same order; much cheaper than one by one when positions are near
    // each other or in different partitions.
    [[nodiscard]] std::vector<core::Result<Record>> read_many(std::span<const Position> positions,
                                                              const core::Deadline& deadline);

    // Up to `records_max` newest records of every partition of a topic, oldest first within each partition (doctor, synclinectl).
    [[nodiscard]] core::Result<std::vector<Record>> tail(const std::string& topic, int records_max,
                                                         const core::Deadline& deadline);

private:
    struct State;
    explicit Fetcher(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace syncline::kafka
