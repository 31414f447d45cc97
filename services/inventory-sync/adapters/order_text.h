// The state of an order as the text that its row keeps.
#pragma once

#include <string>
#include <string_view>

#include "domain/order_book.h"

namespace inventory_sync {

[[nodiscard]] std::string text_of(const OrderState& state);
// Kind bug, code "order_text_malformed", for what text_of() did not write.
[[nodiscard]] core::Result<OrderState> order_from(const OrderKey& key, std::string_view text);

}  // namespace inventory_sync
