#include "app/record_facts.h"

#include <syncline/core/parse.h>

#include "app/export_order.h"

namespace order_export {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;
using kit::Outcome;

namespace {
constexpr std::string_view kDeletion = "deletion:";
}

Outcome AssessRisk::run(const RiskAssessment& assessment, kit::Delivery& delivery) {
    const bool accepted = delivery.override_code().starts_with("risk_");
    if (auto remembered =
            ledger_.remember_risk(assessment.key, assessment.provider, assessment.level, assessment.observed, accepted);
        !remembered) {
        return Outcome::failed(std::move(remembered.error()));
    }
    auto entry = ledger_.find(assessment.key);
    if (!entry) {
        return Outcome::failed(std::move(entry.error()));
    }
    if (entry->deleted) {
        return Outcome::skip("deleted");
    }
    if (entry->state == DocumentState::excluded || entry->state == DocumentState::cancelled_before_export) {
        return Outcome::skip("order_not_exported");
    }
    if (entry->state == DocumentState::confirmed || entry->state == DocumentState::cancelled) {
        return Outcome::skip("already_" + std::string(to_string(entry->state)));
    }
    const auto current = rules_();
    if (!current.rules) {
        return Outcome::failed(
            Error{.kind = ErrorKind::conflict, .code = "mapping_not_loaded", .message = "no mapping file has been read yet"});
    }
    // Judged as if it were paid: a risk that would hold the order is a hold from the start, payment or not. It is confirmed only
    // when its real payment allows it.
    const auto& rule = current.rules->confirm;
    const auto risk = accepted || entry->accepted_risk ? RiskLevel::none : entry->risk;
    const bool silent = entry->has_document() && clock_.now() >= entry->exported_at + rule.risk_wait;
    const auto as_paid =
        confirmation(rule, rule.statuses.empty() ? entry->financial_status : *rule.statuses.begin(), risk, silent);
    const bool held = as_paid == Confirmation::hold_for_risk || !entry->has_document();
    switch (held ? as_paid : confirmation(rule, entry->financial_status, risk, silent)) {
        case Confirmation::hold_for_risk: {
            Error error{.kind = ErrorKind::needs_decision,
                        .code = "risk_" + std::string(to_string(entry->risk)),
                        .message = "the order's risk is " + std::string(to_string(entry->risk)) + "; it stays unconfirmed",
                        .hint = "override this code to accept the risk, or cancel the order in Shopify"};
            results_.order_refused(delivery, *entry, error);
            return Outcome::failed(std::move(error));
        }
        case Confirmation::now:
            break;
        case Confirmation::not_by_rule:
        case Confirmation::wait_for_payment:
        case Confirmation::wait_for_risk:
            return Outcome::done();
    }
    if (!entry->has_document()) {
        return Outcome::done();
    }
    std::optional<ErpDocument> now;
    const auto call = [&](const kit::Lease& lease) -> Result<kit::EffectRecord> {
        auto found = orders_.read(entry->document, entry->company, false, delivery.deadline());
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        if (!*found) {
            return fail(ErrorKind::needs_decision, "document_vanished",
                        "the document was exported and does not exist in the target any more");
        }
        now = std::move(**found);
        if (now->state == DocumentState::quotation) {
            if (auto done = orders_.confirm(entry->document, entry->company, entry->placed_at, lease); !done) {
                return std::unexpected(std::move(done.error()));
            }
            now->state = DocumentState::confirmed;
        }
        return kit::EffectRecord{.target_id = entry->document, .name = now->name, .detail = {}};
    };
    auto record = delivery.effect({.external_key = "syncline." + assessment.key.external_name() + "/risk",
                                   .version = entry->version ? kit_version(*entry->version) : kit::Version{}},
                                  call);
    if (!record) {
        results_.order_refused(delivery, *entry, record.error());
        return Outcome::failed(std::move(record.error()));
    }
    if (now && now->state == DocumentState::confirmed) {
        entry->state = DocumentState::confirmed;
        ledger_.record(delivery, *entry);
        results_.order_exported(delivery, *entry, ExportAction::confirmed, now->total);
    }
    return Outcome::done();
}

std::string deletion_key(const OrderKey& order) {
    return std::string(kDeletion) + order.text();
}

std::optional<OrderKey> awaited_deletion(std::string_view waits_for) {
    if (!waits_for.starts_with(kDeletion)) {
        return std::nullopt;
    }
    waits_for.remove_prefix(kDeletion.size());
    const auto slash = waits_for.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto id = core::parse_int<std::uint64_t>(waits_for.substr(slash + 1));
    if (!id) {
        return std::nullopt;
    }
    return OrderKey{.shop = core::ShopAlias(std::string(waits_for.substr(0, slash))), .id = core::OrderId(*id)};
}

Outcome DeleteOrder::run(const ToldDeletion& told, kit::Delivery& delivery) {
    const auto& key = told.key;
    auto entry = ledger_.find(key);
    if (!entry) {
        return Outcome::failed(std::move(entry.error()));
    }
    if (entry->deleted) {
        return Outcome::skip("deleted");
    }
    if (entry->state == DocumentState::excluded) {
        return Outcome::skip("order_not_exported");
    }
    if (!told.confirmed && delivery.override_code() != "deletion_unconfirmed") {
        if (entry->version && entry->version->fetched && entry->version->observed_ns > told.observed_ns) {
            return Outcome::skip("order_still_there");
        }
        Error error{.kind = ErrorKind::needs_decision,
                    .code = "deletion_unconfirmed",
                    .message = "Shopify's webhook says that the order was deleted; its body proves nothing but an id",
                    .hint =
                        "the check of orders looks by itself; without it look in Shopify: override this code if it is gone, "
                        "discard if it is not",
                    .waits_for = deletion_key(key)};
        results_.order_refused(delivery, *entry, error);
        return Outcome::failed(std::move(error));
    }
    if (!entry->has_document()) {
        auto standing = orders_.find(key, delivery.deadline());
        if (!standing) {
            return Outcome::failed(std::move(standing.error()));
        }
        entry->document = standing->value_or("");
    }
    std::optional<ErpDocument> now;
    bool untouched = false;
    if (entry->has_document()) {
        const auto call = [&](const kit::Lease& lease) -> Result<kit::EffectRecord> {
            auto found = orders_.read(entry->document, entry->company, true, delivery.deadline());
            if (!found) {
                return std::unexpected(std::move(found.error()));
            }
            if (*found) {
                now = std::move(**found);
                untouched = !touched(*now);
                if (untouched && now->state != DocumentState::cancelled) {
                    if (auto done = orders_.cancel(entry->document, entry->company, lease); !done) {
                        return std::unexpected(std::move(done.error()));
                    }
                    now->state = DocumentState::cancelled;
                }
            }
            return kit::EffectRecord{.target_id = entry->document, .name = entry->document_name, .detail = {}};
        };
        auto record = delivery.effect({.external_key = "syncline." + key.external_name() + "/deletion", .version = {}}, call);
        if (!record) {
            return Outcome::failed(std::move(record.error()));
        }
    }
    entry->key = key;
    entry->deleted = true;
    if (now && now->state == DocumentState::cancelled) {
        entry->state = DocumentState::cancelled;
    }
    ledger_.record(delivery, *entry);
    if (now && now->state == DocumentState::cancelled) {
        results_.order_exported(delivery, *entry, ExportAction::cancelled, now->total);
    }
    return Outcome::done();
}

Outcome RecordMoney::run(const OrderKey& key, std::uint64_t transaction, bool of_refund, MoneyState state,
                         kit::Delivery& delivery) {
    if (!of_refund) {
        // Whether the order is paid is in its snapshots.
        return Outcome::skip("payment_not_needed");
    }
    ledger_.record_money(delivery, key, transaction, state);
    return Outcome::done();
}

}  // namespace order_export
