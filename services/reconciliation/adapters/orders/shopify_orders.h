// Orders and webhook subscriptions of the shops, through libs/shopify. Any thread; `admins` outlives them.
#pragma once

#include <string>

#include "app/order_ports.h"

namespace syncline::shopify {
class Admins;
}

namespace reconciliation {

class ShopifyOrders final : public ShopOrders {
public:
    explicit ShopifyOrders(syncline::shopify::Admins& admins) : admins_(admins) {}
    [[nodiscard]] core::Result<OrderPage> changed(const std::string& shop, core::SystemTime from, core::SystemTime to,
                                                  const std::optional<std::string>& after, Purpose purpose,
                                                  const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<std::optional<OrderAsEvents>> fetch(const std::string& shop, std::int64_t order_id,
                                                                   Purpose purpose, const std::string& occasion,
                                                                   const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<bool> reads_all(const std::string& shop, const core::Deadline& deadline) override;

private:
    syncline::shopify::Admins& admins_;
};

class ShopifySubscriptions final : public ShopSubscriptions {
public:
    explicit ShopifySubscriptions(syncline::shopify::Admins& admins) : admins_(admins) {}
    [[nodiscard]] core::Result<std::vector<Subscription>> list(const std::string& shop, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> create(const std::string& shop, const Subscription& wanted,
                                            const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> update(const std::string& shop, const Subscription& wanted,
                                            const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> remove(const std::string& shop, const Subscription& present,
                                            const core::Deadline& deadline) override;

private:
    syncline::shopify::Admins& admins_;
};

}  // namespace reconciliation
