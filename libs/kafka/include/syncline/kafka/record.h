// Records of Kafka as this library gives and takes them.
#pragma once

#include <syncline/core/clock.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::kafka {

struct TopicPartition {
    std::string topic;  // Full name, with prefix.
    std::int32_t partition = 0;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// A record's place; for commits the *next* offset to read.
struct Position {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

struct Header {
    std::string name;
    std::string value;
    friend bool operator==(const Header&, const Header&) = default;
};
using Headers = std::vector<Header>;

struct HeaderView {
    std::string_view name;
    std::string_view value;
};

// A record that owns its bytes. nullopt key: none; nullopt value: a tombstone.
struct Record {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    core::SystemTime timestamp{};
    std::optional<std::string> key;
    std::optional<std::string> value;
    Headers headers;

    // The last header of that name, as Kafka's own clients read it.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// A record that borrows from the poll batch: valid during the callback that got it, never longer.
struct RecordView {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    core::SystemTime timestamp{};
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::vector<HeaderView> headers;

    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
    // Key, value and headers together, as memory accounting sees them.
    [[nodiscard]] std::size_t bytes() const;
    [[nodiscard]] Record copy() const;
};

// What a producer is given.
struct OutgoingRecord {
    std::string topic;  // Full name, with prefix.
    std::optional<std::string> key;
    std::optional<std::string> value;  // nullopt: a tombstone.
    Headers headers;
};

}  // namespace syncline::kafka
