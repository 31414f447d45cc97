// Metafields and tags of orders through the Admin API, with what is left of each shop's points after stock, orders and prices.
#pragma once

#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>
#include <syncline/telemetry/metrics.h>

#include "app/ports.h"

namespace order_status {

class ShopifyOrders final : public ShopOrders {
public:
    // Declares syncline_order_status_writes_total. All must outlive it. `name_space` is that of the metafields.
    ShopifyOrders(syncline::shopify::Admins& admins, kit::Shops& shops, std::string name_space,
                  syncline::telemetry::Metrics& metrics);

    [[nodiscard]] bool serves(const core::ShopAlias& shop) const override;
    [[nodiscard]] std::string label_of(const std::string& shop) const override;
    [[nodiscard]] core::Result<void> set_fields(const OrderKey& order, std::span<const FieldChange> fields,
                                                const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> add_tags(const OrderKey& order, std::span<const std::string> tags,
                                              const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> remove_tags(const OrderKey& order, std::span<const std::string> tags,
                                                 const core::Deadline& deadline) override;

private:
    using Call = std::function<core::Result<void>(syncline::shopify::Admin&)>;
    [[nodiscard]] core::Result<void> call(const OrderKey& order, std::string_view what, const Call& call);

    syncline::shopify::Admins& admins_;
    kit::Shops& shops_;
    const std::string name_space_;
    const syncline::telemetry::CounterFamily writes_;
};

}  // namespace order_status
