// An order fetched over GraphQL as the snapshot that a webhook would have given.
//
//   auto order = shopify::order(admin, id, …);
//   auto event = map_fetched_order("eu", (*order)->document.root(), (*order)->observed_at);
//
// For one state of an order this and the webhook's mapping (ingress) agree field by field, the content hash included where no
// exception below applies. The exceptions, all of them because Shopify tells one side what it does not tell the other:
//   lines.fulfillment_service, transactions.source_name, exchanged_order_ids, company_contact
//                                  not in GraphQL: empty
//   lines.kind tip, fee            GraphQL shows a tip and a fee as custom lines
//   merchant_of_record_app_id, merchant_business_entity_id
//                                  a gid in GraphQL, an encoded number in webhooks
//   refunds.adjustments.kind, .reason
//                                  one closed list in GraphQL; kind and phrase are made from it
//   refunds.restock, .total_duties made from the lines and the duties
//   refunds.transactions.shop_amount, .total_unsettled
//                                  webhooks leave them out of some transactions
//   fulfillments.shipment_status   of GraphQL's list, only what a carrier says
//   lines.fulfillment_status       made from the fulfillments
//   total_line_items_price         Σ price × quantity: GraphQL has no such total
//   payment_schedules.amount       GraphQL's balance, which is nothing once it is paid
// Pure function, any thread. Errors: kind malformed, naming the member and never its value.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <string>
#include <string_view>

namespace syncline::orders::v1 {
class Order;
class OrderChanged;
enum Cause : int;
}  // namespace syncline::orders::v1

namespace reconciliation {

namespace core = syncline::core;
namespace json = syncline::json;

// `order` is the selection of libs/shopify's Order.graphql, all pages of it in place. Sets the version (fetched) and the hash.
[[nodiscard]] core::Result<void> map_fetched_order(std::string_view shop, json::Value order, core::SystemTime observed_at,
                                                   syncline::orders::v1::OrderChanged& to);

// ce_id: the same for the same state fetched again. `occasion` tells apart what must arrive once more although the state is the
// same: the proof, after a deletion was told, that the order is still there.
[[nodiscard]] std::string fetched_event_id(const syncline::orders::v1::OrderChanged& event, std::string_view occasion = {});

}  // namespace reconciliation
