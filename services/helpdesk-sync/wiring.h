// What helpdesk-sync is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

namespace helpdesk_sync {

void wire(syncline::kit::Service& service);

}  // namespace helpdesk_sync
