// Stock as warehouses, ERPs and tills push it: seeded bodies of POST /stock/<source>, and the level each position must end at.
//
// Every source has the same positions (locations × SKUs), on purpose. A run begins with a full snapshot of each source; then
// levels change: a change is told as an adjustment or as a report of the level after it, so whoever applies each adjustment once,
// on the report observed last before it, ends at the model's level, in whatever order bodies come and however often. No two
// records of one position have the same time. Every tenth SKU is weighed (kg, three decimals), the others are counted; no level
// is below zero.
//
// Made as it is asked for; memory holds the levels alone (16 bytes a position). The same options give the same bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/order.h"
#include "src/webhook.h"

namespace loadgen {

struct StockOptions {
    std::uint64_t seed = 1;
    std::vector<std::string> sources{"wms-north"};
    std::uint64_t locations = 2;                            // Of each source: HAL-1 …
    std::uint64_t skus = 500;                               // SKU-0001 …, those of the orders first.
    std::uint64_t changes = 1'000;                          // Records after the snapshots, of all sources together.
    std::uint64_t reports_per_million = 400'000;            // Of the changes: told as a level; the others as an adjustment.
    std::uint64_t batch = 100;                              // Most records of one body.
    bool snapshot = true;                                   // False: levels begin at zero and nobody says so.
    std::chrono::milliseconds duration{60'000};             // From the first body to the last.
    SystemTime start{std::chrono::seconds{1'764'288'000}};  // Observed times count from here. Never in the future.
    // Of a million bodies: sent again a little later; held back so that later ones overtake them.
    std::uint64_t duplicates_per_million = 0;
    std::uint64_t reordered_per_million = 0;
    std::chrono::milliseconds delay_max{5'000};  // Of both.
};

// Bodies are deliveries of kStockTopic; `shop` is the source, and each has a `key` of its own, for bodies may overtake each
// other.
class StockWorkload {
public:
    // Asserts that no count is zero and no source is named twice.
    explicit StockWorkload(StockOptions options);
    StockWorkload(const StockWorkload&) = delete;
    StockWorkload& operator=(const StockWorkload&) = delete;
    ~StockWorkload();

    // The next body; nullopt at the end.
    [[nodiscard]] std::optional<Webhook> next();

    // The level of a position after all bodies made so far, as exact decimal text.
    [[nodiscard]] std::string level_of(std::size_t source, std::uint64_t location, std::uint64_t sku) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] std::string location_name(std::uint64_t number);  // From 0: "HAL-1".
[[nodiscard]] std::string sku_name(std::uint64_t number);       // From 0: "SKU-0001", as product_of() has it.

// Lines of JSON: {"source","location","sku","quantity"} for every position, and at the end {"summary": …} with the counts.
void write_stock_expectations(const StockOptions& options, const std::function<void(const std::string& line)>& write);

}  // namespace loadgen
