#include "adapters/mapping_file.h"

#include <syncline/core/ids.h>
#include <syncline/core/parse.h>
#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <initializer_list>

namespace inventory_sync {
namespace {

constexpr std::int64_t kPiecesMax = 1'000'000'000;
constexpr std::int64_t kLagMax = 7 * 24 * 3600;

// Thrown inside this file only and turned into an Error at its door: yaml-cpp throws anyway.
struct Refused {
    std::string what;
};

[[noreturn]] void refuse(const YAML::Node& node, const std::string& what) {
    const auto line = node.IsDefined() ? node.Mark().line + 1 : 0;
    throw Refused{(line > 0 ? "line " + std::to_string(line) + ": " : std::string{}) + what};
}

void only(const YAML::Node& node, const std::string& where, std::initializer_list<std::string_view> keys) {
    if (!node.IsMap()) {
        refuse(node, (where.empty() ? "the file" : where) + " must be a map");
    }
    std::vector<std::string> seen;
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::ranges::find(keys, key) == keys.end()) {
            refuse(entry.first, "unknown key " + where + (where.empty() ? "" : ".") + key);
        }
        if (std::ranges::find(seen, key) != seen.end()) {
            refuse(entry.first, where + (where.empty() ? "" : ".") + key + " stands twice");
        }
        seen.push_back(key);
    }
}

std::string text(const YAML::Node& node, const char* key, const std::string& where) {
    const auto value = node[key];
    if (!value.IsDefined() || !value.IsScalar() || value.as<std::string>().empty()) {
        refuse(value.IsDefined() ? value : node, where + " needs " + key);
    }
    return value.as<std::string>();
}

