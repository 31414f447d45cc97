// The tables of inventory-sync, as one repeatable script.
#pragma once

#include <string_view>

namespace inventory_sync {

extern const std::string_view kSchema;

}  // namespace inventory_sync
