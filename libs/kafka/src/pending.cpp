#include "src/pending.h"

#include <iterator>

namespace syncline::kafka {

PendingRecords::Entry& PendingRecords::add(Producer::Done done, std::int64_t bytes) {
    std::list<Entry> fresh;
    fresh.push_back({std::move(done), bytes, 0, {}});
    const std::lock_guard lock(mutex_);
    waiting_.splice(waiting_.end(), fresh);
    auto& entry = waiting_.back();
    entry.self = std::prev(waiting_.end());
    entry.number = ++added_;
    bytes_ += bytes;
    return entry;
}

void PendingRecords::drop(Entry& entry) {
    const std::lock_guard lock(mutex_);
    bytes_ -= entry.bytes;
    waiting_.erase(entry.self);
    answered_.notify_all();
}

void PendingRecords::answer(Entry& entry, core::Result<Position> result) {
    {
        const std::lock_guard lock(mutex_);
        bytes_ -= entry.bytes;
        answering_.splice(answering_.end(), waiting_, entry.self);
    }
    entry.done(std::move(result));
    const std::lock_guard lock(mutex_);
    answering_.erase(entry.self);
    answered_.notify_all();
}

std::size_t PendingRecords::fail_all(const std::function<core::Error()>& error) {
    std::size_t count = 0;
    while (true) {
        Entry* first = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) {
                return count;
            }
            first = &waiting_.front();
        }
        answer(*first, std::unexpected(error()));
        ++count;
    }
}

bool PendingRecords::wait_until_answered(const core::Deadline& deadline) {
    std::unique_lock lock(mutex_);
    const auto last = added_;
    const auto past = [&](const std::list<Entry>& entries) {
        return entries.empty() || entries.front().number > last;
    };
    return answered_.wait_until(lock, std::chrono::steady_clock::now() + deadline.left(),
                                [&] { return past(waiting_) && past(answering_); });
}

std::int64_t PendingRecords::records() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(waiting_.size());
}

std::int64_t PendingRecords::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace syncline::kafka
