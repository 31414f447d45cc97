// What order-status needs from outside. Each port has one real adapter (adapters/) and one fake (tests/fakes.h). Any handler
// thread; each call blocks, at most to its deadline; errors are of the closed list and nothing is retried here.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <span>
#include <string>

#include "domain/status.h"

namespace order_status {

namespace kit = syncline::kit;

// What is known of orders.
class StatusStore {
public:
    virtual ~StatusStore() = default;
    // An order without connections when nothing is known.
    [[nodiscard]] virtual core::Result<OrderStatus> find(const OrderKey& key) = 0;
    // Rows of the closing transaction: the order and this connection of it.
    virtual void record(kit::Delivery& delivery, const OrderStatus& order, const std::string& connection) = 0;
};

// Orders in Shopify. What stands there already is success. An order that does not exist is kind rejected, code "order_not_found".
class ShopOrders {
public:
    virtual ~ShopOrders() = default;
    // Whether this installation may write to the shop at all.
    [[nodiscard]] virtual bool serves(const core::ShopAlias& shop) const = 0;
    // The shop as a metric label: a bounded set.
    [[nodiscard]] virtual std::string label_of(const std::string& shop) const = 0;
    // All or none. Code "metafield_type_differs", kind needs_decision, where the shop has given one of the keys another type.
    [[nodiscard]] virtual core::Result<void> set_fields(const OrderKey& order, std::span<const FieldChange> fields,
                                                        const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> add_tags(const OrderKey& order, std::span<const std::string> tags,
                                                      const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> remove_tags(const OrderKey& order, std::span<const std::string> tags,
                                                         const core::Deadline& deadline) = 0;
};

}  // namespace order_status
