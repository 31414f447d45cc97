#include "adapters/stock_mapping.h"

#include <syncline/core/parse.h>
#include <yaml-cpp/yaml.h>

namespace reconciliation {
namespace {

// Thrown inside this file only and turned into an Error at its door: yaml-cpp throws anyway.
struct Refused {
    std::string what;
};

[[noreturn]] void refuse(const YAML::Node& node, const std::string& what) {
    const auto line = node.IsDefined() ? node.Mark().line + 1 : 0;
    throw Refused{(line > 0 ? "line " + std::to_string(line) + ": " : std::string{}) + what};
}

std::string text(const YAML::Node& node, const char* key, const std::string& where) {
    const auto value = node[key];
    if (!value.IsDefined() || !value.IsScalar() || value.as<std::string>().empty()) {
        refuse(node, where + " needs " + key);
    }
    return value.as<std::string>();
}

std::string text_or(const YAML::Node& node, const char* key, const std::string& where, std::string otherwise) {
    return node[key].IsDefined() ? text(node, key, where) : std::move(otherwise);
}

std::string location_id(const YAML::Node& node, const char* key, const std::string& where) {
    const auto id = text(node, key, where);
    const auto number = core::parse_int<std::int64_t>(id);
    if (!number || *number <= 0) {
        refuse(node, where + "." + key + " must be Shopify's location id");
    }
    return std::to_string(*number);
}

std::optional<SourceFiles> files_of(const YAML::Node& node, const std::string& where) {
    const auto files = node["files"];
    // Other formats than CSV are inventory-sync's alone.
    if (!files.IsDefined() || (files["format"].IsDefined() && text(files, "format", where) != "csv")) {
        return std::nullopt;
    }
    SourceFiles rule;
    rule.folder = text(files, "folder", where + ".files");
    rule.by_rename = text_or(files, "complete", where, "done_file") == "rename";
    const auto delimiter = text_or(files, "delimiter", where, ";");
    rule.delimiter = delimiter == "tab" ? '\t' : delimiter.front();
    rule.decimal_comma = text_or(files, "decimal", where, "point") == "comma";
    if (const auto columns = files["columns"]; columns.IsDefined()) {
        rule.sku = text_or(columns, "sku", where, rule.sku);
        rule.quantity = text_or(columns, "quantity", where, rule.quantity);
        rule.location = text_or(columns, "location", where, "");
        rule.unit = text_or(columns, "unit", where, "");
    }
    rule.fixed_location = text_or(files, "location", where, "");
    return rule;
}

std::optional<core::Decimal> pieces(const YAML::Node& node, const char* key, const std::string& where) {
    if (!node[key].IsDefined()) {
        return std::nullopt;
    }
    const auto number = core::Decimal::parse(text(node, key, where));
    if (!number || number->sign() < 0) {
        refuse(node[key], where + "." + key + " must be a number of pieces");
    }
    return *number;
}

ShopRules shop_of(const YAML::Node& node, const std::string& where) {
    ShopRules shop;
    for (const auto& entry : node["locations"]) {
        auto& from = shop.locations[location_id(entry, "id", where + ".locations[]")];
        for (const auto& one : entry["from"]) {
            from.push_back({.source = text(one, "source", where), .place = text(one, "location", where)});
        }
        if (from.empty()) {
            refuse(entry, where + ".locations[] needs from");
        }
    }
    for (const auto& entry : node["policies"]) {
        const auto sku = text_or(entry, "sku", where, "");
        const auto location = entry["location"].IsDefined() ? location_id(entry, "location", where + ".policies[]") : "";
        shop.policies[{sku, location}] = {.buffer = pieces(entry, "buffer", where),
                                          .minimum = pieces(entry, "minimum", where),
                                          .hide_below = pieces(entry, "hide_below", where)};
    }
    return shop;
}

}  // namespace

core::Result<StockRules> parse_stock_mapping(std::string_view yaml) {
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        if (!root.IsMap() || !root["sources"].IsMap() || !root["shops"].IsMap()) {
            return core::fail(core::ErrorKind::malformed, "mapping_malformed", "the mapping needs sources and shops");
        }
        StockRules rules;
        for (const auto& entry : root["sources"]) {
            const auto name = entry.first.as<std::string>();
            const auto where = "sources." + name;
            rules.sources[name] = {.physical = text(entry.second, "basis", where) == "physical",
                                   .files = files_of(entry.second, where)};
        }
        for (const auto& entry : root["shops"]) {
            const auto name = entry.first.as<std::string>();
            rules.shops[name] = shop_of(entry.second, "shops." + name);
        }
        return rules;
    } catch (const Refused& refused) {
        return core::fail(core::ErrorKind::malformed, "mapping_malformed", refused.what);
    } catch (const YAML::Exception& exception) {
        return core::fail(core::ErrorKind::malformed, "mapping_malformed",
                          "line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
    }
}

}  // namespace reconciliation
