// What the tests of this library wait with: a condition and a deadline, never a sleep.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kafka/consumer.h>
#include <syncline/kafka/producer.h>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace syncline::kafka::testing {

using namespace std::chrono_literals;

[[nodiscard]] inline core::Deadline soon(std::chrono::milliseconds left = 20s) {
    return {core::system_clock(), left};
}

// State that callbacks change and a test waits for.
template <typename T>
class Watched {
public:
    template <typename Change>
    void change(const Change& change) {
        const std::lock_guard lock(mutex_);
        change(value_);
        wake_.notify_all();
    }
    template <typename Condition>
    [[nodiscard]] bool wait(const Condition& condition, std::chrono::milliseconds limit = 30s) {
        std::unique_lock lock(mutex_);
        return wake_.wait_for(lock, limit, [&] { return condition(value_); });
    }
    [[nodiscard]] T get() {
        const std::lock_guard lock(mutex_);
        return value_;
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    T value_{};
};

// Waits for something that no callback tells of.
template <typename Condition>
[[nodiscard]] bool eventually(const Condition& condition, std::chrono::milliseconds limit = 30s) {
    std::mutex mutex;
    std::condition_variable wake;
    std::unique_lock lock(mutex);
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        wake.wait_for(lock, 5ms);
    }
    return true;
}

// What a consumer's callbacks have seen.
struct Seen {
    std::vector<Record> records;
    std::vector<AssignedPartition> assigned;
    std::vector<TopicPartition> revoked;
    std::vector<core::Error> errors;
    std::vector<std::pair<TopicPartition, core::Error>> lost;
    int assignments = 0;
    int revocations = 0;
    int idle = 0;

    [[nodiscard]] std::multiset<std::string> values() const {
        std::multiset<std::string> out;
        for (const auto& record : records) {
            out.insert(record.value.value_or("<tombstone>"));
        }
        return out;
    }
    // The next offset to commit of each partition.
    [[nodiscard]] std::vector<Position> next() const {
        std::map<TopicPartition, std::int64_t> last;
        for (const auto& record : records) {
            last[{record.topic, record.partition}] = record.offset + 1;
        }
        std::vector<Position> out;
        for (const auto& [partition, offset] : last) {
            out.push_back({partition.topic, partition.partition, offset});
        }
        return out;
    }
};

// Callbacks that write everything into `seen`.
[[nodiscard]] inline ConsumerCallbacks recording(Watched<Seen>& seen) {
    return {
        .on_assign =
            [&](std::vector<AssignedPartition>& partitions) {
                seen.change([&](Seen& s) {
                    s.assigned = partitions;
                    ++s.assignments;
                });
            },
        .on_revoke =
            [&](const std::vector<TopicPartition>& partitions, bool) {
                seen.change([&](Seen& s) {
                    s.revoked = partitions;
                    ++s.revocations;
                });
            },
        .on_records =
            [&](std::span<const RecordView> records) {
                seen.change([&](Seen& s) {
                    for (const auto& record : records) {
                        s.records.push_back(record.copy());
                    }
                });
            },
        .on_idle = [&] { seen.change([](Seen& s) { ++s.idle; }); },
        .on_offset_lost = [&](const TopicPartition& partition,
                              const core::Error& error) { seen.change([&](Seen& s) { s.lost.emplace_back(partition, error); }); },
        .on_error = [&](const core::Error& error) { seen.change([&](Seen& s) { s.errors.push_back(error); }); },
        .on_fatal = [&](const core::Error& error) { seen.change([&](Seen& s) { s.errors.push_back(error); }); },
        .on_commit_failed = [&](const core::Error& error) { seen.change([&](Seen& s) { s.errors.push_back(error); }); },
    };
}

}  // namespace syncline::kafka::testing
