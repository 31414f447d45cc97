// Which shops can be written to now. One service writes to many shops, and one that is away must not hold up the others: each
// has a circuit of its own, and its orders wait parked instead of at the head of everybody's partitions.
//
//   auto turn = circuits.enter("eu", "eu/5001", deadline);
//   if (!turn) return failed(turn.error());            // transient, with the time to come back
//   auto error = …; turn->failed(error);               // or turn->answered(); without either nothing was asked
//
// A circuit opens at once when the shop refuses our token or says how long to wait, else after 5 different orders failed with no
// answer between. While it is open one order goes every 1, 2, 4 … 60 s; an answer closes it. Those turned away come back spread
// over an eighth of the time the shop was away, at most five minutes, so that thousands of them do not look at once.
//
// A shop that is slow is written to by so many at once; further ones wait their turn in enter(), at most to its deadline, and so
// hold back their partitions: Kafka is the buffer. A deployment that serves some of the shops alone keeps them apart.
//
// Owned by the service; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace order_status {

namespace core = syncline::core;

struct CircuitOptions {
    std::size_t calls_max = 32;  // Orders of one shop written at once: what its points allow, not what waits for them.
};

class ShopCircuits {
public:
    static constexpr std::size_t kDifferentOrdersMax = 5;

    // `jitter` gives 0..1. `changed` runs after an opening or closing, on the thread that caused it.
    ShopCircuits(core::Clock& clock, CircuitOptions options, std::function<double()> jitter,
                 std::function<void(const std::string& shop, bool open)> changed);

    // One order's write. Movable; its end without a word says that the shop was not asked.
    class Turn {
    public:
        Turn(ShopCircuits& circuits, std::string shop, std::string order, bool trial)
            : circuits_(&circuits), shop_(std::move(shop)), order_(std::move(order)), trial_(trial) {}
        Turn(Turn&& other) noexcept;
        Turn& operator=(Turn&&) = delete;
        ~Turn();
        void answered();
        // Sets retry_after where the order has to wait for its shop. Errors that are an answer count as one.
        void failed(core::Error& error);

    private:
        ShopCircuits* circuits_;
        std::string shop_;
        std::string order_;
        bool trial_;
    };
    // Kind transient, code "shop_away" or "shop_busy", with retry_after.
    [[nodiscard]] core::Result<Turn> enter(const std::string& shop, const std::string& order, const core::Deadline& deadline);
    [[nodiscard]] bool open(const std::string& shop) const;

private:
    struct Shop {
        bool open = false;
        bool trial = false;  // One is under way.
        int steps = 0;
        std::size_t calls = 0;
        core::SteadyTime since{};
        core::SteadyTime next{};
        std::set<std::string> failed_orders;
    };
    void leave(const std::string& shop, bool trial);
    void release(Shop& entry, bool trial);  // With the lock.
    void close(const std::string& shop, bool trial);
    void fail(const std::string& shop, const std::string& order, bool trial, core::Error& error);
    [[nodiscard]] std::chrono::nanoseconds step(const Shop& shop) const;
    [[nodiscard]] std::chrono::milliseconds pause(const Shop& shop) const;

    core::Clock& clock_;
    const CircuitOptions options_;
    const std::function<double()> jitter_;
    const std::function<void(const std::string&, bool)> changed_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::map<std::string, Shop> shops_;
};

}  // namespace order_status
