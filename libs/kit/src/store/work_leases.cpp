#include <syncline/core/hash.h>
#include <syncline/kit/leases.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/log.h>

namespace syncline::kit {
namespace {

constexpr std::chrono::seconds kTakeTimeout{5};
constexpr std::chrono::seconds kReleaseTimeout{2};

}  // namespace

WorkLeases::WorkLeases(postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock), owner_(core::uuid_v4()) {}

core::Result<bool> WorkLeases::take(const std::string& name, std::chrono::milliseconds time) {
    const auto taken = pool_.exec(core::Deadline(clock_, kTakeTimeout),
                                  "INSERT INTO work_leases AS l (name, owner, until) "
                                  "VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond') "
                                  "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until "
                                  "WHERE l.owner = excluded.owner OR l.until <= clock_timestamp()",
                                  postgres::Params{}.add(name).add(owner_).add(static_cast<std::int64_t>(time.count())));
    if (!taken) {
        return std::unexpected(taken.error());
    }
    return taken->affected() == 1;
}

bool WorkLeases::try_take(const std::string& name, std::chrono::milliseconds time) {
    const auto taken = take(name, time);
    if (!taken) {
        telemetry::log::failure(telemetry::log::Level::warn, "lease_not_taken", taken.error(), {{"lease", name}});
        return false;
    }
    return *taken;
}

void WorkLeases::release(const std::string& name) {
    static_cast<void>(pool_.exec(core::Deadline(clock_, kReleaseTimeout),
                                 "DELETE FROM work_leases WHERE name = $1 AND owner = $2",
                                 postgres::Params{}.add(name).add(owner_)));
}

}  // namespace syncline::kit
