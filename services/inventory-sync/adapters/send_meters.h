// What the sender does, as metrics and log lines. Owned by the service; any thread.
#pragma once

#include <syncline/telemetry/metrics.h>

#include "app/ports.h"

namespace inventory_sync {

class SendMeters final : public SendEvents {
public:
    explicit SendMeters(syncline::telemetry::Metrics& metrics);
    void sent(const Batch& batch, const Sent& sent, core::SystemTime now) override;
    void fell(const std::string& shop, std::int64_t pairs) override;
    void failed(std::string_view what, const core::Error& error) override;

private:
    syncline::telemetry::CounterFamily pairs_;
    syncline::telemetry::CounterFamily calls_;
    syncline::telemetry::CounterFamily stale_;
    syncline::telemetry::CounterFamily unexplained_;
    syncline::telemetry::HistogramFamily latency_;
};

}  // namespace inventory_sync
