// What inventory-sync holds true of a shop's pairs, page by page, for whoever compares it with Shopify or a source.
//
// Pages go by item and location: constant memory here and at the caller. They are not one moment: what changes in between is
// younger than the reading. Any thread; one transaction a page.
#pragma once

#include <string>

#include "app/ports.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

struct StatePage {
    std::string shop;
    std::int64_t location = 0;  // 0: all.
    PairId after;               // The last pair of the page before; zero: the first page.
    std::size_t limit = 1'000;
};

class PgOwnState {
public:
    PgOwnState(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {}
    // JSON: {"shop":…,"items":[…],"next":"<item>/<location>"}; next is absent on the last page.
    [[nodiscard]] core::Result<std::string> page(const StatePage& wanted, const Rules& rules);

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
};

}  // namespace inventory_sync
