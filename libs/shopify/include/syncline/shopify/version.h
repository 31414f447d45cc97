// How long a version of the Admin API lasts. Pure, any thread.
#pragma once

#include <syncline/core/clock.h>
#include <optional>
#include <string_view>

namespace syncline::shopify {

// Days until the support that Shopify promises (twelve months from the first of the quarter, 17:00 UTC) ends; negative
// afterwards. nullopt for "unstable" and what is no version.
[[nodiscard]] std::optional<double> days_left(std::string_view version, core::SystemTime now);

}  // namespace syncline::shopify
