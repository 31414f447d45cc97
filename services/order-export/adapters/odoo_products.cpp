#include "adapters/odoo_products.h"

#include <future>

#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

using core::ErrorKind;
using core::fail;
constexpr std::chrono::minutes kRemembered{10};

}  // namespace

core::Result<std::map<core::Sku, TargetId>> OdooProducts::find(const std::vector<core::Sku>& skus, const TargetId& company,
                                                               const core::Deadline& deadline) {
    std::map<core::Sku, TargetId> known;
    for (const auto& sku : skus) {
        if (known.contains(sku)) {
            continue;
        }
        const auto key = company + "/" + sku.value();
        if (auto id = remembered(key)) {
            known.emplace(sku, std::move(*id));
            continue;
        }
        auto found = odoo_.find({.model = "product.product",
                                 .scope = scope_of(company),
                                 .field = "default_code",
                                 .value = sku.value(),
                                 .fields = {"id"},
                                 .domain = {}},
                                deadline);
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        if (found->size() > 1) {
            return fail(ErrorKind::needs_decision, "product_ambiguous", "several products have the SKU " + sku.value(),
                        "say which one in the mapping file");
        }
        if (found->empty()) {
            continue;
        }
        const auto id = found->front().value()->get("id");
        auto text = std::to_string(id ? id->int64().value_or(0) : 0);
        remember(key, text);
        known.emplace(sku, std::move(text));
    }
    return known;
}

std::optional<TargetId> OdooProducts::remembered(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || clock_.steady() >= found->second->until) {
        return std::nullopt;
    }
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->id;
}

void OdooProducts::remember(const std::string& key, const TargetId& id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        recent_.erase(found->second);
        by_key_.erase(found);
    }
    recent_.push_front({.key = key, .id = id, .until = clock_.steady() + kRemembered});
    by_key_.emplace(key, recent_.begin());
    if (recent_.size() > remembered_max_) {
        by_key_.erase(recent_.back().key);
        recent_.pop_back();
    }
}

}  // namespace order_export
