// The runs of the comparison of stock: planned, made, announced, healed. One step for each call, for one shop.
//
// A run compares Shopify with inventory-sync's state and with each source's snapshot. It counts only when Shopify's snapshot was
// whole; of the other sides each counts for itself, so that a broken file of one source hides nothing of the others. Its record
// says how far it is: a run that a dead instance left is made anew, or, beyond the comparison, goes on where it was.
//
// Only what inventory-sync itself wants shown is ever corrected, and by inventory-sync: it reads the pair again and writes what
// is true then. A difference from a source that inventory-sync agrees with Shopify about is shown to a person.
//
// Owned by the service; steps of different shops run side by side.
#pragma once

#include <chrono>
#include <string>

#include "app/stock_ports.h"

namespace reconciliation {

struct RunStockOptions {
    std::string nightly;  // "02:30"; empty: never.
    std::chrono::milliseconds changed_every{0};
    std::chrono::milliseconds sync_delay{120'000};
    // Clocks may be apart by so much; also the overlap of changed runs.
    std::chrono::milliseconds skew{120'000};
    HealingMode healing = HealingMode::propose;
    Brake brake;
    std::uint64_t shrink_percent = 30;
    std::uint64_t differences_max = 100'000;
    int attempts_max = 12;
};

class RunStock {
public:
    using ZoneOf = std::function<std::string(const std::string& shop)>;
    RunStock(StockSides& sides, StockRuns& runs, StockEvents& events, core::Clock& clock, RunStockOptions options,
             ZoneOf zone_of);

    // What is due of the shop; after how long to ask again.
    [[nodiscard]] std::chrono::milliseconds step(const std::string& shop, const StillOurs& ours);

private:
    void plan(const std::string& shop);
    [[nodiscard]] core::Result<void> compare(const StockRun& run, const StillOurs& ours);
    [[nodiscard]] ComparisonResult compare_side(const StockRun& run, const std::string& side, ShopSnapshot& shopify,
                                                HealingWish& wish, const StillOurs& ours);
    [[nodiscard]] core::Result<bool> announce(const StockRun& run, const StillOurs& ours);
    void give_up(const StockRun& run, const core::Error& error);

    StockSides& sides_;
    StockRuns& runs_;
    StockEvents& events_;
    core::Clock& clock_;
    RunStockOptions options_;
    ZoneOf zone_of_;
};

}  // namespace reconciliation
