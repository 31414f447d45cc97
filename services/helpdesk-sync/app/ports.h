// What helpdesk-sync needs from outside. Each port has one real adapter (adapters/) and one fake (tests/fakes.h). Any handler
// thread.
#pragma once

#include <syncline/kit/delivery.h>

#include "domain/tally.h"

namespace helpdesk_sync {

namespace kit = syncline::kit;

class Tallies {
public:
    virtual ~Tallies() = default;
    // A row of the closing transaction: it counts if and only if the event is settled.
    virtual void add(kit::Delivery& delivery, const Tally& tally) = 0;
};

}  // namespace helpdesk_sync
