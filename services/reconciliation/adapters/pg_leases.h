// Leases in PostgreSQL: what one instance at a time may do. Any thread; each member is one statement.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <string>
#include <string_view>

namespace syncline::postgres {
class Pool;
}

namespace reconciliation {

namespace core = syncline::core;

extern const std::string_view kLeasesSchema;

class PgLeases {
public:
    // `pool` and `clock` outlive it. Its owner is this object: another instance of the service has another one.
    PgLeases(syncline::postgres::Pool& pool, core::Clock& clock);

    // Takes or renews it. False: another owner has it, or the database is away (logged).
    [[nodiscard]] bool lease(const std::string& name, std::chrono::milliseconds time);
    void release(const std::string& name);
    [[nodiscard]] const std::string& owner() const { return owner_; }

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    std::string owner_;
};

}  // namespace reconciliation
