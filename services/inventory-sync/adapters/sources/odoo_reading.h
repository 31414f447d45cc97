// One reading of an Odoo: which products changed, or all of them, and what lies of each at each place.
//
//   OdooReading reading({.pool = pool, .clock = clock, .transport = *transport, .source = source, .basis = basis, .rule = rule,
//                        .ours = ours});
//   if (auto done = reading.changed(cursor); done) { …reading.levels, reading.cursor… }
//
// Made for one poll and used once, on one thread: whole() or changed(), which block for their calls. Members are of use only
// after success. Errors: those of Odoo and of the database; "lease_lost" (transient) once `ours` says no.
#pragma once

#include <syncline/json/document.h>
#include <syncline/odoo/transport.h>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "domain/rules.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

class OdooReading {
public:
    // All outlive it.
    struct Of {
        syncline::postgres::Pool& pool;
        core::Clock& clock;
        syncline::odoo::Transport& transport;
        const std::string& source;
        Basis basis;
        const OdooRule& rule;
        const std::function<bool()>& ours;
    };
    struct Level {
        std::string sku;
        std::size_t place = 0;  // Index of `places`.
        Decimal quantity;
        std::string unit;
        core::SystemTime observed{};
    };
    explicit OdooReading(const Of& of) : of_(of) {}

    // What was written since this write_date, less the overlap of the rule.
    [[nodiscard]] core::Result<void> changed(const std::string& since);
    [[nodiscard]] core::Result<void> whole();

    std::vector<Level> levels;
    std::uint64_t rows = 0;                                    // Levels that quants stand behind.
    std::string cursor;                                        // The newest write_date seen.
    std::vector<std::pair<std::string, std::int64_t>> places;  // With the root of each.
    std::optional<core::Error> moves_unreadable;               // changed() went on without move lines.

private:
    using Sums = std::map<std::pair<std::string, std::size_t>, Decimal>;  // By SKU and place.

    void see(const std::string& write_date) { cursor = std::max(cursor, write_date); }
    [[nodiscard]] std::string context() const;
    core::Result<syncline::odoo::Answer> ask(const std::string& model, const std::string& domain,
                                             const std::vector<std::string>& fields, const std::string& order, std::size_t limit);
    // All records in ascending order of id, page by page: what is added or deleted meanwhile shifts nothing.
    core::Result<void> each(const std::string& model, const std::string& leaves, const std::vector<std::string>& fields,
                            const std::function<core::Result<void>(const syncline::json::Value&)>& take);
    core::Result<void> find_places();
    core::Result<void> name_products(const std::vector<std::int64_t>& ids, std::set<std::string>& skus);
    // A shipment is subtracted until a level seen after it: where none came, the level is read again.
    core::Result<void> add_shipped(std::set<std::string>& skus);
    core::Result<void> collect(const std::vector<std::string>& skus);
    core::Result<void> collect_some(const std::vector<std::string>& skus);
    core::Result<void> add_quant(const syncline::json::Value& row, const std::map<std::int64_t, std::string>& products,
                                 std::size_t place, Sums& sums) const;
    // What was told of before and has no quant any more is none.
    core::Result<void> add_vanished(const std::vector<std::string>& skus, Sums& sums);
    // SKUs that no product has any more.
    core::Result<void> add_gone(const std::unordered_set<std::string>& seen);

    const Of of_;
};

}  // namespace inventory_sync
