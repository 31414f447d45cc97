#include "adapters/pg_leases.h"

#include <syncline/core/hash.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/log.h>

namespace reconciliation {
namespace {

constexpr std::chrono::seconds kTimeout{5};
constexpr std::chrono::seconds kReleaseTimeout{2};

}  // namespace

// The database's clock alone decides, so that the clocks of two instances may differ.
const std::string_view kLeasesSchema = R"sql(
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
)sql";

PgLeases::PgLeases(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock), owner_(core::uuid_v4()) {}

bool PgLeases::lease(const std::string& name, std::chrono::milliseconds time) {
    const auto taken = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
INSERT INTO leases AS l (name, owner, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE l.owner = excluded.owner OR l.until <= clock_timestamp())sql",
                                  syncline::postgres::Params{}.add(name).add(owner_).add(time.count()));
    if (!taken) {
        syncline::telemetry::log::failure(syncline::telemetry::log::Level::warn, "lease_not_taken", taken.error(),
                                          {{"lease", name}});
        return false;
    }
    return taken->affected() == 1;
}

void PgLeases::release(const std::string& name) {
    // If this fails the lease runs out by itself.
    static_cast<void>(pool_.exec(core::Deadline(clock_, kReleaseTimeout), "DELETE FROM leases WHERE name = $1 AND owner = $2",
                                 syncline::postgres::Params{}.add(name).add(owner_)));
}

}  // namespace reconciliation
