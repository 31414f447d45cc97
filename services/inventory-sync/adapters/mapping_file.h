// mappings/<name>.yaml of inventory-sync, validated whole. deploy/local/mappings/stock-main.yaml documents it.
#pragma once

#include <string_view>

#include "domain/rules.h"

namespace inventory_sync {

// Kind malformed, code "mapping_malformed"; the message names the line and what is wrong.
[[nodiscard]] core::Result<Rules> parse_mapping(std::string_view yaml);

}  // namespace inventory_sync
