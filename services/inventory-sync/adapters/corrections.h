// What reconciliation asks to have put right: named pairs are computed anew, read at Shopify and written from what is true then.
//
// The figures of the event are not written: they are older than what is known here. The same event again is one more reading at
// most. A fall in Shopify that no known order explains stays pending here too, until the gap check has cleared it
// (clear-pending).
#pragma once

#include <syncline/kit/batch_events.h>
#include <syncline/telemetry/metrics.h>
#include <cstdint>
#include <string>
#include <vector>

namespace inventory_sync {

namespace core = syncline::core;

struct Correction {
    std::string shop;
    std::string sku;
    std::int64_t item = 0;  // 0: every item with the SKU.
    std::int64_t location = 0;
};

struct CorrectionIntake {
    std::uint64_t taken = 0;
    std::uint64_t unknown = 0;  // No such pair is kept here.
};
// Inside the transaction of a batch.
[[nodiscard]] core::Result<CorrectionIntake> take_corrections(syncline::postgres::Transaction& tx,
                                                              const std::vector<Correction>& corrections, core::SystemTime now);

class Corrections {
public:
    Corrections(core::Clock& clock, syncline::telemetry::Metrics& metrics);
    // Of reconciliation.v1. Must outlive the handler's use; any thread.
    [[nodiscard]] syncline::kit::BatchHandler handler(const std::string& group);

private:
    core::Clock& clock_;
    syncline::telemetry::CounterFamily counted_;
};

}  // namespace inventory_sync
