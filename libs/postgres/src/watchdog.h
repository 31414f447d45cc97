// Cuts connections whose server has not answered by the deadline: PQexec has no time-out of its own, and statement_timeout is
// kept by a server that may be frozen or behind a network that swallows packets.
//
// One thread, asleep until the earliest deadline of what runs now; started with the first transaction.
#pragma once

#include "src/driver.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace syncline::postgres {

class Watchdog {
public:
    using Time = std::chrono::steady_clock::time_point;

    Watchdog() = default;
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // Watches one connection while it lives; must end before the connection does.
    class Watch {
    public:
        Watch(Watchdog& dog, Connection& connection, Time until) : dog_(dog), connection_(connection) {
            dog_.add(connection_, until);
        }
        ~Watch() { dog_.remove(connection_); }
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

    private:
        Watchdog& dog_;
        Connection& connection_;
    };

    [[nodiscard]] std::uint64_t cut_total() const;

private:
    void add(Connection& connection, Time until);
    void remove(Connection& connection);
    void run();

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::map<Connection*, Time> watched_;
    Time sleeps_until_ = Time::max();
    std::uint64_t cut_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace syncline::postgres
