// The tables of inventory-sync, as repeatable scripts, one after the other.
#pragma once

#include <string_view>

namespace inventory_sync {

extern const std::string_view kSchema;
extern const std::string_view kSchemaWidened;
extern const std::string_view kSchemaKitLeases;

}  // namespace inventory_sync