std::int64_t whole(const YAML::Node& node, const std::string& what, std::int64_t least, std::int64_t most) {
    const auto number =
        node.IsScalar() ? core::parse_int<std::int64_t>(node.as<std::string>()) : core::fail(core::ErrorKind::malformed, "", "");
    if (!number || *number < least || *number > most) {
        refuse(node, what + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return *number;
}

std::int64_t location(const YAML::Node& node, const std::string& what) {
    return whole(node, what + " (Shopify's location id)", 1, std::numeric_limits<std::int64_t>::max());
}

// "90s", "-5m", "2h"
std::chrono::milliseconds lag(const YAML::Node& node, const char* key, const std::string& where) {
    const auto value = node[key];
    if (!value.IsDefined()) {
        return std::chrono::milliseconds{0};
    }
    auto digits = value.IsScalar() ? value.as<std::string>() : std::string{};
    std::int64_t unit = 0;
    if (!digits.empty()) {
        unit = digits.back() == 's' ? 1 : digits.back() == 'm' ? 60 : digits.back() == 'h' ? 3600 : 0;
        digits.pop_back();
    }
    const auto number = core::parse_int<std::int32_t>(digits);
    if (unit == 0 || !number || std::abs(*number * unit) > kLagMax) {
        refuse(value, where + "." + key + " must be a time such as 90s, 5m or -2h, at most seven days");
    }
    return std::chrono::seconds(*number * unit);
}

Basis basis(const YAML::Node& node, const std::string& where) {
    const auto word = text(node, "basis", where);
    if (word == "physical") {
        return Basis::physical;
    }
    if (word == "net_of_own") {
        return Basis::net_of_own;
    }
    if (word == "net_of_all") {
        return Basis::net_of_all;
    }
    refuse(node["basis"], where + ".basis must be physical, net_of_own or net_of_all");
}

std::string optional_text(const YAML::Node& node, const char* key, const std::string& where, std::string otherwise) {
    return node[key].IsDefined() ? text(node, key, where) : std::move(otherwise);
}

std::string absolute(const YAML::Node& node, const char* key, const std::string& where) {
    auto path = text(node, key, where);
    if (!path.starts_with('/')) {
        refuse(node[key], where + "." + key + " must be an absolute path");
    }
    return path;
}

SftpRule read_sftp(const YAML::Node& node, const std::string& where) {
    only(node, where, {"host", "port", "user", "path", "host_key", "key_file", "password_file", "after", "bytes_max", "every"});
    SftpRule rule{.host = text(node, "host", where),
                  .user = text(node, "user", where),
                  .path = absolute(node, "path", where),
                  .host_key = text(node, "host_key", where),
                  .key_file = {},
                  .password_file = {}};
    constexpr std::string_view kHostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    if (rule.host.find_first_not_of(kHostCharacters) != std::string::npos) {
        refuse(node["host"], where + ".host must be a name or an address");
    }
    while (rule.path.size() > 1 && rule.path.ends_with('/')) {
        rule.path.pop_back();
    }
    if (rule.host_key.starts_with("SHA256:")) {
        rule.host_key.erase(0, 7);
    }
    while (rule.host_key.ends_with('=')) {
        rule.host_key.pop_back();
    }
    constexpr std::size_t kSha256Base64 = 43;
    if (rule.host_key.size() != kSha256Base64) {
        refuse(node["host_key"], where + ".host_key must be SHA256:… as ssh-keygen -lf shows it");
    }
    if (const auto port = node["port"]; port.IsDefined()) {
        rule.port = static_cast<int>(whole(port, where + ".port", 1, 65'535));
    }
    if (node["key_file"].IsDefined() == node["password_file"].IsDefined()) {
        refuse(node, where + " needs either key_file or password_file");
    }
    if (node["key_file"].IsDefined()) {
        rule.key_file = absolute(node, "key_file", where);
    } else {
        rule.password_file = absolute(node, "password_file", where);
    }
    const auto after = optional_text(node, "after", where, "keep");
    if (after != "keep" && after != "delete") {
        refuse(node["after"], where + ".after must be keep or delete");
    }
    rule.delete_after = after == "delete";
    if (node["every"].IsDefined()) {
        rule.every = lag(node, "every", where);
        if (rule.every < std::chrono::seconds(1)) {
            refuse(node["every"], where + ".every must be at least 1s");
        }
    }
    if (const auto most = node["bytes_max"]; most.IsDefined()) {
        rule.bytes_max = whole(most, where + ".bytes_max", 1, 1'000'000'000'000);
    }
    return rule;
}

FolderRule read_files(const YAML::Node& node, const std::string& where) {
    only(node, where,
         {"folder", "complete", "format", "row", "delimiter", "decimal", "columns", "location", "shrink_refused_below", "sftp"});
    FolderRule rule{.folder = text(node, "folder", where), .by_rename = false, .file = {}, .sftp = {}};
    if (!rule.folder.starts_with('/')) {
        refuse(node["folder"], where + ".folder must be an absolute path");
    }
    const auto complete = optional_text(node, "complete", where, "done_file");
    if (complete != "done_file" && complete != "rename") {
        refuse(node["complete"], where + ".complete must be done_file or rename");
    }
    rule.by_rename = complete == "rename";
    const auto format = optional_text(node, "format", where, "csv");
    if (format != "csv" && format != "xml") {
        refuse(node["format"], where + ".format must be csv or xml");
    }
    if (format == "xml") {
        rule.file.format = FileFormat::xml;
        rule.file.row = text(node, "row", where);
        if (node["delimiter"].IsDefined()) {
            refuse(node["delimiter"], where + ": XML has no delimiter");
        }
    } else if (node["row"].IsDefined()) {
        refuse(node["row"], where + ".row belongs to format xml");
    }
    const auto delimiter = optional_text(node, "delimiter", where, ";");
    if (delimiter != ";" && delimiter != "," && delimiter != "|" && delimiter != "tab") {
        refuse(node["delimiter"], where + R"(.delimiter must be ";", ",", "|" or tab)");
    }
    rule.file.delimiter = delimiter == "tab" ? '\t' : delimiter.front();
    const auto decimal = optional_text(node, "decimal", where, "point");
    if (decimal != "point" && decimal != "comma") {
        refuse(node["decimal"], where + ".decimal must be point or comma");
    }
    rule.file.decimal_comma = decimal == "comma";
    if (const auto columns = node["columns"]; columns.IsDefined()) {
        only(columns, where + ".columns", {"sku", "quantity", "location", "unit"});
        rule.file.sku = optional_text(columns, "sku", where + ".columns", rule.file.sku);
        rule.file.quantity = optional_text(columns, "quantity", where + ".columns", rule.file.quantity);
        rule.file.location = optional_text(columns, "location", where + ".columns", "");
        rule.file.unit = optional_text(columns, "unit", where + ".columns", "");
    }
    rule.file.fixed_location = optional_text(node, "location", where, "");
    if (rule.file.location.empty() == rule.file.fixed_location.empty()) {
        refuse(node, where + " needs either columns.location or location");
    }
    if (const auto shrink = node["shrink_refused_below"]; shrink.IsDefined()) {
        rule.file.shrink_refused_below = static_cast<int>(whole(shrink, where + ".shrink_refused_below (percent)", 0, 100));
    }
    if (const auto sftp = node["sftp"]; sftp.IsDefined()) {
        rule.sftp = read_sftp(sftp, where + ".sftp");
    }
    return rule;
}

OdooRule read_odoo(const YAML::Node& node, const std::string& where) {
    only(node, where,
         {"url", "database", "login", "api_key_file", "companies", "locations", "every", "overlap", "whole_every",
          "shrink_refused_below"});
    OdooRule rule{.url = text(node, "url", where),
                  .database = optional_text(node, "database", where, ""),
                  .login = optional_text(node, "login", where, ""),
                  .api_key_file = absolute(node, "api_key_file", where),
                  .companies = {},
                  .locations = {}};
    if (!rule.url.starts_with("https://") && !rule.url.starts_with("http://")) {
        refuse(node["url"], where + ".url must begin with https:// or http://");
    }
    while (rule.url.ends_with('/')) {
        rule.url.pop_back();
    }
    if (const auto companies = node["companies"]; companies.IsDefined()) {
        if (!companies.IsSequence() || companies.size() == 0) {
            refuse(companies, where + ".companies must be a list of company ids");
        }
        for (const auto& company : companies) {
            rule.companies.push_back(whole(company, where + ".companies[]", 1, std::numeric_limits<std::int32_t>::max()));
        }
    }
    if (const auto locations = node["locations"]; locations.IsDefined()) {
        if (!locations.IsMap() || locations.size() == 0) {
            refuse(locations, where + ".locations must be a map of a name to the id of a stock.location");
        }
        for (const auto& entry : locations) {
            rule.locations[entry.first.as<std::string>()] =
                whole(entry.second, where + ".locations (stock.location id)", 1, std::numeric_limits<std::int32_t>::max());
        }
    }
    const auto time = [&](const char* key, std::chrono::milliseconds& value, std::chrono::milliseconds least) {
        if (node[key].IsDefined()) {
            value = lag(node, key, where);
        }
        if (value < least) {
            refuse(node[key], where + "." + key + " must be at least " + std::to_string(least.count() / 1000) + "s");
        }
    };
    time("every", rule.every, std::chrono::seconds(1));
    time("overlap", rule.overlap, std::chrono::seconds(2));
    time("whole_every", rule.whole_every, std::chrono::seconds(1));
    if (const auto shrink = node["shrink_refused_below"]; shrink.IsDefined()) {
        rule.shrink_refused_below = static_cast<int>(whole(shrink, where + ".shrink_refused_below (percent)", 0, 100));
    }
    return rule;
}

void read_sources(const YAML::Node& root, Rules& rules) {
    if (!root["sources"].IsDefined() || !root["sources"].IsMap() || root["sources"].size() == 0) {
        refuse(root, "sources must name at least one source with its basis");
    }
    for (const auto& entry : root["sources"]) {
        const auto name = entry.first.as<std::string>();
        const auto where = "sources." + name;
        only(entry.second, where, {"basis", "shipment_lag", "order_lag", "units", "files", "odoo"});
        SourceRule rule{.basis = basis(entry.second, where),
                        .shipment_lag = lag(entry.second, "shipment_lag", where),
                        .order_lag = lag(entry.second, "order_lag", where)};
        if (const auto units = entry.second["units"]; units.IsDefined()) {
            if (!units.IsMap()) {
                refuse(units, where + ".units must be a map of a unit to the pieces in it");
            }
            for (const auto& unit : units) {
                const auto pieces = Decimal::parse(unit.second.IsScalar() ? unit.second.as<std::string>() : std::string{});
                if (!pieces || pieces->sign() <= 0 || *pieces > Decimal(1'000'000) || pieces->places() > 6) {
                    refuse(unit.second, where + ".units: the pieces in a unit must be a number above 0, at most 1000000");
                }
                rule.units[unit.first.as<std::string>()] = *pieces;
            }
        }
        if (const auto files = entry.second["files"]; files.IsDefined()) {
            rule.files = read_files(files, where + ".files");
        }
        if (const auto odoo = entry.second["odoo"]; odoo.IsDefined()) {
            if (rule.files) {
                refuse(odoo, where + " reads either files or odoo");
            }
            rule.odoo = read_odoo(odoo, where + ".odoo");
        }
        if (!rules.sources.emplace(name, std::move(rule)).second) {
            refuse(entry.first, where + " stands twice");
        }
    }
}

Place place(const YAML::Node& node, const std::string& where, const Rules& rules) {
    only(node, where, {"source", "location"});
    Place place{.source = text(node, "source", where), .location = text(node, "location", where)};
    if (!rules.sources.contains(place.source)) {
        refuse(node, where + " names the source " + place.source + ", which is not under sources");
    }
    return place;
}

void read_locations(const YAML::Node& node, const std::string& where, const Rules& rules, ShopRules& shop) {
    if (!node.IsSequence() || node.size() == 0) {
        refuse(node, where + " must be a list, the priority location first");
    }
    for (const auto& entry : node) {
        only(entry, where + "[]", {"id", "from"});
        LocationRule rule{.location = location(entry["id"], where + "[].id"), .from = {}};
        if (shop.find(rule.location) != nullptr) {
            refuse(entry, where + ": location " + std::to_string(rule.location) + " stands twice");
        }
        const auto from = entry["from"];
        if (!from.IsDefined() || !from.IsSequence() || from.size() == 0) {
            refuse(entry, where + "[] needs from: a list of {source, location}");
        }
        std::optional<Basis> of_first;
        for (const auto& one : from) {
            auto fed_by = place(one, where + "[].from[]", rules);
            const auto fed_basis = rules.sources.at(fed_by.source).basis;
            if (of_first && *of_first != fed_basis) {
                refuse(one, where + ": sources of different basis cannot feed one location");
            }
            of_first = fed_basis;
            if (std::ranges::find(rule.from, fed_by) != rule.from.end()) {
                refuse(one, where + ": " + fed_by.source + "/" + fed_by.location + " feeds the location twice");
            }
            rule.from.push_back(std::move(fed_by));
        }
        shop.locations.push_back(std::move(rule));
    }
}

std::optional<std::int64_t> pieces(const YAML::Node& node, const char* key) {
    const auto value = node[key];
    return value.IsDefined() ? std::optional(whole(value, std::string("policies[].") + key, 0, kPiecesMax)) : std::nullopt;
}

void read_policies(const YAML::Node& node, const std::string& where, ShopRules& shop) {
    if (!node.IsDefined()) {
        return;
    }
    if (!node.IsSequence()) {
        refuse(node, where + " must be a list");
    }
    std::vector<std::pair<std::string, std::int64_t>> seen;
    for (const auto& entry : node) {
        only(entry, where + "[]", {"sku", "location", "buffer", "minimum", "hide_below"});
        const auto sku = entry["sku"].IsDefined() ? text(entry, "sku", where + "[]") : std::string{};
        const auto at = entry["location"].IsDefined() ? location(entry["location"], where + "[].location") : 0;
        if (at != 0 && shop.find(at) == nullptr) {
            refuse(entry, where + ": location " + std::to_string(at) + " is not under locations");
        }
        if (std::ranges::find(seen, std::pair(sku, at)) != seen.end()) {
            refuse(entry, where + ": two policies for the same SKU and location");
        }
        seen.emplace_back(sku, at);
        const Policy policy{
            .buffer = pieces(entry, "buffer"), .minimum = pieces(entry, "minimum"), .hide_below = pieces(entry, "hide_below")};
        if (sku.empty() && at == 0) {
            shop.all = policy;
        } else if (sku.empty()) {
            shop.by_location[at] = policy;
        } else if (at == 0) {
            shop.by_sku[sku] = policy;
        } else {
            shop.by_sku_and_location[{sku, at}] = policy;
        }
    }
}

}  // namespace

core::Result<Rules> parse_mapping(std::string_view yaml) {
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        only(root, "", {"sources", "shops", "ignored"});
        Rules rules;
        read_sources(root, rules);
        if (!root["shops"].IsDefined() || !root["shops"].IsMap()) {
            refuse(root, "shops must be a map of shop aliases");
        }
        for (const auto& entry : root["shops"]) {
            const auto name = entry.first.as<std::string>();
            const auto where = "shops." + name;
            if (!core::parse_shop_alias(name)) {
                refuse(entry.first, where + " is not a shop alias");
            }
            only(entry.second, where, {"locations", "policies"});
            ShopRules shop;
            read_locations(entry.second["locations"], where + ".locations", rules, shop);
            read_policies(entry.second["policies"], where + ".policies", shop);
            if (!rules.shops.emplace(name, std::move(shop)).second) {
                refuse(entry.first, where + " stands twice");
            }
        }
        if (const auto ignored = root["ignored"]; ignored.IsDefined()) {
            if (!ignored.IsSequence()) {
                refuse(ignored, "ignored must be a list of {source, location}");
            }
            for (const auto& one : ignored) {
                auto left_out = place(one, "ignored[]", rules);
                if (rules.is_mapped(left_out)) {
                    refuse(one, "ignored[]: " + left_out.source + "/" + left_out.location + " feeds a location");
                }
                rules.ignored.insert(std::move(left_out));
            }
        }
        return rules;
    } catch (const Refused& refused) {
        return core::fail(core::ErrorKind::malformed, "mapping_malformed", refused.what);
    } catch (const YAML::Exception& exception) {
        return core::fail(core::ErrorKind::malformed, "mapping_malformed",
                          "line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
    }
}

}  // namespace inventory_sync
