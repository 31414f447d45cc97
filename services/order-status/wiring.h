// What order-status is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

#include "app/ports.h"
#include "config.h"

namespace order_status {

void wire(kit::Service& service);
// Everything but Shopify: tests bring a shop of their own. `shops` must outlive the service.
void wire_with(kit::Service& service, const Config& config, ShopOrders& shops);

}  // namespace order_status
