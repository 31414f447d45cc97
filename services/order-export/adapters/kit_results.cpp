#include "adapters/kit_results.h"

#include <syncline/topics.h>

#include "adapters/event_mapping.h"

namespace order_export {
namespace {

namespace topics = syncline::topics;
namespace telemetry = syncline::telemetry;

std::string_view name_of(ExportAction action) {
    switch (action) {
        case ExportAction::created:
            return "created";
        case ExportAction::updated:
            return "updated";
        case ExportAction::confirmed:
            return "confirmed";
        case ExportAction::cancelled:
            return "cancelled";
        case ExportAction::adopted:
            return "adopted";
    }
    return "other";
}

bool is_hold(const core::Error& error) {
    return error.kind == core::ErrorKind::mapping_missing || error.kind == core::ErrorKind::needs_decision;
}

kit::OutgoingEvent to_exports(const LedgerEntry& entry) {
    return {.topic = topics::exports, .key = entry.key.text(), .subject = entry.key.text()};
}

}  // namespace

KitResults::KitResults(std::string connection, const core::Clock& clock, telemetry::Metrics& metrics, Held held)
    : connection_(std::move(connection)),
      clock_(clock),
      held_(std::move(held)),
      documents_(metrics.counter("syncline_order_export_documents_total",
                                 "Documents acknowledged by the target, by kind and what was done.", {"document", "action"})),
      placed_to_acknowledged_(metrics.histogram(
          "syncline_order_export_placed_to_acknowledged_seconds",
          "From the order being placed to the first acknowledgement of the target; the objective is 60 s for 99 %.", {"shop"},
          telemetry::delay_buckets())),
      undecidable_(metrics.counter("syncline_order_export_undecidable_total", "Snapshots of one version with different contents.",
                                   {"shop"})) {}

void KitResults::order_exported(kit::Delivery& delivery, const LedgerEntry& entry, ExportAction action,
                                const core::Money& document_total) {
    const ResultContext context{.connection = connection_, .now = clock_.now()};
    delivery.publish(to_exports(entry), exported_event(context, delivery, entry, action, document_total));
    documents_.with({"order", name_of(action)}).add();
    if (action == ExportAction::created && entry.placed_at != core::SystemTime{}) {
        placed_to_acknowledged_.with({entry.key.shop.value()})
            .observe(std::chrono::duration<double>(context.now - entry.placed_at).count());
    }
}

void KitResults::order_refused(kit::Delivery& delivery, const LedgerEntry& entry, const core::Error& error) {
    if (is_hold(error)) {
        held_(entry, subject_of(error.code));
    }
    const ResultContext context{.connection = connection_, .now = clock_.now()};
    delivery.publish_if_held(to_exports(entry), held_event(context, delivery, entry, error));
    delivery.publish_if_dead(to_exports(entry), failed_event(context, delivery, entry, error));
}

void KitResults::refund_exported(kit::Delivery& delivery, const LedgerEntry& entry, const RefundEntry& refund,
                                 const core::Money& amount) {
    const ResultContext context{.connection = connection_, .now = clock_.now()};
    delivery.publish(to_exports(entry), refund_event(context, delivery, entry, refund, amount));
    documents_.with({"refund", "created"}).add();
}

void KitResults::refund_refused(kit::Delivery& delivery, const LedgerEntry& entry, core::RefundId refund,
                                const core::Error& error) {
    if (is_hold(error)) {
        held_(entry, "refund/" + refund.text());
    }
    const ResultContext context{.connection = connection_, .now = clock_.now()};
    delivery.publish_if_held(to_exports(entry), refund_held_event(context, delivery, entry, refund, error));
    delivery.publish_if_dead(to_exports(entry), refund_failed_event(context, delivery, entry, refund, error));
}

void KitResults::undecidable(const OrderKey& key) {
    undecidable_.with({key.shop.value()}).add();
}

}  // namespace order_export
