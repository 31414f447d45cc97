// The rule of helpdesk-sync: which export counts, and for which day.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/ids.h>
#include <optional>
#include <string>

namespace helpdesk_sync {

namespace core = syncline::core;

// An order has arrived in a target.
struct Export {
    core::ShopAlias shop;
    std::string connection;
    bool created = false;  // The document is new; else it was changed, confirmed, cancelled or adopted.
    core::SystemTime at;
};

// One more order of a shop in a target on a day.
struct Tally {
    core::ShopAlias shop;
    std::string connection;
    std::string day;  // UTC, "2026-11-22".
    friend bool operator==(const Tally&, const Tally&) = default;
};

// Nothing for a document that was there before: an order counts once.
[[nodiscard]] std::optional<Tally> tally_of(const Export& exported);

}  // namespace helpdesk_sync
