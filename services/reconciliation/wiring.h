// What reconciliation is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

namespace reconciliation {

void wire(syncline::kit::Service& service);

}  // namespace reconciliation
