#include "app/resolve_contacts.h"

namespace order_export {

core::Result<ErpContacts> ResolveContacts::run(const ContactPlan& plan, kit::Delivery& delivery) {
    auto contact = remembered(plan.external_name);
    std::optional<ErpContacts> created;
    if (!contact) {
        const auto record = delivery.effect(
            {.external_key = "syncline." + plan.external_name, .version = {}, .scope = kit::EffectScope::shared, .creates_once = true, .any_version = true},
            [&](const kit::Lease& lease) -> core::Result<kit::EffectRecord> {
                auto found = parties_.find(plan, delivery.deadline());
                if (!found) {
                    return std::unexpected(std::move(found.error()));
                }
                auto made = parties_.create_once(plan, *found, lease);
                if (!made) {
                    return std::unexpected(std::move(made.error()));
                }
                created = *made;
                return kit::EffectRecord{.target_id = made->contact, .name = {}, .detail = *found ? "adopted" : "created"};
            });
        if (!record) {
            return std::unexpected(record.error());
        }
        contact = record->target_id;
        remember(plan.external_name, *contact);
    }
    if (created) {
        if (plan.invoice) {
            remember(plan.invoice->external_name, created->invoice);
        }
        if (plan.delivery) {
            remember(plan.delivery->external_name, created->delivery);
        }
        return *created;
    }
    ErpContacts contacts{.contact = *contact, .invoice = *contact, .delivery = *contact};
    for (const auto use : {AddressUse::invoice, AddressUse::delivery}) {
        const auto& address = use == AddressUse::invoice ? plan.invoice : plan.delivery;
        auto& target = use == AddressUse::invoice ? contacts.invoice : contacts.delivery;
        if (!address) {
            continue;
        }
        if (const auto known = remembered(address->external_name)) {
            target = *known;
            continue;
        }
        const auto record = delivery.effect(
            {.external_key = "syncline." + address->external_name, .version = {}, .scope = kit::EffectScope::shared, .creates_once = true, .any_version = true},
            [&](const kit::Lease& lease) -> core::Result<kit::EffectRecord> {
                auto only = plan;
                (use == AddressUse::invoice ? only.delivery : only.invoice).reset();
                auto made = parties_.create_once(only, contact, lease);
                if (!made) {
                    return std::unexpected(std::move(made.error()));
                }
                return kit::EffectRecord{.target_id = use == AddressUse::invoice ? made->invoice : made->delivery, .name = {}, .detail = {}};
            });
        if (!record) {
            return std::unexpected(record.error());
        }
        target = record->target_id;
        remember(address->external_name, target);
    }
    return contacts;
}

void ResolveContacts::forget(const ContactPlan& plan) {
    const std::lock_guard lock(mutex_);
    const auto drop = [&](const std::string& name) {
        if (const auto found = by_name_.find(name); found != by_name_.end()) {
            recent_.erase(found->second);
            by_name_.erase(found);
        }
    };
    drop(plan.external_name);
    if (plan.invoice) {
        drop(plan.invoice->external_name);
    }
    if (plan.delivery) {
        drop(plan.delivery->external_name);
    }
}

std::optional<TargetId> ResolveContacts::remembered(const std::string& external_name) {
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(external_name);
    if (found == by_name_.end()) {
        return std::nullopt;
    }
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
}

void ResolveContacts::remember(const std::string& external_name, const TargetId& id) {
    const std::lock_guard lock(mutex_);
    if (by_name_.contains(external_name)) {
        return;
    }
    recent_.emplace_front(external_name, id);
    by_name_.emplace(external_name, recent_.begin());
    if (recent_.size() > remembered_max_) {
        by_name_.erase(recent_.back().first);
        recent_.pop_back();
    }
}

}  // namespace order_export
