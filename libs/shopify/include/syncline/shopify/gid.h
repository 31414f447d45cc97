// Shopify's global ids: "gid://shopify/InventoryItem/30322695". Pure, any thread.
#pragma once

#include <syncline/core/error.h>
#include <syncline/core/ids.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::shopify {

using InventoryItemId = core::StrongId<struct InventoryItemIdTag, std::uint64_t>;
using LocationId = core::StrongId<struct LocationIdTag, std::uint64_t>;

[[nodiscard]] std::string gid(std::string_view type, std::uint64_t id);
// The number behind the last slash, without a query ("…?inventory_item_id=1"); kind malformed, code "gid_malformed", for another
// type than `type`.
[[nodiscard]] core::Result<std::uint64_t> id_of(std::string_view gid, std::string_view type);
// "Order"; empty for what is no gid.
[[nodiscard]] std::string_view type_of(std::string_view gid);

}  // namespace syncline::shopify
