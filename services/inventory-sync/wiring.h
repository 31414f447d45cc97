// What inventory-sync is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

namespace inventory_sync {

void wire(syncline::kit::Service& service);

}  // namespace inventory_sync
