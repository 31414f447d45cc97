#include "syncline/shopify/fulfillment_orders.h"

#include <fmt/format.h>
#include <syncline/core/time.h>
#include <syncline/shopify/pages.h>
#include <utility>

namespace syncline::shopify {
namespace {

std::optional<std::uint64_t> id_in(const json::Value& object, std::string_view type, std::string_view member = "id") {
    const auto text = object.string_of(member);
    const auto id = text ? id_of(*text, type) : core::Result<std::uint64_t>(std::unexpected(text.error()));
    return id ? std::optional(*id) : std::nullopt;
}

std::string text_in(const json::Value& object, std::string_view member) {
    const auto text = object.string_of(member);
    return text ? std::string(*text) : std::string();
}

core::Result<FulfillmentOrderLine> read_line(const json::Value& node) {
    const auto id = id_in(node, "FulfillmentOrderLineItem");
    const auto line = node.get_present("lineItem");
    const auto line_item = line ? id_in(*line, "LineItem") : std::nullopt;
    const auto total = node.int64_of("totalQuantity");
    const auto remaining = node.int64_of("remainingQuantity");
    if (!id || !line_item || !total || !remaining) {
        return std::unexpected(node.malformed("fulfillment_order_malformed", "is no line"));
    }
    const auto item = id_in(node, "InventoryItem", "inventoryItemId");
    return FulfillmentOrderLine{.id = *id,
                                .line_item_id = *line_item,
                                .item = item ? std::optional(InventoryItemId(*item)) : std::nullopt,
                                .sku = text_in(node, "sku"),
                                .total = *total,
                                .remaining = *remaining};
}

core::Result<FulfillmentOrder> read_fulfillment_order(const json::Value& node) {
    const auto id = id_in(node, "FulfillmentOrder");
    const auto updated = node.string_of("updatedAt");
    const auto at = updated ? core::parse_rfc3339(*updated) : core::Result<core::SystemTime>(std::unexpected(updated.error()));
    const auto lines = node.get_present("lineItems");
    const auto nodes = lines ? lines->get_present("nodes") : std::nullopt;
    if (!id || !at || !nodes) {
        return std::unexpected(node.malformed("fulfillment_order_malformed", "is no fulfillment order"));
    }
    FulfillmentOrder read{.id = *id,
                          .status = text_in(node, "status"),
                          .request_status = text_in(node, "requestStatus"),
                          .location = std::nullopt,
                          .updated_at = *at,
                          .lines = {}};
    const auto assigned = node.get_present("assignedLocation");
    const auto location = assigned ? assigned->get_present("location") : std::nullopt;
    if (location) {
        if (const auto number = id_in(*location, "Location")) {
            read.location = LocationId(*number);
        }
    }
    for (const auto element : nodes->elements()) {
        auto line = read_line(element);
        if (!line) {
            return std::unexpected(std::move(line.error()));
        }
        read.lines.push_back(std::move(*line));
    }
    return read;
}

}  // namespace

core::Result<std::optional<std::vector<FulfillmentOrder>>> fulfillment_orders(Admin& admin, core::OrderId order,
                                                                              Priority priority, const core::Deadline& deadline) {
    auto reply = admin.call(kFulfillmentOrders, {.json = fmt::format(R"({{"order":"{}"}})", gid("Order", order.value()))},
                            priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto found = reply->data().get_present("order");
    if (!found) {
        return std::optional<std::vector<FulfillmentOrder>>();
    }
    auto whole = complete(admin, *found, priority, deadline);
    if (!whole) {
        return std::unexpected(std::move(whole.error()));
    }
    const auto root = whole->document.root();
    const auto connection = root.required("fulfillmentOrders");
    const auto nodes = connection ? connection->required("nodes") : connection;
    if (!nodes) {
        return std::unexpected(nodes.error());
    }
    std::vector<FulfillmentOrder> orders;
    for (const auto node : nodes->elements()) {
        auto read = read_fulfillment_order(node);
        if (!read) {
            return std::unexpected(std::move(read.error()));
        }
        orders.push_back(std::move(*read));
    }
    return std::optional(std::move(orders));
}

}  // namespace syncline::shopify
