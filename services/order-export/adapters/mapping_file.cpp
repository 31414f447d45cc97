#include "adapters/mapping_file.h"

#include <syncline/core/parse.h>
#include <yaml-cpp/yaml.h>
#include <initializer_list>

namespace order_export {
namespace {

using core::ErrorKind;
using core::fail;

// Thrown inside this file only and turned into an Error at its door: yaml-cpp throws anyway.
struct Refused {
    std::string what;
};

[[noreturn]] void refuse(const YAML::Node& node, const std::string& what) {
    const auto line = node.IsDefined() ? node.Mark().line + 1 : 0;
    throw Refused{(line > 0 ? "line " + std::to_string(line) + ": " : std::string{}) + what};
}

void only(const YAML::Node& node, std::string_view where, std::initializer_list<std::string_view> keys) {
    if (!node.IsDefined() || node.IsNull()) {
        return;
    }
    if (!node.IsMap()) {
        refuse(node, std::string(where) + " must be a map");
    }
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::ranges::find(keys, key) == keys.end()) {
            refuse(entry.first, "unknown key " + std::string(where) + (where.empty() ? "" : ".") + key);
        }
    }
}

// An entry that may be absent, as an empty one: yaml-cpp throws when it is asked for a member of an undefined node.
YAML::Node section(const YAML::Node& node, const char* key) {
    const auto value = node[key];
    return value.IsDefined() ? value : YAML::Node{};
}

std::string text(const YAML::Node& node, const char* key) {
    const auto value = node[key];
    return value.IsDefined() && value.IsScalar() ? value.as<std::string>() : std::string{};
}

bool boolean(const YAML::Node& node, const char* key, bool otherwise) {
    const auto value = node[key];
    if (!value.IsDefined()) {
        return otherwise;
    }
    try {
        return value.as<bool>();
    } catch (const YAML::Exception&) {
        refuse(value, std::string(key) + " must be true or false");
    }
}

TargetId target(const YAML::Node& node, const std::string& what) {
    if (!node.IsDefined() || !node.IsScalar()) {
        refuse(node, what + " needs an id of the target");
    }
    auto id = node.as<std::string>();
    const auto number = core::parse_int<std::int64_t>(id);
    if (!number || *number <= 0) {
        refuse(node, what + " must be the database id of a record, a number above 0");
    }
    return id;
}

Decimal decimal(const YAML::Node& node, const std::string& what) {
    auto value =
        node.IsDefined() && node.IsScalar() ? Decimal::parse(node.as<std::string>()) : fail(ErrorKind::malformed, "", "");
    if (!value) {
        refuse(node, what + " must be a decimal number");
    }
    return *value;
}

Decimal rate_of_percent(const YAML::Node& node, const std::string& what) {
    const auto rate = decimal(node, what).divided_by(Decimal(100), 12, core::Rounding::half_up);
    if (!rate) {
        refuse(node, what + " is out of range");
    }
    return *rate;
}

RiskAnswer answer(const YAML::Node& node, const std::string& what) {
    const auto word = node.IsScalar() ? node.as<std::string>() : std::string{};
    if (word == "confirm") {
        return RiskAnswer::confirm;
    }
    if (word == "leave") {
        return RiskAnswer::leave;
    }
    if (word == "hold") {
        return RiskAnswer::hold;
    }
    refuse(node, what + " must be confirm, leave or hold");
}

void read_taxes(const YAML::Node& root, Rules& rules) {
    for (const auto& node : section(root, "taxes")) {
        only(node, "taxes[]", {"country", "province", "rate", "included", "channel_liable", "title", "tax"});
        TaxRule rule;
        rule.country = text(node, "country");
        rule.province = text(node, "province");
        rule.rate = rate_of_percent(node["rate"], "taxes[].rate");
        rule.included = boolean(node, "included", false);
        rule.channel_liable = boolean(node, "channel_liable", false);
        rule.title = text(node, "title");
        if (text(node, "tax") != "none") {
            rule.target = target(node["tax"], "taxes[].tax");
        }
        rules.taxes.push_back(std::move(rule));
    }
    const auto fallback = section(root, "tax_fallback");
    only(fallback, "tax_fallback", {"included", "excluded"});
    if (fallback["included"].IsDefined()) {
        rules.fallback_included = target(fallback["included"], "tax_fallback.included");
    }
    if (fallback["excluded"].IsDefined()) {
        rules.fallback_excluded = target(fallback["excluded"], "tax_fallback.excluded");
    }
}

