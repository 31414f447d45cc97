// One GraphQL document of libs/shopify/graphql and the variables of one call. Values, any thread.
//
// The constants are generated into <syncline/shopify/operations.h>: kSetQuantities, kOrder, …
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::shopify {

enum class OperationKind : std::uint8_t { query, mutation };

struct Operation {
    std::string_view name;  // Of the operation: a metric label.
    std::string_view text;
    OperationKind kind = OperationKind::query;
    // Points it requests, until Shopify's first reply tells: cost + cost_per_item * Variables::items.
    int cost = 0;
    int cost_per_item = 0;
    bool denied_allowed = false;  // Fields that Shopify denies come as null instead of failing the call.
};

struct Variables {
    std::string json = "{}";  // One JSON object.
    std::size_t items = 0;    // Elements of the list that sizes the call, if one does.
};

// Who goes first when points are short. A lower priority waits as long as a higher one has something to send.
enum class Priority : std::uint8_t { stock_and_orders, prices, rest };

// "stock_and_orders", …: a metric label.
[[nodiscard]] std::string_view to_string(Priority priority);

// The operation of that name; nullptr for an unknown one.
[[nodiscard]] const Operation* find_operation(std::string_view name);

}  // namespace syncline::shopify
