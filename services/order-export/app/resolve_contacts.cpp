#include "app/resolve_contacts.h"

namespace order_export {

using core::Result;

Result<ResolveContacts::Resolved> ResolveContacts::run(const ContactPlan& plan, kit::Delivery& delivery) {
    auto party = contact(plan, delivery);
    if (!party) {
        return std::unexpected(std::move(party.error()));
    }
    if (party->created) {
        return Resolved{.contacts = *party->created, .looked_up = party->looked_up};
    }
    Resolved resolved{.contacts = {.contact = party->id, .invoice = party->id, .delivery = party->id},
                      .looked_up = party->looked_up};
    for (const auto use : {AddressUse::invoice, AddressUse::delivery}) {
        if (!(use == AddressUse::invoice ? plan.invoice : plan.delivery)) {
            continue;
        }
        auto found = address(plan, use, party->id, delivery);
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        (use == AddressUse::invoice ? resolved.contacts.invoice : resolved.contacts.delivery) = found->id;
        resolved.looked_up = resolved.looked_up && found->looked_up;
    }
    return resolved;
}

Result<ResolveContacts::Party> ResolveContacts::contact(const ContactPlan& plan, kit::Delivery& delivery) {
    if (auto known = remembered(plan.external_name)) {
        return Party{.id = std::move(*known), .created = {}, .looked_up = false};
    }
    std::optional<ErpContacts> created;
    const auto record = delivery.effect(shared(plan.external_name), [&](const kit::Lease& lease) -> Result<kit::EffectRecord> {
        auto id = find_or_create(plan, delivery, lease, created);
        if (!id) {
            return std::unexpected(std::move(id.error()));
        }
        return kit::EffectRecord{.target_id = std::move(*id), .name = {}, .detail = {}};
    });
    if (!record) {
        return std::unexpected(record.error());
    }
    remember(plan.external_name, record->target_id);
    if (created) {
        if (plan.invoice) {
            remember(plan.invoice->external_name, created->invoice);
        }
        if (plan.delivery) {
            remember(plan.delivery->external_name, created->delivery);
        }
    }
    return Party{.id = record->target_id, .created = created, .looked_up = !record->already_done};
}

Result<TargetId> ResolveContacts::find_or_create(const ContactPlan& plan, kit::Delivery& delivery, const kit::Lease& lease,
                                                 std::optional<ErpContacts>& created) {
    const auto make = [&](const kit::Lease& held) -> Result<TargetId> {
        auto existing = parties_.find(plan, delivery.deadline());
        if (!existing) {
            return std::unexpected(std::move(existing.error()));
        }
        auto made = parties_.create_once(plan, *existing, held);
        if (!made) {
            return std::unexpected(std::move(made.error()));
        }
        created = *made;
        return made->contact;
    };
    if (plan.email_key.empty()) {
        return make(lease);
    }
    // Whoever gets the e-mail's intent looks and makes it, while another buyer's order with the same e-mail waits.
    const auto record = delivery.effect(shared(plan.email_key), [&](const kit::Lease& held) -> Result<kit::EffectRecord> {
        auto id = make(held);
        if (!id) {
            return std::unexpected(std::move(id.error()));
        }
        return kit::EffectRecord{.target_id = std::move(*id), .name = {}, .detail = {}};
    });
    if (!record) {
        return std::unexpected(record.error());
    }
    // Made for another buyer before: looked up, because an external id of our own goes before the e-mail.
    return created ? Result<TargetId>(record->target_id) : make(lease);
}

Result<ResolveContacts::Party> ResolveContacts::address(const ContactPlan& plan, AddressUse use, const TargetId& contact,
                                                        kit::Delivery& delivery) {
    const auto& name = (use == AddressUse::invoice ? plan.invoice : plan.delivery)->external_name;
    if (auto known = remembered(name)) {
        return Party{.id = std::move(*known), .created = {}, .looked_up = false};
    }
    const auto record = delivery.effect(shared(name), [&](const kit::Lease& lease) -> Result<kit::EffectRecord> {
        auto only = plan;
        (use == AddressUse::invoice ? only.delivery : only.invoice).reset();
        auto made = parties_.create_once(only, contact, lease);
        if (!made) {
            return std::unexpected(std::move(made.error()));
        }
        return kit::EffectRecord{
            .target_id = use == AddressUse::invoice ? made->invoice : made->delivery, .name = {}, .detail = {}};
    });
    if (!record) {
        return std::unexpected(record.error());
    }
    remember(name, record->target_id);
    return Party{.id = record->target_id, .created = {}, .looked_up = !record->already_done};
}

kit::EffectOptions ResolveContacts::shared(const std::string& name) {
    kit::EffectOptions options{.external_key = "syncline." + name,
                               .version = {},
                               .scope = kit::EffectScope::shared,
                               .creates_once = true,
                               .any_version = true};
    const std::lock_guard lock(mutex_);
    if (doubted_.erase(name) > 0) {
        // Newer than whatever was recorded, so that the target is asked.
        options.version.source_updated_at_ns = clock_.now().time_since_epoch().count();
        options.any_version = false;
    }
    return options;
}

void ResolveContacts::doubt(const ContactPlan& plan) {
    const std::lock_guard lock(mutex_);
    for (const auto& name : {plan.external_name, plan.email_key, plan.invoice ? plan.invoice->external_name : "",
                             plan.delivery ? plan.delivery->external_name : ""}) {
        if (name.empty()) {
            continue;
        }
        doubted_.insert(name);
        if (const auto found = by_name_.find(name); found != by_name_.end()) {
            recent_.erase(found->second);
            by_name_.erase(found);
        }
    }
}

std::optional<TargetId> ResolveContacts::remembered(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
        return std::nullopt;
    }
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
}

void ResolveContacts::remember(const std::string& name, const TargetId& id) {
    const std::lock_guard lock(mutex_);
    if (by_name_.contains(name)) {
        return;
    }
    recent_.emplace_front(name, id);
    by_name_.emplace(name, recent_.begin());
    if (recent_.size() > remembered_max_) {
        by_name_.erase(recent_.back().first);
        recent_.pop_back();
    }
}

}  // namespace order_export
