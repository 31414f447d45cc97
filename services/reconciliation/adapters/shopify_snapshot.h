// Shopify's levels of a shop by a bulk query, sorted into a nameless file.
//
// Blocks for as long as Shopify takes (minutes for large shops), in slices, so that a service that stops does not wait for it.
#pragma once

#include <syncline/shopify/admin.h>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/stock_ports.h"
#include "domain/stock_rules.h"
#include "snapshot/sorter.h"

namespace reconciliation {

struct ShopifySnapshotOptions {
    SorterOptions sorter;
    std::chrono::milliseconds bulk_timeout{7'200'000};
};

// `run`.bulk_id is gone on with, if it is still good for that. Errors as StockSides::shopify.
[[nodiscard]] core::Result<std::unique_ptr<ShopSnapshot>> read_shopify(
    syncline::shopify::Admin& admin, const StockRules& rules, const StockRun& run, const ShopifySnapshotOptions& options,
    const std::function<core::Result<void>(const std::string& bulk_id)>& begun, const StillOurs& ours);

}  // namespace reconciliation
