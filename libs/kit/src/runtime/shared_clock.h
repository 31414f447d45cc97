// The time that the instances of a service share: that of their database.
//
// Leases, due times and watermarks are written by one instance and judged by another. So what `now()` says follows PostgreSQL's
// clock: follow() asks for it and moves the difference to the machine's clock just so far that the answer is no contradiction.
// A machine whose clock is right enough is never moved: the difference stays exactly zero. Without a database, and until the
// first answer, it is the machine's clock. steady() and waiting are the machine's always.
//
// Owned by the service, from before `wire` to its end. Any thread; follow() from one at a time, it blocks for one statement.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <atomic>
#include <chrono>

namespace syncline::kit {

class SharedClock final : public core::Clock {
public:
    explicit SharedClock(core::Clock& machine) : machine_(machine) {}

    [[nodiscard]] core::SystemTime now() const override { return machine_.now() + ahead(); }
    [[nodiscard]] core::SteadyTime steady() const override { return machine_.steady(); }
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, core::SteadyTime until,
                    const std::function<bool()>& ready) override {
        return machine_.wait_until(lock, wake, until, ready);
    }

    // Errors are those of Pool::exec; the difference stays what it was.
    [[nodiscard]] core::Result<void> follow(postgres::Pool& pool, const core::Deadline& deadline);
    // How far the database's clock is ahead of the machine's.
    [[nodiscard]] std::chrono::nanoseconds ahead() const { return std::chrono::nanoseconds(ahead_ns_.load()); }

private:
    core::Clock& machine_;
    std::atomic<std::int64_t> ahead_ns_{0};
};

}  // namespace syncline::kit
