// Protobuf ↔ domain: the only file that sees both.
//
// Pure functions; an event that says something impossible (an amount outside the range, no order in a snapshot) is kind
// malformed.
#pragma once

#include <syncline/core/error.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/delivery.h>
#include <syncline/orders/v1/events.pb.h>

#include "app/ports.h"
#include "app/record_facts.h"
#include "app/watch_documents.h"

namespace order_export {

namespace orders_v1 = syncline::orders::v1;
namespace exports_v1 = syncline::exports::v1;

[[nodiscard]] core::Result<Order> to_order(const orders_v1::OrderChanged& event);

struct RefundFact {
    OrderKey key;
    Refund refund;
};
[[nodiscard]] core::Result<RefundFact> to_refund(const orders_v1::RefundRecorded& event);
[[nodiscard]] RiskAssessment to_assessment(const orders_v1::OrderRiskAssessed& event);
[[nodiscard]] ToldDeletion to_deletion(const orders_v1::OrderDeleted& event);

struct MoneyFact {
    OrderKey key;
    std::uint64_t transaction = 0;
    bool of_refund = false;
    MoneyState state = MoneyState::pending;
};
[[nodiscard]] MoneyFact to_money(const orders_v1::PaymentTransactionRecorded& event);
[[nodiscard]] OrderKey order_key(const std::string& shop, std::int64_t id);

// For the kit: version of a snapshot, resource of a fact.
[[nodiscard]] kit::Version version_of(const orders_v1::OrderChanged& event);

struct ResultContext {
    std::string connection;
    core::SystemTime now;
};
[[nodiscard]] exports_v1::OrderExported exported_event(const ResultContext& context, const kit::Delivery& delivery,
                                                       const LedgerEntry& entry, ExportAction action,
                                                       const core::Money& document_total);
[[nodiscard]] exports_v1::OrderExportHeld held_event(const ResultContext& context, const kit::Delivery& delivery,
                                                     const LedgerEntry& entry, const core::Error& error);
[[nodiscard]] exports_v1::OrderExportFailed failed_event(const ResultContext& context, const kit::Delivery& delivery,
                                                         const LedgerEntry& entry, const core::Error& error);
[[nodiscard]] exports_v1::RefundExported refund_event(const ResultContext& context, const kit::Delivery& delivery,
                                                      const LedgerEntry& entry, const RefundEntry& refund,
                                                      const core::Money& amount);
[[nodiscard]] exports_v1::RefundExportHeld refund_held_event(const ResultContext& context, const kit::Delivery& delivery,
                                                             const LedgerEntry& entry, core::RefundId refund,
                                                             const core::Error& error);
[[nodiscard]] exports_v1::RefundExportFailed refund_failed_event(const ResultContext& context, const kit::Delivery& delivery,
                                                                 const LedgerEntry& entry, core::RefundId refund,
                                                                 const core::Error& error);

// Of what is held under that code: empty for the order's export, "risk" or "deletion" for what a fact asks.
[[nodiscard]] std::string subject_of(std::string_view code);
[[nodiscard]] exports_v1::ExportHoldEnded hold_ended_event(const std::string& connection, const OrderKey& key,
                                                           const std::string& subject, const SnapshotVersion& version);
[[nodiscard]] exports_v1::DocumentStateChanged progress_event(const std::string& connection, const KnownDocument& document,
                                                              const DocumentNow& now, core::SystemTime read_at);

}  // namespace order_export
