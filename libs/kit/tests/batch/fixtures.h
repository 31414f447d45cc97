// Stock as the tests of batches use it: a table of levels that keeps what is newest, and handlers that write it.
#pragma once

#include <syncline/inventory/v1/events.pb.h>

#include <syncline/kit/batch.h>
#include <syncline/kit/testing/harness.h>
#include <syncline/postgres/pool.h>
#include <atomic>
#include <functional>
#include <string>

namespace syncline::kit::testing {

inline constexpr const char* kInventory = "inventory.v1";
inline constexpr const char* kStockGroup = "inventory-sync.test.v1";
inline constexpr const char* kStockTable =
    "CREATE TABLE stock (sku text PRIMARY KEY, quantity bigint NOT NULL CHECK (quantity >= 0), applied bigint NOT NULL)";

// A report of `quantity` of "sku-<n>".
inventory::v1::StockReported report(std::int64_t n, std::int64_t quantity);
std::string stock_key(std::int64_t n);

// What a handler of a test does with the reports before they are written; an error ends the batch.
using OnReports = std::function<core::Result<BatchOutcome>(std::span<const BatchRecord>)>;

// Writes the level of each SKU and counts how often each was applied, in one statement.
BatchHandler on_stock(OnReports before = nullptr, std::size_t records_max = 5'000);
core::Result<void> write_stock(std::span<const BatchRecord> records, postgres::Transaction& tx);
// Sum over the series of that name whose labels include all of `labels` ("outcome=\"done\"").
double metric_of(telemetry::Metrics& metrics, const std::string& name, const std::vector<std::string>& labels);
// Quantity of a report; -1 if it is none.
std::int64_t quantity_of(const BatchRecord& record);

}  // namespace syncline::kit::testing
