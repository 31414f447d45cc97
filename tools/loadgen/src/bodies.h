// The bodies of webhooks, member for member as Shopify sends them: compact, amounts as decimal text, ids as 64-bit numbers.
#pragma once

#include <string>

#include "src/order.h"

namespace loadgen {

[[nodiscard]] std::string order_body(const Order& order);
[[nodiscard]] std::string refund_body(const Order& order, const Refund& refund);
[[nodiscard]] std::string transaction_body(const Order& order, const Transaction& transaction);
[[nodiscard]] std::string risk_body(const Order& order, std::string_view level, SystemTime at);
struct EditedUnits {
    std::uint64_t line_id = 0;
    std::int64_t units = 0;
};
[[nodiscard]] std::string edit_body(const Order& order, std::uint64_t edit_id, EditedUnits added, EditedUnits removed,
                                    SystemTime at);
[[nodiscard]] std::string delete_body(const Order& order);

}  // namespace loadgen
