// The records a producer has accepted and not yet answered, in the order of acceptance. Each is answered exactly once.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kafka/producer.h>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace syncline::kafka {

class PendingRecords {
public:
    struct Entry {
        Producer::Done done;
        std::int64_t bytes = 0;
        std::uint64_t number = 0;
        std::list<Entry>::iterator self;
    };

    // The entry's address is the record's opaque pointer; it stays valid until the entry is answered or dropped.
    [[nodiscard]] Entry& add(Producer::Done done, std::int64_t bytes);
    // The record was not accepted after all: its callback does not run.
    void drop(Entry& entry);
    // Runs the callback.
    void answer(Entry& entry, core::Result<Position> result);
    // Runs all callbacks with an error; how many there were. Only when nobody else can answer any more.
    std::size_t fail_all(const std::function<core::Error()>& error);

    // Waits until everything added so far has been answered, callbacks included. False at the deadline.
    [[nodiscard]] bool wait_until_answered(const core::Deadline& deadline);
    [[nodiscard]] std::int64_t records() const;
    [[nodiscard]] std::int64_t bytes() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable answered_;
    std::list<Entry> waiting_;
    std::list<Entry> answering_;  // Their callback runs, or is about to.
    std::uint64_t added_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace syncline::kafka
