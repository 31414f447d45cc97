// What order-export is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

namespace order_export {

void wire(syncline::kit::Service& service);

}  // namespace order_export
