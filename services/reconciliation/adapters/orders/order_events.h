// An order fetched from Shopify as the events that leave: the snapshot, its refunds and the movements of their money.
//
// Ids are made from what the events say, so that the same state fetched again gives the same ids. Pure functions, any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <string>

#include "app/order_ports.h"

namespace reconciliation {

namespace json = syncline::json;

// Errors: kind malformed, naming the member.
[[nodiscard]] core::Result<OrderAsEvents> order_as_events(const std::string& shop, json::Value order,
                                                          core::SystemTime observed_at, Purpose purpose,
                                                          const std::string& occasion);

// The order was looked up and is gone.
[[nodiscard]] LeavingEvent confirmed_deletion(const std::string& shop, std::int64_t order_id, core::SystemTime observed_at);

}  // namespace reconciliation