void read_tables(const YAML::Node& root, Rules& rules) {
    for (const auto& entry : section(root, "pricelists")) {
        rules.pricelists[entry.first.as<std::string>()] = target(entry.second, "pricelists." + entry.first.as<std::string>());
    }
    for (const auto& node : section(root, "warehouses")) {
        only(node, "warehouses[]", {"shop", "country", "source", "location", "warehouse"});
        WarehouseRule rule{.shop = text(node, "shop"),
                           .country = text(node, "country"),
                           .source = text(node, "source"),
                           .location_id = 0,
                           .target = {}};
        if (node["location"].IsDefined()) {
            rule.location_id = core::parse_int<std::uint64_t>(text(node, "location")).value_or(0);
        }
        rule.target = target(node["warehouse"], "warehouses[].warehouse");
        rules.warehouses.push_back(std::move(rule));
    }
    for (const auto& entry : section(root, "products")) {
        rules.products[entry.first.as<std::string>()] = target(entry.second, "products." + entry.first.as<std::string>());
    }
    rules.look_up_sku = boolean(root, "look_up_sku", rules.look_up_sku);
    for (const auto& entry : section(root, "lines")) {
        const auto name = entry.first.as<std::string>();
        const auto extra = extra_from(name);
        if (!extra) {
            refuse(entry.first, "unknown key lines." + name);
        }
        rules.extras[*extra] = target(entry.second, "lines." + name);
    }
    for (const auto& entry : section(root, "shops")) {
        const auto name = entry.first.as<std::string>();
        only(entry.second, "shops." + name, {"company", "country", "language"});
        ShopRule shop{.company = {}, .country = text(entry.second, "country"), .language = text(entry.second, "language")};
        if (entry.second["company"].IsDefined()) {
            shop.company = target(entry.second["company"], "shops." + name + ".company");
        }
        rules.shops[name] = std::move(shop);
    }
}

void read_rules(const YAML::Node& root, Rules& rules) {
    only(section(root, "customers"), "customers", {"match_email"});
    rules.match_email = boolean(section(root, "customers"), "match_email", rules.match_email);
    const auto exports = section(root, "export");
    only(exports, "export", {"pos", "drafts", "zero_total", "cancelled", "excluded_sources"});
    rules.export_pos = boolean(exports, "pos", rules.export_pos);
    rules.export_drafts = boolean(exports, "drafts", rules.export_drafts);
    rules.export_zero_total = boolean(exports, "zero_total", rules.export_zero_total);
    rules.create_cancelled = boolean(exports, "cancelled", rules.create_cancelled);
    for (const auto& source : section(exports, "excluded_sources")) {
        rules.excluded_sources.insert(source.as<std::string>());
    }
    const auto confirm = section(root, "confirm");
    only(confirm, "confirm", {"enabled", "when", "risk"});
    rules.confirm.enabled = boolean(confirm, "enabled", rules.confirm.enabled);
    if (confirm["when"].IsDefined()) {
        rules.confirm.statuses.clear();
        for (const auto& node : confirm["when"]) {
            const auto status = financial_status_from(node.as<std::string>());
            if (!status) {
                refuse(node, "confirm.when has no status " + node.as<std::string>());
            }
            rules.confirm.statuses.insert(*status);
        }
    }
    const auto risk = section(confirm, "risk");
    only(risk, "confirm.risk", {"wait_seconds", "on_silence", "levels"});
    if (risk["wait_seconds"].IsDefined()) {
        const auto seconds = core::parse_int<std::int64_t>(text(risk, "wait_seconds"));
        if (!seconds || *seconds < 0 || *seconds > 86'400) {
            refuse(risk["wait_seconds"], "confirm.risk.wait_seconds must be 0 to 86400");
        }
        rules.confirm.risk_wait = std::chrono::seconds(*seconds);
    }
    if (risk["on_silence"].IsDefined()) {
        rules.confirm.on_silence = answer(risk["on_silence"], "confirm.risk.on_silence");
    }
    for (const auto& entry : section(risk, "levels")) {
        const auto level = risk_level_from(entry.first.as<std::string>());
        if (!level) {
            refuse(entry.first, "confirm.risk.levels has no level " + entry.first.as<std::string>());
        }
        rules.confirm.levels[*level] = answer(entry.second, "confirm.risk.levels");
    }
    const auto totals = section(root, "totals");
    only(totals, "totals", {"allowance_per_tax_line", "within_allowance"});
    if (totals["allowance_per_tax_line"].IsDefined()) {
        rules.totals.allowance_per_tax_line = decimal(totals["allowance_per_tax_line"], "totals.allowance_per_tax_line");
    }
    const auto within = text(totals, "within_allowance");
    if (within == "rounding_line") {
        rules.totals.within_allowance = Difference::rounding_line;
    } else if (!within.empty() && within != "accept") {
        refuse(totals["within_allowance"], "totals.within_allowance must be accept or rounding_line");
    }
    only(section(root, "refunds"), "refunds", {"journal"});
    if (section(root, "refunds")["journal"].IsDefined()) {
        rules.refund_journal = target(section(root, "refunds")["journal"], "refunds.journal");
    }
}

}  // namespace

core::Result<Rules> parse_mapping(std::string_view yaml) {
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        only(root, "",
             {"shops", "pricelists", "taxes", "tax_fallback", "warehouses", "products", "look_up_sku", "lines", "customers",
              "export", "confirm", "totals", "refunds"});
        Rules rules;
        if (root.IsMap()) {
            read_taxes(root, rules);
            read_tables(root, rules);
            read_rules(root, rules);
        }
        return rules;
    } catch (const Refused& refused) {
        return fail(ErrorKind::malformed, "mapping_malformed", refused.what);
    } catch (const YAML::Exception& exception) {
        return fail(ErrorKind::malformed, "mapping_malformed",
                    "line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
    }
}

}  // namespace order_export
