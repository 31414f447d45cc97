// What is taken out of a body that could not be mapped before it is kept as a dead letter.
//
// Tokens, IP addresses, client and payment details and gateway receipts never leave ingress, wherever they stand in the body.
#pragma once

#include <syncline/json/document.h>
#include <string>
#include <string_view>

namespace ingress {

[[nodiscard]] bool denied_member(std::string_view name) noexcept;

// The body's JSON without the members that denied_member() names, at any depth. What remains maps to the same event.
[[nodiscard]] std::string without_denied_members(syncline::json::Value root);

}  // namespace ingress
