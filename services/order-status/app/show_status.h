// The use case: what a connection says of an order becomes what Shopify shows of it, once.
//
// Statements come twice and in any order; the newest counts. What is shown already is not written again, so the orders/updated
// that Shopify sends about our own write ends here without another one. Owned by the service; any handler thread; blocks for one
// query and, where something changes, for one to three calls.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/outcome.h>
#include <functional>
#include <set>
#include <string>

#include "app/ports.h"
#include "app/shop_circuits.h"

namespace order_status {

class ShowStatus {
public:
    struct Ports {
        StatusStore& store;
        ShopOrders& shops;
        ShopCircuits& circuits;
        // Something was written: how long after it was said.
        std::function<void(const core::ShopAlias& shop, std::chrono::nanoseconds age)> shown;
        core::Clock& clock;
    };
    // `shops`: the aliases this deployment serves; empty: all.
    ShowStatus(Ports ports, TagNames tags, std::set<std::string> shops)
        : ports_(std::move(ports)), tags_(std::move(tags)), shops_(std::move(shops)) {}

    [[nodiscard]] kit::Outcome run(const OrderKey& key, const std::string& connection, const Statement& statement,
                                   kit::Delivery& delivery);

private:
    [[nodiscard]] core::Result<kit::EffectRecord> bring(const OrderKey& key, const Change& change, const kit::Lease& lease,
                                                        const kit::Delivery& delivery);

    Ports ports_;
    const TagNames tags_;
    const std::set<std::string> shops_;
};

}  // namespace order_status
