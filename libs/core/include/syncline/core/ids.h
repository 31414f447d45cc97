// Names and numbers of things, each a type of its own, so that an order id never goes where a customer id belongs.
//
// Value types; comparable, hashable, any thread.
#pragma once

#include <syncline/core/error.h>
#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::core {

template <typename Tag, typename Value = std::string>
class StrongId {
public:
    using value_type = Value;
    StrongId() = default;
    explicit StrongId(Value value) : value_(std::move(value)) {}
    [[nodiscard]] const Value& value() const { return value_; }
    // For keys and logs.
    [[nodiscard]] std::string text() const {
        if constexpr (std::integral<Value>) {
            return std::to_string(value_);
        } else {
            return std::string(value_);
        }
    }
    friend bool operator==(const StrongId&, const StrongId&) = default;
    friend auto operator<=>(const StrongId&, const StrongId&) = default;

private:
    Value value_{};
};

// The alias of a shop in the configuration ("eu", "us-b2b"), never its domain. Keys, external ids and metrics use it.
using ShopAlias = StrongId<struct ShopAliasTag>;
// One configured target system ("odoo-main").
using ConnectionName = StrongId<struct ConnectionNameTag>;
using Sku = StrongId<struct SkuTag>;
// The ce_id of an event.
using EventId = StrongId<struct EventIdTag>;
// Shopify's 64-bit ids. They repeat between shops.
using OrderId = StrongId<struct OrderIdTag, std::uint64_t>;
using CustomerId = StrongId<struct CustomerIdTag, std::uint64_t>;
using RefundId = StrongId<struct RefundIdTag, std::uint64_t>;

// An alias: 1 to 32 of [a-z0-9-], beginning and ending with a letter or digit. Else kind malformed, code "shop_alias_malformed".
[[nodiscard]] Result<ShopAlias> parse_shop_alias(std::string_view text);
// Same rule; code "connection_name_malformed".
[[nodiscard]] Result<ConnectionName> parse_connection_name(std::string_view text);

}  // namespace syncline::core

template <typename Tag, typename Value>
struct std::hash<syncline::core::StrongId<Tag, Value>> {
    std::size_t operator()(const syncline::core::StrongId<Tag, Value>& id) const { return std::hash<Value>{}(id.value()); }
};
