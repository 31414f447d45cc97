// Leases were a table of this service's own before they were the kit's (syncline/kit/leases.h): what made it, and what ends it.
// Both for Service::migration.
#pragma once

#include <string_view>

namespace reconciliation {

extern const std::string_view kOwnLeasesSchema;
extern const std::string_view kKitLeasesSchema;

}  // namespace reconciliation
