#include <set>

#include "adapters/admin_routes.h"
#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

// Ids of `wanted` that the target does not have.
core::Result<std::set<std::string>> absent(odoo::Gateway& odoo, const std::string& model, const std::set<std::string>& wanted,
                                           const core::Deadline& deadline) {
    std::vector<std::int64_t> ids;
    for (const auto& id : wanted) {
        ids.push_back(odoo_id(id));
    }
    auto missing = wanted;
    const auto found = odoo.read({.model = model, .scope = {}, .ids = std::move(ids), .fields = {"id"}}, deadline);
    if (!found) {
        return std::unexpected(found.error());
    }
    for (const auto& record : *found) {
        const auto id = record.value()->get("id");
        missing.erase(std::to_string(id ? id->int64().value_or(0) : 0));
    }
    return missing;
}

Finding check(odoo::Gateway& odoo, std::string name, const std::string& model, const std::set<std::string>& wanted,
              const core::Deadline& deadline) {
    const auto missing = absent(odoo, model, wanted, deadline);
    if (!missing) {
        return {.check = std::move(name), .good = false, .text = missing.error().message};
    }
    if (missing->empty()) {
        return {.check = std::move(name), .good = true, .text = std::to_string(wanted.size()) + " mapped, all there"};
    }
    std::string text = "mapped but not in the target:";
    for (const auto& id : *missing) {
        text += " " + id;
    }
    return {.check = std::move(name), .good = false, .text = std::move(text)};
}

}  // namespace

std::vector<Finding> examine(odoo::Gateway& odoo, const Rules& rules, const core::Deadline& deadline) {
    std::vector<Finding> findings;
    odoo.forget_facts();
    const auto facts = odoo.facts(deadline);
    if (!facts) {
        findings.push_back({.check = "target",
                            .good = false,
                            .text = facts.error().message + (facts.error().hint.empty() ? "" : ": " + facts.error().hint)});
        return findings;
    }
    findings.push_back({.check = "target",
                        .good = facts->version.major >= 16,
                        .text = "Odoo " + facts->version.text + (facts->version.json2() ? " over JSON-2" : " over JSON-RPC")});
    const bool per_line = facts->company_rounding == "round_per_line";
    findings.push_back({.check = "rounding",
                        .text = facts->company_rounding.empty() ? "the user may not read it"
                                : per_line
                                    ? "round_per_line, as Shopify"
                                    : facts->company_rounding +
                                          ": set round_per_line (Accounting, Taxes), or expect differences in one order of four",
                        .advice = !per_line});
    std::set<std::string> taxes;
    for (const auto& rule : rules.taxes) {
        if (rule.target) {
            taxes.insert(*rule.target);
        }
    }
    for (const auto& fallback : {rules.fallback_included, rules.fallback_excluded}) {
        if (fallback) {
            taxes.insert(*fallback);
        }
    }
    findings.push_back(check(odoo, "taxes", "account.tax", taxes, deadline));
    std::set<std::string> products;
    for (const auto& [sku, id] : rules.products) {
        products.insert(id);
    }
    for (const auto& [extra, id] : rules.extras) {
        products.insert(id);
    }
    findings.push_back(check(odoo, "products", "product.product", products, deadline));
    std::set<std::string> pricelists;
    for (const auto& [currency, id] : rules.pricelists) {
        pricelists.insert(id);
        const auto found =
            odoo.read({.model = "product.pricelist", .scope = {}, .ids = {odoo_id(id)}, .fields = {"currency_id"}}, deadline);
        if (found && !found->empty()) {
            const auto member = found->front().value()->get("currency_id");
            const auto reference = member ? odoo::reference(*member) : core::Result<std::optional<odoo::Reference>>(std::nullopt);
            if (reference && *reference && (*reference)->name != currency) {
                findings.push_back({.check = "pricelist " + currency,
                                    .good = false,
                                    .text = "pricelist " + id + " is in " + (*reference)->name});
            }
        }
    }
    findings.push_back(check(odoo, "pricelists", "product.pricelist", pricelists, deadline));
    return findings;
}

}  // namespace order_export
