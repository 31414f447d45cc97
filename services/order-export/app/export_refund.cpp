#include "app/export_refund.h"

#include <algorithm>

namespace order_export {
namespace {

using core::Error;
using core::ErrorKind;
using core::fail;
using kit::Outcome;

// What Shopify has said of a transaction since the refund was recorded.
Refund with_latest_money(Refund refund, const LedgerEntry& entry) {
    for (auto& transaction : refund.transactions) {
        if (const auto known = entry.money.find(transaction.id);
            known != entry.money.end() && transaction.state == MoneyState::pending) {
            transaction.state = known->second;
        }
    }
    return refund;
}

bool settled(const RefundEntry* known) {
    return known != nullptr && known->state != "waiting";
}

bool waits_for_people(ErrorKind kind) {
    return kind == ErrorKind::needs_decision || kind == ErrorKind::mapping_missing || kind == ErrorKind::rejected ||
           kind == ErrorKind::malformed;
}

}  // namespace

Outcome ExportRefund::run(const OrderKey& key, const Refund& refund, kit::Delivery& delivery) {
    auto entry = ledger_.find(key);
    if (!entry) {
        return Outcome::failed(std::move(entry.error()));
    }
    if (entry->deleted) {
        return Outcome::skip("deleted");
    }
    if (settled(entry->refund(refund.id)) && !delivery.verify()) {
        return Outcome::skip("already_exported");
    }
    if (entry->state == DocumentState::excluded || entry->state == DocumentState::cancelled_before_export) {
        return Outcome::skip("order_not_exported");
    }
    if (!entry->has_document()) {
        Error error{.kind = ErrorKind::not_ready,
                    .code = "order_not_exported_yet",
                    .message = "the refund's order has not been exported yet"};
        results_.refund_refused(delivery, *entry, refund.id, error);
        return Outcome::failed(std::move(error));
    }
    core::Money amount;
    auto credited = credit(*entry, refund, rules_(), delivery, amount);
    if (!credited) {
        results_.refund_refused(delivery, *entry, refund.id, credited.error());
        return Outcome::failed(std::move(credited.error()));
    }
    ledger_.record(delivery, key, *credited);
    if (credited->state == "skipped") {
        return Outcome::skip(credited->code);
    }
    results_.refund_exported(delivery, *entry, *credited, amount);
    return Outcome::done();
}

core::Result<void> ExportRefund::run_from_snapshot(LedgerEntry& entry, const Refund& refund, const CurrentRules& rules,
                                                   kit::Delivery& delivery) {
    const auto* const known = entry.refund(refund.id);
    if (settled(known)) {
        return {};
    }
    core::Money amount;
    auto credited = credit(entry, refund, rules, delivery, amount);
    if (!credited) {
        if (!waits_for_people(credited.error().kind)) {
            return std::unexpected(std::move(credited.error()));
        }
        if (known == nullptr || known->code != credited.error().code) {
            ledger_.record(
                delivery, entry.key,
                {.id = refund.id, .state = "waiting", .document = {}, .document_name = {}, .code = credited.error().code});
        }
        return {};
    }
    ledger_.record(delivery, entry.key, *credited);
    if (credited->state == "exported") {
        results_.refund_exported(delivery, entry, *credited, amount);
    }
    return {};
}

core::Result<RefundEntry> ExportRefund::credit(const LedgerEntry& entry, const Refund& refund, const CurrentRules& rules,
                                               kit::Delivery& delivery, core::Money& amount) {
    const CreditedOrder order{.key = entry.key,
                              .reference = entry.reference,
                              .currency = entry.expected_total.currency,
                              .taxes_included = entry.taxes_included,
                              .company = entry.company,
                              .lines = entry.lines};
    auto plan =
        plan_refund(with_latest_money(refund, entry), order, *rules.rules, delivery.override_code() == "refund_amount_differs");
    if (!plan) {
        return std::unexpected(std::move(plan.error()));
    }
    if (const auto* const nothing = std::get_if<NoCreditNote>(&*plan)) {
        return RefundEntry{.id = refund.id, .state = "skipped", .document = {}, .document_name = {}, .code = nothing->reason};
    }
    const auto& note = std::get<CreditNote>(*plan);
    amount = note.expected_total;
    const auto call = [&](const kit::Lease& lease) -> core::Result<kit::EffectRecord> {
        auto id = notes_.create_once(note, entry.document, lease);
        if (!id) {
            return std::unexpected(std::move(id.error()));
        }
        auto now = notes_.read(*id, note.company, delivery.deadline());
        if (!now) {
            return std::unexpected(std::move(now.error()));
        }
        if (!*now) {
            return fail(ErrorKind::needs_decision, "credit_note_vanished",
                        "the credit note was created and does not exist any more");
        }
        if ((*now)->cancelled) {
            return fail(ErrorKind::needs_decision, "credit_note_cancelled",
                        "somebody has cancelled the credit note in the target");
        }
        if ((*now)->total.currency != note.expected_total.currency) {
            return fail(ErrorKind::needs_decision, "currency_differs",
                        "the credit note stands in another currency than the order");
        }
        if (compare_totals(note.expected_total, (*now)->total.amount, note.allowance) == TotalsVerdict::differs &&
            delivery.override_code() != "refund_totals_differ") {
            return std::unexpected(totals_differ("refund_totals_differ", note.expected_total, (*now)->total.amount));
        }
        if (!(*now)->posted) {
            if (auto posted = notes_.post(*id, note.company, lease); !posted) {
                return std::unexpected(std::move(posted.error()));
            }
            // Posting gives it its number.
            now = notes_.read(*id, note.company, delivery.deadline());
            if (!now || !*now) {
                return now ? fail(ErrorKind::conflict, "credit_note_unreadable", "the credit note cannot be read after posting")
                           : std::unexpected(std::move(now.error()));
            }
        }
        return kit::EffectRecord{.target_id = *id, .name = (*now)->name, .detail = {}};
    };
    auto record = delivery.effect({.external_key = "syncline." + note.external_name(),
                                   .version = {},
                                   .creates_once = true,
                                   .any_version = !delivery.verify()},
                                  call);
    if (!record) {
        return std::unexpected(std::move(record.error()));
    }
    return RefundEntry{
        .id = refund.id, .state = "exported", .document = record->target_id, .document_name = record->name, .code = {}};
}

}  // namespace order_export
