#include "syncline/shopify/gid.h"

#include <syncline/core/parse.h>

namespace syncline::shopify {
namespace {

constexpr std::string_view kScheme = "gid://shopify/";

}  // namespace

std::string gid(std::string_view type, std::uint64_t id) {
    return std::string(kScheme).append(type).append("/").append(std::to_string(id));
}

std::string_view type_of(std::string_view gid) {
    if (!gid.starts_with(kScheme)) {
        return {};
    }
    const auto rest = gid.substr(kScheme.size());
    const auto slash = rest.find('/');
    return slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
}

core::Result<std::uint64_t> id_of(std::string_view gid, std::string_view type) {
    if (!type.empty() && type_of(gid) == type) {
        auto number = gid.substr(kScheme.size() + type.size() + 1);
        number = number.substr(0, number.find('?'));
        if (const auto id = core::parse_int<std::uint64_t>(number)) {
            return *id;
        }
    }
    return core::fail(core::ErrorKind::malformed, "gid_malformed", std::string("not the global id of a ").append(type));
}

}  // namespace syncline::shopify
