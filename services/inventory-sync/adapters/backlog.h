// Whether reports come in faster than it is worth computing what they mean: full batches follow each other. What comes later in a
// backlog often replaces what came before, and computing beside it would take the processor from reading it.
//
// Marks that guard are computed all the same. After kPatience the answer is no, however long the backlog is, until a second
// without full batches has passed: what is shown must not fall behind by more than that. Any thread; never blocks.
#pragma once

#include <syncline/core/clock.h>
#include <atomic>
#include <chrono>
#include <cstddef>

namespace inventory_sync {

class Backlog {
public:
    static constexpr std::chrono::seconds kPatience{30};

    explicit Backlog(syncline::core::Clock& clock) : clock_(clock) {}

    // A batch of so many records, of at most so many, was applied.
    void took(std::size_t records, std::size_t most) {
        if (records < most / 2) {
            return;
        }
        const auto now = clock_.steady().time_since_epoch().count();
        if (now - last_.exchange(now) > kOver.count()) {
            began_ = now;
        }
    }
    [[nodiscard]] bool gathering() const {
        const auto now = clock_.steady().time_since_epoch().count();
        return now - last_ < kOver.count() && now - began_ < std::chrono::nanoseconds(kPatience).count();
    }

private:
    static constexpr std::chrono::nanoseconds kOver{1'000'000'000};
    syncline::core::Clock& clock_;
    std::atomic<std::int64_t> last_{-kOver.count() * 2};
    std::atomic<std::int64_t> began_{0};
};

}  // namespace inventory_sync
