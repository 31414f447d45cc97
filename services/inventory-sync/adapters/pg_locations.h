// The shops' locations as Shopify tells of them: at one that is not active nothing is written.
//
// Every webhook makes the shop's locations be read: what it says counts until then, except that a location is gone, of which its
// body proves nothing but an id. They are read once an hour all the same, because a webhook may be lost. Any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <string>
#include <vector>

namespace syncline::postgres {
class Transaction;
}

namespace inventory_sync {

namespace core = syncline::core;

struct ArrivedLocation {
    std::string shop;
    std::int64_t location = 0;
    std::string name;
    bool active = true;
    bool deleted = false;         // Unconfirmed.
    std::int64_t version_ns = 0;  // 0: it has none.
};
// Of each location the newest counts. One that became active again: its pairs are read and sent, whatever was held there.
[[nodiscard]] core::Result<void> take_locations(syncline::postgres::Transaction& tx,
                                                const std::vector<ArrivedLocation>& locations, core::SystemTime now);

// All locations of a shop, as read at `now`: what is known and not among them is gone.
[[nodiscard]] core::Result<void> take_all_locations(syncline::postgres::Transaction& tx, const std::string& shop,
                                                    const std::vector<ArrivedLocation>& locations, core::SystemTime now);

}  // namespace inventory_sync
