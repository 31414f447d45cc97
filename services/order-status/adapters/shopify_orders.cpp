#include "adapters/shopify_orders.h"

#include <syncline/shopify/orders.h>

namespace order_status {

namespace shopify = syncline::shopify;
using core::ErrorKind;
using core::Result;

ShopifyOrders::ShopifyOrders(shopify::Admins& admins, kit::Shops& shops, std::string name_space,
                             syncline::telemetry::Metrics& metrics)
    : admins_(admins),
      shops_(shops),
      name_space_(std::move(name_space)),
      writes_(metrics.counter("syncline_order_status_writes_total",
                              "Writes to orders in Shopify by what they were and how they ended.", {"shop", "what", "outcome"})) {
}

bool ShopifyOrders::serves(const core::ShopAlias& shop) const {
    const auto snapshot = shops_.current();
    const auto* const found = snapshot->find(shop.value());
    return found != nullptr && found->enabled && found->admin;
}

std::string ShopifyOrders::label_of(const std::string& shop) const {
    const auto snapshot = shops_.current();
    return std::string(snapshot->label_of(shop));
}

Result<void> ShopifyOrders::call(const OrderKey& order, std::string_view what, const Call& call) {
    const auto admin = admins_.of(order.shop.value());
    auto done = admin ? call(**admin) : Result<void>(std::unexpected(admin.error()));
    if (!done && done.error().code == "server_error") {
        // It may have been carried out, which harms nothing: the same is set again when the shop is back, and that it answers so
        // says more about the shop than about this order.
        done.error().kind = ErrorKind::transient;
    }
    writes_.with({label_of(order.shop.value()), what, done ? "done" : core::to_string(done.error().kind)}).add();
    return done;
}

Result<void> ShopifyOrders::set_fields(const OrderKey& order, std::span<const FieldChange> fields,
                                       const core::Deadline& deadline) {
    // Several connections' fields may be more than one call takes; each call is all or none, and repeatable.
    for (std::size_t begin = 0; begin < fields.size(); begin += shopify::kMetafieldsMax) {
        std::vector<shopify::Metafield> metafields;
        for (const auto& field : fields.subspan(begin, std::min(shopify::kMetafieldsMax, fields.size() - begin))) {
            metafields.push_back({.name_space = name_space_,
                                  .key = field.key,
                                  .type = field.time ? "date_time" : "single_line_text_field",
                                  .value = field.value});
        }
        auto done = call(order, "metafields", [&](shopify::Admin& admin) {
            return shopify::set_order_metafields(admin, order.id, metafields, shopify::Priority::rest, deadline);
        });
        if (!done && (done.error().code == "invalid_type" || done.error().code == "invalid_value")) {
            return core::fail(ErrorKind::needs_decision, "metafield_type_differs",
                              "the shop gives a metafield of " + name_space_ + " another type than text",
                              "change its definition in Shopify or the namespace here, then release; override leaves the "
                              "metafields alone");
        }
        if (!done) {
            return done;
        }
    }
    return {};
}

Result<void> ShopifyOrders::add_tags(const OrderKey& order, std::span<const std::string> tags, const core::Deadline& deadline) {
    return call(order, "tags_added", [&](shopify::Admin& admin) {
        return shopify::add_tags(admin, order.id, tags, shopify::Priority::rest, deadline);
    });
}

Result<void> ShopifyOrders::remove_tags(const OrderKey& order, std::span<const std::string> tags,
                                        const core::Deadline& deadline) {
    return call(order, "tags_removed", [&](shopify::Admin& admin) {
        return shopify::remove_tags(admin, order.id, tags, shopify::Priority::rest, deadline);
    });
}

}  // namespace order_status
