// What a consumer knows of its partitions: where it reads next, what is committed, what is paused. Any thread.
#pragma once

#include <syncline/kafka/consumer.h>
#include <syncline/kafka/record.h>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace syncline::kafka {

class Assignment {
public:
    void assign(std::span<const AssignedPartition> partitions);
    void clear();
    // The start of a partition after the owner has had its say.
    void start_at(const TopicPartition& partition, std::int64_t offset);
    // A record was handed on: reading goes on behind it.
    void consumed(const TopicPartition& partition, std::int64_t offset);
    void committed(std::span<const Position> offsets);

    // Those of `partitions` that are assigned and not paused yet; they count as paused now.
    [[nodiscard]] std::vector<TopicPartition> pause(std::span<const TopicPartition> partitions);
    // Those of `partitions` that are paused; they count as running now. Resuming a running partition would fetch again from an
    // older position (LIBRARY-FAULTS §1, #4686).
    [[nodiscard]] std::vector<TopicPartition> resume(std::span<const TopicPartition> partitions);
    [[nodiscard]] std::vector<TopicPartition> paused() const;

    [[nodiscard]] bool has(const TopicPartition& partition) const;
    // Where each partition is read next.
    [[nodiscard]] std::vector<Position> next() const;
    // Records between the committed offset and `end`; nullopt if the one or the other is unknown.
    [[nodiscard]] std::optional<std::int64_t> lag(const TopicPartition& partition, std::int64_t end) const;
    [[nodiscard]] int size() const;
    [[nodiscard]] int paused_count() const;

private:
    struct Place {
        std::int64_t next = kBeginning;
        std::optional<std::int64_t> committed;
        bool paused = false;
    };
    mutable std::mutex mutex_;
    std::map<TopicPartition, Place> places_;
};

}  // namespace syncline::kafka
