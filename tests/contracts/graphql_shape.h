// The body of an orders/* webhook as the Admin API would have given the same order over GraphQL (the selection of libs/shopify's
// Order.graphql): what the contract between the two mappings is tested with. It knows nothing of either mapping.
#pragma once

#include <syncline/json/document.h>
#include <string>

namespace contracts {

[[nodiscard]] std::string graphql_shape(syncline::json::Value webhook_order);

}  // namespace contracts
