// The sides of a comparison: Shopify, inventory-sync's state, and the snapshot files of sources.
//
// Any thread; each call blocks for what it reads. Memory is the sorter's, whatever the size of a side.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapters/inventory_sync.h"
#include "adapters/shopify_snapshot.h"
#include "app/stock_ports.h"

namespace syncline::shopify {
class Admins;
}

namespace reconciliation {

class LiveStockSides final : public StockSides {
public:
    using Rules = std::function<std::shared_ptr<const StockRules>()>;
    // All outlive it.
    LiveStockSides(syncline::shopify::Admins& admins, const InventorySync& inventory_sync, core::Clock& clock, Rules rules,
                   ShopifySnapshotOptions options);

    bool serves(const std::string& shop) const override;
    core::Result<std::unique_ptr<ShopSnapshot>> shopify(const StockRun& run,
                                                        const std::function<core::Result<void>(const std::string&)>& begun,
                                                        const StillOurs& ours) override;
    std::vector<std::string> others(const std::string& shop) const override;
    core::Result<OtherSnapshot> other(const StockRun& run, const std::string& side, ShopSnapshot& shopify,
                                      const StillOurs& ours) override;

private:
    [[nodiscard]] core::Result<OtherSnapshot> own_state(const StockRun& run, ShopSnapshot& shopify, const StillOurs& ours) const;
    [[nodiscard]] core::Result<OtherSnapshot> source_file(const StockRun& run, const std::string& source,
                                                          std::shared_ptr<const StockRules> rules, const StillOurs& ours) const;

    syncline::shopify::Admins& admins_;
    const InventorySync& inventory_sync_;
    core::Clock& clock_;
    Rules rules_;
    ShopifySnapshotOptions options_;
};

// The newest complete snapshot file of a source: where it was dropped, or where inventory-sync put it away. Errors: transient,
// "folder_unreadable"; not_ready, "no_snapshot".
[[nodiscard]] core::Result<std::string> newest_file(const SourceFiles& files);

}  // namespace reconciliation
