// The body of orders/* as a snapshot.
#pragma once

#include <syncline/json/document.h>

#include "adapters/shopify/members.h"

namespace syncline::orders::v1 {
class Order;
}

namespace ingress {

// Everything of the order but its version and hash. `mapping`'s personal data must be that of `to`'s envelope.
void map_order(Mapping& mapping, syncline::orders::v1::Order& to, syncline::json::Value from);

}  // namespace ingress
