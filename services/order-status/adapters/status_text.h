// A connection's status as the JSON text of its row, and back.
#pragma once

#include <syncline/core/error.h>
#include <string>

#include "domain/status.h"

namespace order_status {

[[nodiscard]] std::string text_of(const ConnectionStatus& status);
// Errors: kind bug, code "status_unreadable".
[[nodiscard]] core::Result<ConnectionStatus> status_from(std::string_view text);

}  // namespace order_status
