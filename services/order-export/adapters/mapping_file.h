// mappings/<connection>.yaml → Rules. The format is documented in deploy/local/mappings/odoo-main.yaml.
#pragma once

#include <syncline/core/error.h>
#include <string_view>

#include "domain/rules.h"

namespace order_export {

// Reads the whole file or nothing: an unknown key, a rate that is no number, an id that is no number are kind malformed, code
// "mapping_malformed", with line and key in the message.
[[nodiscard]] core::Result<Rules> parse_mapping(std::string_view yaml);

}  // namespace order_export
