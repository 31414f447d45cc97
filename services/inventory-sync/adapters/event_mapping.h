// Events into the values of the domain: the only file that sees both. Pure; any thread.
#pragma once

#include <syncline/fulfillments/v1/events.pb.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/orders/v1/events.pb.h>

#include "adapters/pg_locations.h"
#include "adapters/pg_order_intake.h"
#include "adapters/pg_stock_intake.h"

namespace inventory_sync {

namespace inventory_v1 = syncline::inventory::v1;
namespace orders_v1 = syncline::orders::v1;
namespace fulfillments_v1 = syncline::fulfillments::v1;

// Errors: kind malformed; codes "position_incomplete", "basis_unknown", "quantity_out_of_range", "decimal_malformed",
// "observed_at_missing", "adjustment_id_missing", "quantity_not_whole".
[[nodiscard]] core::Result<ArrivedLevel> to_level(const inventory_v1::StockReported& event);
[[nodiscard]] core::Result<ArrivedChange> to_change(const inventory_v1::StockAdjusted& event);
[[nodiscard]] core::Result<OrderSnapshot> to_order(const orders_v1::OrderChanged& event);
[[nodiscard]] core::Result<ArrivedFulfillment> to_fulfillment(const fulfillments_v1::FulfillmentChanged& event);
[[nodiscard]] ArrivedLocation to_location(const inventory_v1::LocationChanged& event);
[[nodiscard]] ArrivedItem to_item(const inventory_v1::InventoryItemChanged& event);

}  // namespace inventory_sync
