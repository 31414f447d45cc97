#include "orders_config.h"

namespace reconciliation {

// What ingress maps to events. customers/data_request, customers/redact and shop/redact are not among them: Shopify takes those
// from the app's settings alone.
OrdersConfig::OrdersConfig()
    : subscriptions_topics{"orders/create",
                           "orders/updated",
                           "orders/edited",
                           "orders/cancelled",
                           "orders/paid",
                           "orders/fulfilled",
                           "orders/partially_fulfilled",
                           "orders/delete",
                           "orders/risk_assessment_changed",
                           "refunds/create",
                           "order_transactions/create",
                           "fulfillments/create",
                           "fulfillments/update",
                           "fulfillment_orders/order_routing_complete",
                           "fulfillment_orders/moved",
                           "inventory_levels/update",
                           "inventory_items/create",
                           "inventory_items/update",
                           "inventory_items/delete",
                           "locations/create",
                           "locations/update",
                           "locations/activate",
                           "locations/deactivate",
                           "locations/delete",
                           "app/uninstalled"} {}

void OrdersConfig::declare(syncline::kit::ConfigSchema& schema) {
    schema.add("orders.interval", interval,
               {.help = "Time between two scans of a shop for orders that never came.", .min = 500, .max = 3'600'000});
    schema.add("orders.overlap", overlap,
               {.help = "How far a scan looks back behind the last one: Shopify's search index shows changes late.",
                .min = 1'000,
                .max = 86'400'000});
    schema.add(
        "orders.grace", grace,
        {.help = "A change younger than this may still come by its webhook and is not fetched.", .min = 1'000, .max = 3'600'000});
    schema.add("orders.skew", skew, {.help = "How far Shopify's clock may differ from ours.", .min = 0, .max = 600'000});
    schema.add("orders.lookback", lookback,
               {.help = "How far the first scan of a shop looks back.", .min = 60'000, .max = 5'184'000'000});
    schema.add(
        "orders.call_timeout", call_timeout,
        {.help = "Total time of one piece of work at Shopify, waiting for points included.", .min = 1'000, .max = 600'000});
    schema.add("orders.settle", settle,
               {.help = "How long consumers are given for what was sent before inventory-sync is told that all orders are known.",
                .min = 0,
                .max = 3'600'000});
    schema.add("orders.subscriptions.policy", subscriptions_policy,
               {.help = "What is done about webhook subscriptions that are missing or wrong: off, report, repair.",
                .choices = {"off", "report", "repair"}});
    schema.add("orders.subscriptions.uri", subscriptions_uri,
               {.help = "Where Shopify shall send webhooks; empty: subscriptions are not checked. Leave it empty for an app that "
                        "subscribes in its own configuration file: Shopify does not list those.",
                .example = "https://hooks.example.com/webhooks/shopify"});
    schema.add("orders.subscriptions.own_prefix", subscriptions_own_prefix,
               {.help = "Subscriptions to addresses that begin so are ours to change; empty: those to the address itself.",
                .example = "https://hooks.example.com/"});
    schema.add("orders.subscriptions.topics", subscriptions_topics,
               {.help = "Webhook topics that must be subscribed.", .min = 1, .max = 200});
    schema.add("orders.subscriptions.interval", subscriptions_interval,
               {.help = "Time between two checks of a shop's subscriptions.", .min = 500, .max = 86'400'000});
}

}  // namespace reconciliation
