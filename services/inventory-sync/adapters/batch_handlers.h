// What the service does with the batches of its three topics: events into rows, bad ones named, all counted.
//
// Owned by the service; apply functions run on several threads at once, each inside the kit's transaction (kit/batch.h).
#pragma once

#include <syncline/kit/batch_events.h>
#include <syncline/telemetry/metrics.h>

#include "adapters/backlog.h"
#include "adapters/event_mapping.h"
#include "app/ports.h"

namespace inventory_sync {

namespace kit = syncline::kit;

class BatchHandlers {
public:
    BatchHandlers(core::Clock& clock, syncline::telemetry::Metrics& metrics, RulesSource rules);

    [[nodiscard]] kit::BatchHandler inventory(const std::string& group);
    [[nodiscard]] kit::BatchHandler orders(const std::string& group);
    [[nodiscard]] kit::BatchHandler fulfillments(const std::string& group);
    // A backlog of reports is being read; any thread.
    [[nodiscard]] bool gathering() const { return backlog_.gathering(); }

private:
    core::Clock& clock_;
    RulesSource rules_;
    Backlog backlog_;
    syncline::telemetry::CounterFamily reports_;
    syncline::telemetry::CounterFamily orders_;
    syncline::telemetry::CounterFamily webhooks_;
};

}  // namespace inventory_sync
