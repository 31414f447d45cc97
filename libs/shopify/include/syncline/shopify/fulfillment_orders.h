// The fulfillment orders of an order: what is to be shipped from where. Any thread; blocks its caller, at most to the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/core/ids.h>
#include <syncline/shopify/admin.h>
#include <syncline/shopify/gid.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace syncline::shopify {

struct FulfillmentOrderLine {
    std::uint64_t id = 0;
    std::uint64_t line_item_id = 0;
    std::optional<InventoryItemId> item;  // Absent for what has no stock (a tip, a deleted variant).
    std::string sku;
    std::int64_t total = 0;
    std::int64_t remaining = 0;  // Not yet shipped.
};
struct FulfillmentOrder {
    std::uint64_t id = 0;
    std::string status;                  // "OPEN", "CLOSED", …
    std::string request_status;          // "UNSUBMITTED", …
    std::optional<LocationId> location;  // Absent when the location is gone.
    core::SystemTime updated_at{};
    std::vector<FulfillmentOrderLine> lines;
};

// All of them, with all lines; nullopt when the order does not exist.
[[nodiscard]] core::Result<std::optional<std::vector<FulfillmentOrder>>> fulfillment_orders(Admin& admin, core::OrderId order,
                                                                                            Priority priority,
                                                                                            const core::Deadline& deadline);

}  // namespace syncline::shopify
