#include "src/watchdog.h"

namespace syncline::postgres {

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

std::uint64_t Watchdog::cut_total() const {
    const std::lock_guard lock(mutex_);
    return cut_;
}

void Watchdog::add(Connection& connection, Time until) {
    const std::lock_guard lock(mutex_);
    watched_[&connection] = until;
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { run(); });
    }
    if (until < sleeps_until_) {
        wake_.notify_one();
    }
}

void Watchdog::remove(Connection& connection) {
    const std::lock_guard lock(mutex_);
    watched_.erase(&connection);
}

void Watchdog::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto now = std::chrono::steady_clock::now();
        sleeps_until_ = Time::max();
        for (auto& [connection, until] : watched_) {
            if (until <= now) {
                connection->cut();
                ++cut_;
                until = Time::max();
            }
            sleeps_until_ = std::min(sleeps_until_, until);
        }
        if (sleeps_until_ == Time::max()) {
            wake_.wait(lock);
        } else {
            wake_.wait_until(lock, sleeps_until_);
        }
    }
}

}  // namespace syncline::postgres
