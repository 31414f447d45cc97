// The check of orders: what orders.v1 brought is kept, what never came is fetched.
#include <syncline/kafka/fetcher.h>
#include <syncline/kit/shops.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/topics.h>

#include "adapters/inventory_sync.h"
#include "adapters/orders/inventory_reservations.h"
#include "adapters/orders/newest_records.h"
#include "adapters/orders/order_meters.h"
#include "adapters/orders/order_routes.h"
#include "adapters/orders/pg_order_checks.h"
#include "adapters/orders/shopify_orders.h"
#include "adapters/pg_received_orders.h"
#include "app/order_lane.h"
#include "app/shop_lanes.h"
#include "parts.h"

namespace reconciliation {
namespace {

using std::chrono::duration_cast;

GapRules rules_of(const OrdersConfig& config) {
    return {.overlap = duration_cast<std::chrono::seconds>(config.overlap),
            .grace = duration_cast<std::chrono::seconds>(config.grace),
            .skew = duration_cast<std::chrono::seconds>(config.skew)};
}

SubscriptionOptions subscriptions_of(const OrdersConfig& config) {
    return {.policy = config.subscriptions_policy == "repair"   ? SubscriptionPolicy::repair
                      : config.subscriptions_policy == "report" ? SubscriptionPolicy::report
                                                                : SubscriptionPolicy::off,
            .uri = config.subscriptions_uri,
            .own_prefix = config.subscriptions_own_prefix,
            .topics = config.subscriptions_topics,
            .call_timeout = config.call_timeout};
}

}  // namespace

void wire_orders(const Parts& parts) {
    auto& service = parts.service;
    auto& clock = service.clock();
    const auto& config = parts.config.orders;
    service.migration("0002_received_orders", kReceivedOrdersSchema);
    service.migration("0003_order_checks", kOrderChecksSchema);
    auto& received = service.own<ReceivedOrders>();
    service.on_batch({.topic = std::string(syncline::topics::orders),
                      .consumer_group = parts.config.group(),
                      .types = ReceivedOrders::types(),
                      .apply = [&received](std::span<const kit::BatchRecord> records, postgres::Transaction& tx) {
                          return received.apply(records, tx);
                      }});
    service.publishes(syncline::topics::orders, {syncline::orders::v1::OrderChanged::descriptor()->full_name(),
                                                 syncline::orders::v1::OrderDeleted::descriptor()->full_name(),
                                                 syncline::orders::v1::PaymentTransactionRecorded::descriptor()->full_name(),
                                                 syncline::orders::v1::RefundRecorded::descriptor()->full_name()});
    auto& meters = service.own<OrderMeters>(service.metrics(), clock, [&shops = service.shops()](const std::string& shop) {
        return std::string(shops.current()->label_of(shop));
    });
    auto& orders = service.own<ShopifyOrders>(parts.admins);
    auto& shop_subscriptions = service.own<ShopifySubscriptions>(parts.admins);
    auto& checks = service.own<PgOrderChecks>(service.postgres(), received,
                                              newest_records(service.fetcher(), service.topic_name(syncline::topics::orders)),
                                              clock, config.settle);
    auto& check = service.own<CheckOrders>(
        orders, checks, meters, clock,
        CheckOptions{.rules = rules_of(config),
                     .lookback = duration_cast<std::chrono::hours>(config.lookback + std::chrono::minutes{59}),
                     .call_timeout = config.call_timeout});
    auto& subscriptions = service.own<CheckSubscriptions>(shop_subscriptions, meters, clock, subscriptions_of(config));
    auto& reservations = service.own<InventoryReservations>(parts.inventory_sync);
    auto& lane = service.own<OrderLane>(check, subscriptions, checks, reservations, meters, clock,
                                        LaneOptions{.interval = config.interval,
                                                    .subscriptions_interval = config.subscriptions_interval,
                                                    .call_timeout = config.call_timeout,
                                                    .clear_reservations = parts.inventory_sync.configured()});
    auto& lanes =
        service.own<ShopLanes>(ShopWork{.name = "orders",
                                        .shops = parts.shops,
                                        .lease = [&leases = parts.leases, time = parts.config.lease](
                                                     const std::string& name) { return leases.try_take(name, time); },
                                        .release = [&leases = parts.leases](const std::string& name) { leases.release(name); },
                                        .step =
                                            [&lane](const std::string& shop, const StillOurs& ours) {
                                                return lane.step(shop, ours);
                                            }},
                               clock, parts.config.lease);
    service.runnable("orders", [&lanes] { lanes.start(); }, [&lanes](core::Deadline) { lanes.stop(); });
    add_order_routes(service.admin(),
                     {.checks = checks, .orders = orders, .shops = parts.shops, .clock = clock, .rules = rules_of(config)});
}

}  // namespace reconciliation
