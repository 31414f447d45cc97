#include "config.h"

#include <algorithm>
#include <set>

namespace order_status {

namespace kit = syncline::kit;

namespace {

constexpr std::size_t kTagMax = 40;  // Of an order in Shopify.

std::optional<std::string> must_be_tag(std::string_view text) {
    if (text.size() > kTagMax || text.contains(',')) {
        return "must be a tag: at most 40 characters, no comma";
    }
    return std::nullopt;
}

std::optional<std::string> must_be_namespace(std::string_view text) {
    auto name = text;
    if (name == "$app") {
        return std::nullopt;
    }
    if (name.starts_with("$app:")) {
        name.remove_prefix(5);
    }
    const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain || name.size() < 3 || text.size() > 200) {
        return "must be a namespace of metafields: 3 to 200 letters, digits, - or _, perhaps after $app:";
    }
    return std::nullopt;
}

}  // namespace

void Config::declare(kit::ConfigSchema& schema) {
    schema.add("name", name, {.help = "Name of this deployment, part of the consumer group.", .validate = kit::must_be_alias});
    schema.add("shops", shops,
               {.help = "Aliases of the shops this deployment serves; empty: all. Deployments with names of their own keep busy "
                        "shops apart.",
                .validate = kit::must_be_alias});
    schema.add("metafields.namespace", name_space,
               {.help = "Namespace of the metafields; one that begins with $app belongs to the app alone, any other may be "
                        "searched, pinned and read by the merchant and other apps.",
                .validate = must_be_namespace,
                .example = "$app:syncline"});
    schema.add("tags.exported", tags.exported,
               {.help = "Tag of orders that have a document in a target; empty: none.", .validate = must_be_tag});
    schema.add(
        "tags.held", tags.held,
        {.help = "Tag of orders of which something waits for a mapping or a decision; empty: none.", .validate = must_be_tag});
    schema.add("tags.failed", tags.failed,
               {.help = "Tag of orders that a target refused for good; empty: none.", .validate = must_be_tag});
    schema.add("shop.orders_in_flight_max", circuits.calls_max,
               {.help = "Most orders of one shop written at once; further ones wait.", .unit = "orders", .min = 1, .max = 1'000});
    schema.check("tags.held", [this]() -> std::optional<std::string> {
        std::multiset<std::string> names{tags.exported, tags.held, tags.failed};
        names.erase("");
        if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
            return "the tags must differ from each other";
        }
        return std::nullopt;
    });
}

}  // namespace order_status
