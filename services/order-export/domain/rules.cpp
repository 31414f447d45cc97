#include "domain/rules.h"

#include <algorithm>
#include <array>
#include <utility>

namespace order_export {
namespace {

constexpr std::array<std::pair<Extra, std::string_view>, 9> kExtras{{
    {Extra::shipping, "shipping"},
    {Extra::discount, "discount"},
    {Extra::tip, "tip"},
    {Extra::fee, "fee"},
    {Extra::gift_card, "gift_card"},
    {Extra::custom, "custom"},
    {Extra::duty, "duty"},
    {Extra::rounding, "rounding"},
    {Extra::adjustment, "adjustment"},
}};

std::unexpected<core::Error> missing(std::string code, std::string waits_for) {
    core::Error error{.kind = core::ErrorKind::mapping_missing,
                      .code = std::move(code),
                      .message = "the mapping has no entry " + waits_for,
                      .hint = "add it to the mapping file of the connection; the order goes on by itself"};
    error.waits_for = std::move(waits_for);
    return std::unexpected(std::move(error));
}

bool fits(const TaxRule& rule, const std::string& country, const std::string& province, const TaxLine& tax) {
    return (rule.country.empty() || rule.country == country) && (rule.province.empty() || rule.province == province) &&
           rule.rate == tax.rate && rule.included == tax.included && rule.channel_liable == tax.channel_liable &&
           (rule.title.empty() || rule.title == tax.title);
}

// A rule that says more wins over one that says less, whatever their order in the file.
int weight(const TaxRule& rule) {
    return (rule.title.empty() ? 0 : 4) + (rule.province.empty() ? 0 : 2) + (rule.country.empty() ? 0 : 1);
}

}  // namespace

std::string_view to_string(Extra extra) {
    return std::ranges::find_if(kExtras, [&](const auto& e) { return e.first == extra; })->second;
}

std::optional<Extra> extra_from(std::string_view name) {
    const auto found = std::ranges::find_if(kExtras, [&](const auto& e) { return e.second == name; });
    return found == kExtras.end() ? std::nullopt : std::optional(found->first);
}

std::string percent_text(const Decimal& rate) {
    const auto percent = rate * Decimal(100);
    auto text = percent ? percent->to_string() : std::string("?");
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string tax_key(const std::string& country, const TaxLine& tax) {
    return "tax:" + (country.empty() ? std::string("-") : country) + "/" + percent_text(tax.rate) +
           (tax.included ? "/incl" : "/excl") + (tax.channel_liable ? "/channel" : "");
}

core::Result<std::optional<TargetId>> tax_of(const Rules& rules, const std::string& country, const std::string& province,
                                             const TaxLine& tax) {
    const TaxRule* best = nullptr;
    for (const auto& rule : rules.taxes) {
        if (fits(rule, country, province, tax) && (best == nullptr || weight(rule) > weight(*best))) {
            best = &rule;
        }
    }
    if (best != nullptr) {
        return best->target;
    }
    // Shopify also lists taxes of 0 %: no tax unless the mapping knows better (a 0 % tax for exports, say).
    if (tax.rate.is_zero() && tax.amount.is_zero()) {
        return std::optional<TargetId>{};
    }
    const auto& fallback = tax.included ? rules.fallback_included : rules.fallback_excluded;
    if (fallback && !tax.channel_liable) {
        return fallback;
    }
    return missing("tax_unmapped", tax_key(country, tax));
}

core::Result<TargetId> extra_of(const Rules& rules, Extra extra) {
    if (const auto found = rules.extras.find(extra); found != rules.extras.end()) {
        return found->second;
    }
    return missing("line_unmapped", "line:" + std::string(to_string(extra)));
}

core::Result<TargetId> pricelist_of(const Rules& rules, const std::string& currency) {
    if (const auto found = rules.pricelists.find(currency); found != rules.pricelists.end()) {
        return found->second;
    }
    return missing("pricelist_unmapped", "pricelist:" + currency);
}

std::optional<TargetId> warehouse_of(const Rules& rules, const Order& order) {
    for (const auto& rule : rules.warehouses) {
        if ((rule.shop.empty() || rule.shop == order.key.shop.value()) &&
            (rule.country.empty() || rule.country == order.country) && (rule.source.empty() || rule.source == order.source) &&
            (rule.location_id == 0 || rule.location_id == order.location_id)) {
            return rule.target;
        }
    }
    return std::nullopt;
}

ShopRule shop_of(const Rules& rules, const core::ShopAlias& shop) {
    const auto found = rules.shops.find(shop.value());
    return found == rules.shops.end() ? ShopRule{} : found->second;
}

bool resolves(const Rules& rules, std::string_view waits_for) {
    const auto colon = waits_for.find(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    const auto what = waits_for.substr(0, colon);
    const std::string name(waits_for.substr(colon + 1));
    if (what == "pricelist") {
        return rules.pricelists.contains(name);
    }
    if (what == "product") {
        return rules.products.contains(name);
    }
    if (what == "line") {
        const auto extra = extra_from(name);
        return extra && rules.extras.contains(*extra);
    }
    if (what == "tax") {
        const bool included = name.find("/incl") != std::string::npos;
        const bool channel = name.ends_with("/channel");
        if (!channel && (included ? rules.fallback_included : rules.fallback_excluded)) {
            return true;
        }
        return std::ranges::any_of(rules.taxes, [&](const TaxRule& rule) {
            const TaxLine as_line{
                .title = {}, .rate = rule.rate, .amount = {}, .included = rule.included, .channel_liable = rule.channel_liable};
            const auto key = tax_key(rule.country, as_line);
            // A rule for any country resolves every country's key.
            return key == waits_for ||
                   (rule.country.empty() && key.substr(key.find('/')) == name.substr(std::min(name.find('/'), name.size())));
        });
    }
    return false;
}

std::optional<std::string> exclusion(const Rules& rules, const Order& order) {
    if (order.test) {
        return "test_order";
    }
    if (order.source == "pos" && !rules.export_pos) {
        return "pos_order";
    }
    if (order.source == "shopify_draft_order" && !rules.export_drafts) {
        return "draft_order";
    }
    if (rules.excluded_sources.contains(order.source)) {
        return "excluded_source";
    }
    if (order.total.is_zero() && !rules.export_zero_total) {
        return "zero_total";
    }
    return std::nullopt;
}

}  // namespace order_export
