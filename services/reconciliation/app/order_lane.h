// What is done for the orders of one shop, in turns: scan when it is due, fetch what was noted, operators' runs, reservations,
// subscriptions.
//
// step() is a ShopWork (shop_lanes.h): one thread per shop. A shop that cannot be reached rests, longer each time; others go on.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "app/check_orders.h"
#include "app/check_subscriptions.h"

namespace reconciliation {

struct LaneOptions {
    std::chrono::milliseconds interval{180'000};  // Between two scans.
    std::chrono::milliseconds subscriptions_interval{900'000};
    std::chrono::milliseconds idle{1'000};  // Between two looks for something to do.
    std::chrono::milliseconds call_timeout{30'000};
    bool clear_reservations = false;  // inventory-sync's address is known.
};

class OrderLane {
public:
    OrderLane(CheckOrders& check, CheckSubscriptions& subscriptions, OrderChecks& checks, Reservations& reservations,
              OrderCheckEvents& events, core::Clock& clock, LaneOptions options)
        : check_(check),
          subscriptions_(subscriptions),
          checks_(checks),
          reservations_(reservations),
          events_(events),
          clock_(clock),
          options_(options) {}

    // After how long it wants to be called again.
    [[nodiscard]] std::chrono::milliseconds step(const std::string& shop, const StillOurs& ours);

private:
    struct Turns {
        core::SteadyTime scan_at{};
        core::SteadyTime subscriptions_at{};
        core::SteadyTime clear_at{};
        core::SteadyTime tidy_at{};
        core::SteadyTime rests_until{};
        int failures = 0;
    };
    // False: the shop cannot be reached.
    bool went(const std::string& shop, Turns& turns, std::string_view what, const core::Error* error);
    void scan(const std::string& shop, Turns& turns, const StillOurs& ours);
    void clear(const std::string& shop, Turns& turns);

    CheckOrders& check_;
    CheckSubscriptions& subscriptions_;
    OrderChecks& checks_;
    Reservations& reservations_;
    OrderCheckEvents& events_;
    core::Clock& clock_;
    LaneOptions options_;
    std::mutex mutex_;
    std::map<std::string, Turns> turns_;  // A node stays where it is; only its shop's thread touches it.
};

}  // namespace reconciliation
