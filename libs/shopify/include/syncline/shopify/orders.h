// Orders in Shopify: which changed, one whole, what is written back to them. Functions of any thread; each blocks its caller, at
// most to the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/core/ids.h>
#include <syncline/json/document.h>
#include <syncline/shopify/admin.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace syncline::shopify {

struct OrderHead {
    core::OrderId id;
    std::string name;
    core::SystemTime created_at;
    core::SystemTime updated_at;
};
struct OrdersPage {
    std::vector<OrderHead> orders;    // Oldest change first.
    std::optional<std::string> next;  // `after` of the next page.
};
// Orders with from <= updated_at < to, at most 250 a page. Shopify compares whole seconds: `from` is rounded down and `to` up.
// Its search index lags behind, so let the windows overlap.
[[nodiscard]] core::Result<OrdersPage> orders_updated(Admin& admin, core::SystemTime from, core::SystemTime to,
                                                      const std::optional<std::string>& after, Priority priority,
                                                      const core::Deadline& deadline);

struct FetchedOrder {
    json::Document document;         // The selection of Order.graphql; refunds, fulfillments and all connections are whole.
    core::SystemTime observed_at{};  // When the request left.
};
// nullopt when it does not exist (or is older than the app may read). An order that changes while its pages are read is read
// again, three times; then kind conflict, code "order_moving".
[[nodiscard]] core::Result<std::optional<FetchedOrder>> order(Admin& admin, core::OrderId id, Priority priority,
                                                              const core::Deadline& deadline);

// Whether orders older than 60 days may be read.
[[nodiscard]] core::Result<bool> reads_all_orders(Admin& admin, const core::Deadline& deadline);

struct Metafield {
    std::string name_space;
    std::string key;
    std::string type;  // "single_line_text_field"
    std::string value;
};
inline constexpr std::size_t kMetafieldsMax = 25;
// The three that write: an order that does not exist is kind rejected, code "order_not_found".
// Sets the given ones, all or none, and leaves the others. More than 25 is a bug, code "too_many_metafields".
[[nodiscard]] core::Result<void> set_order_metafields(Admin& admin, core::OrderId id, std::span<const Metafield> metafields,
                                                      Priority priority, const core::Deadline& deadline);
// A tag that is there already, or gone already, is success.
[[nodiscard]] core::Result<void> add_tags(Admin& admin, core::OrderId id, std::span<const std::string> tags, Priority priority,
                                          const core::Deadline& deadline);
[[nodiscard]] core::Result<void> remove_tags(Admin& admin, core::OrderId id, std::span<const std::string> tags, Priority priority,
                                             const core::Deadline& deadline);

}  // namespace syncline::shopify
