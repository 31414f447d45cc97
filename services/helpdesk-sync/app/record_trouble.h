// The first use case: what a connection says of an order becomes what is known of its troubles; tickets that have news hear of
// it.
//
// Owned by the service; any handler thread; blocks for one query.
#pragma once

#include <syncline/kit/outcome.h>

#include "app/ports.h"

namespace helpdesk_sync {

class RecordTrouble {
public:
    explicit RecordTrouble(Troubles& troubles) : troubles_(troubles) {}
    [[nodiscard]] kit::Outcome run(const Statement& statement, kit::Delivery& delivery);

private:
    Troubles& troubles_;
};

}  // namespace helpdesk_sync
