// Finds the orders of a shop that never came, or came older, and sends them as if they had come.
//
// scan() lists what changed in Shopify and notes what must be fetched, page by page, with the watermark in the same transaction;
// look_up() fetches what was noted. So a process that dies in between forgets nothing and fetches little twice, and an order that
// cannot be read holds up no other one. run_step() does the same for what an operator asked for.
//
// Members block for calls to Shopify (each at most call_timeout) and for the database; one thread per shop, any number of shops.
#pragma once

#include <chrono>
#include <string>

#include "app/order_ports.h"
#include "app/shop_lanes.h"

namespace reconciliation {

struct CheckOptions {
    GapRules rules;
    std::chrono::hours lookback{24};  // Before the first scan.
    std::chrono::milliseconds call_timeout{30'000};
    int lookups_at_once = 20;
    std::int64_t run_lookups_max = 1'000;  // A run lists no further while so many of its orders are still to be fetched.
};

enum class ScanEnd : std::uint8_t {
    whole,
    ledger_behind,  // What came is not read yet, so nothing can be called missing: soon again.
    not_ours,
};

class CheckOrders {
public:
    // All outlive it.
    CheckOrders(ShopOrders& shops, OrderChecks& checks, OrderCheckEvents& events, core::Clock& clock, CheckOptions options)
        : shops_(shops), checks_(checks), events_(events), clock_(clock), options_(options) {}

    [[nodiscard]] core::Result<ScanEnd> scan(const std::string& shop, const StillOurs& ours);
    // Whether there may be more at once. An error is one of the shop as a whole: those of single orders are kept with them.
    [[nodiscard]] core::Result<bool> look_up(const std::string& shop, const StillOurs& ours);
    // One page of the shop's oldest run. Whether there is more to do at once.
    [[nodiscard]] core::Result<bool> run_step(const std::string& shop);

private:
    core::Result<void> note(const std::string& shop, const std::vector<Lookup>& found,
                            const std::optional<core::SystemTime>& watermark);
    core::Result<void> note_waiting(const std::string& shop);
    core::Result<void> look_up_one(const std::string& shop, const Lookup& lookup);
    core::Result<void> settle_gone(const std::string& shop, const Lookup& lookup, const ReceivedOrder* row);
    core::Result<void> settle(const std::string& shop, const Lookup& lookup, LookupEnd end);
    [[nodiscard]] core::Deadline soon() const { return {clock_, options_.call_timeout}; }

    ShopOrders& shops_;
    OrderChecks& checks_;
    OrderCheckEvents& events_;
    core::Clock& clock_;
    CheckOptions options_;
};

}  // namespace reconciliation
