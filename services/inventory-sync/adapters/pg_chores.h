// The slower work around stock: which items a SKU is, where orders leave from, growth, and what operators ask for.
//
// Any thread of any instance; each member is one transaction (or one call to the shop and one transaction after it).
#pragma once

#include <string>
#include <vector>

#include "app/ports.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

// Figures for the metrics, read together.
struct StockFigures {
    std::int64_t dirty = 0;
    std::int64_t unsent = 0;
    std::int64_t held_pairs = 0;
    std::int64_t held_places = 0;
    std::int64_t unknown_skus = 0;
    std::int64_t oversold = 0;
    std::int64_t pending_units = 0;
    std::int64_t batches = 0;
    std::int64_t inactive_locations = 0;
    core::SystemTime oldest_unsent{};  // Zero: none.
};

class PgChores {
public:
    PgChores(syncline::postgres::Pool& pool, ShopStock& shops, core::Clock& clock, RulesSource rules)
        : pool_(pool), shops_(shops), clock_(clock), rules_(std::move(rules)) {}

    // Finds the items of up to `most` SKUs that a shop should have; one that it lacks is asked for again after an hour, or told
    // by inventory_items/create. Returns how many were asked for.
    [[nodiscard]] core::Result<std::size_t> find_items(const std::string& shop, std::size_t most);
    // Reads where up to `most` orders leave from. Returns how many were read.
    [[nodiscard]] core::Result<std::size_t> locate_orders(const std::string& shop, std::size_t most);
    // Reads the shop's locations once an hour, and when one is said to be gone. True: it did.
    [[nodiscard]] core::Result<bool> check_locations(const std::string& shop);
    // Pairs whose hold has run out are looked at again; what nobody needs any more goes, in small steps.
    [[nodiscard]] core::Result<void> tidy();
    [[nodiscard]] core::Result<StockFigures> figures();

    // Operators.
    [[nodiscard]] core::Result<std::string> pair_state(const std::string& shop, const std::string& sku);
    [[nodiscard]] core::Result<std::string> holds();
    // Every pair of the shop (and location, unless 0) is looked at and sent again. Returns how many.
    [[nodiscard]] core::Result<std::int64_t> backfill(const std::string& shop, std::int64_t location, const std::string& actor,
                                                      const std::string& reason);
    // How far a backfill is, as JSON.
    [[nodiscard]] core::Result<std::string> backfill_state(const std::string& shop, std::int64_t location);
    // The gap check has read every order up to then: falls noticed before are no reservations.
    [[nodiscard]] core::Result<std::int64_t> clear_pending(const std::string& shop, core::SystemTime until,
                                                           const std::string& actor, const std::string& reason);

private:
    syncline::postgres::Pool& pool_;
    ShopStock& shops_;
    core::Clock& clock_;
    RulesSource rules_;
};

}  // namespace inventory_sync
