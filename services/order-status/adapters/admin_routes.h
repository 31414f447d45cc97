// GET /admin/orders/{shop}/{id}: what is known of an order and what Shopify shows of it.
#pragma once

#include <syncline/kit/admin.h>

#include "app/ports.h"
#include "app/shop_circuits.h"

namespace order_status {

// Both must outlive the router.
void add_admin_routes(kit::AdminRouter& router, StatusStore& store, const ShopCircuits& circuits);

}  // namespace order_status
