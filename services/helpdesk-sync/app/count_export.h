// The use case: an export is counted once, however often Kafka delivers it.
//
// Owned by the service; any handler thread; blocks for nothing.
#pragma once

#include <syncline/kit/outcome.h>
#include <functional>

#include "app/ports.h"

namespace helpdesk_sync {

class CountExport {
public:
    // `counted` hears of each tally that is on its way into the closing transaction.
    CountExport(Tallies& tallies, std::function<void(const Tally&)> counted) : tallies_(tallies), counted_(std::move(counted)) {}

    [[nodiscard]] kit::Outcome run(const Export& exported, kit::Delivery& delivery);

private:
    Tallies& tallies_;
    const std::function<void(const Tally&)> counted_;
};

}  // namespace helpdesk_sync
