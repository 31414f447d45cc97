// application/x-www-form-urlencoded bodies of Shopify's token door.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::shopify {

[[nodiscard]] std::string form_body(std::initializer_list<std::pair<std::string_view, std::string_view>> members);

}  // namespace syncline::shopify
