// What helpdesk-sync is made of; run by main() and by the test harness.
#pragma once

#include <syncline/kit/service.h>

#include "app/ports.h"
#include "config.h"

namespace helpdesk_sync {

void wire(kit::Service& service);
// Everything but Zendesk: tests bring a desk of their own. `desk` must outlive the service.
void wire_with(kit::Service& service, const Config& config, HelpDesk& desk);

}  // namespace helpdesk_sync
