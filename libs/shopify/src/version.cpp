#include "syncline/shopify/version.h"

#include <syncline/core/parse.h>

namespace syncline::shopify {

std::optional<double> days_left(std::string_view version, core::SystemTime now) {
    if (version.size() != 7 || version[4] != '-') {
        return std::nullopt;
    }
    const auto year = core::parse_int<int>(version.substr(0, 4));
    const auto month = core::parse_int<unsigned>(version.substr(5));
    if (!year || !month || *month < 1 || *month > 12) {
        return std::nullopt;
    }
    const std::chrono::year_month_day first{std::chrono::year{*year + 1}, std::chrono::month{*month}, std::chrono::day{1}};
    const core::SystemTime end = std::chrono::sys_days{first} + std::chrono::hours{17};
    return std::chrono::duration<double, std::ratio<86'400>>(end - now).count();
}

}  // namespace syncline::shopify
