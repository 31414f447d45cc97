#include "adapters/orders/shopify_orders.h"

#include <syncline/shopify/admin.h>
#include <syncline/shopify/gid.h>
#include <syncline/shopify/orders.h>
#include <syncline/shopify/webhook_subscriptions.h>
#include <utility>

#include "adapters/orders/order_events.h"

namespace reconciliation {
namespace {

namespace shopify = syncline::shopify;

// A lost order is as urgent as a new one; a backfill waits for everything else.
shopify::Priority priority_of(Purpose purpose) {
    return purpose == Purpose::backfill ? shopify::Priority::rest : shopify::Priority::stock_and_orders;
}

// A field that may not be read comes as null from the order's own query. This one fails for that.
core::Result<bool> exists(shopify::Admin& admin, std::int64_t order_id, shopify::Priority priority,
                          const core::Deadline& deadline) {
    auto reply = admin.call(shopify::kOrderVersion,
                            {.json = R"({"id":")" + shopify::gid("Order", static_cast<std::uint64_t>(order_id)) + R"("})"},
                            priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return reply->data().get_present("order").has_value();
}

shopify::WebhookSubscription as_shopify(const Subscription& wanted) {
    return {.id = wanted.id,
            .topic = wanted.topic,
            .uri = wanted.uri,
            .filter = wanted.filter,
            .include_fields = wanted.include_fields,
            .name = {},
            .api_version = {}};
}

constexpr auto kRest = shopify::Priority::rest;

}  // namespace

core::Result<OrderPage> ShopifyOrders::changed(const std::string& shop, core::SystemTime from, core::SystemTime to,
                                               const std::optional<std::string>& after, Purpose purpose,
                                               const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    auto page = shopify::orders_updated(**admin, from, to, after, priority_of(purpose), deadline);
    if (!page) {
        return std::unexpected(std::move(page.error()));
    }
    OrderPage read{.orders = {}, .next = std::move(page->next)};
    read.orders.reserve(page->orders.size());
    for (const auto& order : page->orders) {
        read.orders.push_back({.order_id = static_cast<std::int64_t>(order.id.value()), .updated_at = order.updated_at});
    }
    return read;
}

core::Result<std::optional<OrderAsEvents>> ShopifyOrders::fetch(const std::string& shop, std::int64_t order_id, Purpose purpose,
                                                                const std::string& occasion, const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    const auto priority = priority_of(purpose);
    const auto order = shopify::order(**admin, core::OrderId(static_cast<std::uint64_t>(order_id)), priority, deadline);
    if (!order) {
        return std::unexpected(order.error());
    }
    if (!*order) {
        const auto there = exists(**admin, order_id, priority, deadline);
        if (!there) {
            return std::unexpected(there.error());
        }
        if (*there) {
            return core::fail(core::ErrorKind::needs_decision, "order_unreadable", "the order exists but may not be read",
                              "the app needs read_orders and access to protected customer data");
        }
        return std::optional<OrderAsEvents>();
    }
    auto events = order_as_events(shop, (*order)->document.root(), (*order)->observed_at, purpose, occasion);
    if (!events) {
        return std::unexpected(std::move(events.error()));
    }
    return std::optional(std::move(*events));
}

core::Result<bool> ShopifyOrders::reads_all(const std::string& shop, const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    return shopify::reads_all_orders(**admin, deadline);
}

core::Result<std::vector<Subscription>> ShopifySubscriptions::list(const std::string& shop, const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    auto found = shopify::webhook_subscriptions(**admin, kRest, deadline);
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    std::vector<Subscription> present;
    present.reserve(found->size());
    for (auto& subscription : *found) {
        present.push_back({.id = std::move(subscription.id),
                           .topic = std::move(subscription.topic),
                           .uri = std::move(subscription.uri),
                           .filter = std::move(subscription.filter),
                           .include_fields = std::move(subscription.include_fields)});
    }
    return present;
}

core::Result<void> ShopifySubscriptions::create(const std::string& shop, const Subscription& wanted,
                                                const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    const auto made = shopify::create_webhook_subscription(**admin, as_shopify(wanted), kRest, deadline);
    // Another instance, or a lost answer of ours.
    if (!made && made.error().code != "taken") {
        return std::unexpected(made.error());
    }
    return {};
}

core::Result<void> ShopifySubscriptions::update(const std::string& shop, const Subscription& wanted,
                                                const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    return admin ? shopify::update_webhook_subscription(**admin, as_shopify(wanted), kRest, deadline)
                 : core::Result<void>(std::unexpected(admin.error()));
}

core::Result<void> ShopifySubscriptions::remove(const std::string& shop, const Subscription& present,
                                                const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    return admin ? shopify::delete_webhook_subscription(**admin, present.id, kRest, deadline)
                 : core::Result<void>(std::unexpected(admin.error()));
}

}  // namespace reconciliation
