// inventory-sync's mapping file, read for what a comparison needs of it.
//
// The file is inventory-sync's: it validates every key. What is not needed here is passed over, so that a new key of it stops
// nobody; what is needed and does not fit refuses the file (kind malformed, code "mapping_malformed").
#pragma once

#include <string_view>

#include "domain/stock_rules.h"

namespace reconciliation {

[[nodiscard]] core::Result<StockRules> parse_stock_mapping(std::string_view yaml);

}  // namespace reconciliation
