// Results as events on exports.v1 and as figures: what became of each order and refund.
#pragma once

#include <syncline/telemetry/metrics.h>
#include <functional>
#include <string>

#include "app/ports.h"

namespace order_export {

class KitResults final : public ExportResults {
public:
    // Declares syncline_order_export_* metrics. `clock` must outlive it. `held` hears of what is about to be held, at once: the
    // order, the subject (event_mapping.h) and the version; it may block for a statement.
    using Held = std::function<void(const LedgerEntry&, const std::string& subject)>;
    KitResults(std::string connection, const core::Clock& clock, syncline::telemetry::Metrics& metrics, Held held);

    void order_exported(kit::Delivery& delivery, const LedgerEntry& entry, ExportAction action,
                        const core::Money& document_total) override;
    void order_refused(kit::Delivery& delivery, const LedgerEntry& entry, const core::Error& error) override;
    void refund_exported(kit::Delivery& delivery, const LedgerEntry& entry, const RefundEntry& refund,
                         const core::Money& amount) override;
    void refund_refused(kit::Delivery& delivery, const LedgerEntry& entry, core::RefundId refund,
                        const core::Error& error) override;
    void undecidable(const OrderKey& key) override;

private:
    const std::string connection_;
    const core::Clock& clock_;
    const Held held_;
    const syncline::telemetry::CounterFamily documents_;
    const syncline::telemetry::HistogramFamily placed_to_acknowledged_;
    const syncline::telemetry::CounterFamily undecidable_;
};

}  // namespace order_export
