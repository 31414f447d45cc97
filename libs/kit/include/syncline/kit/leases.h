// Work that one instance at a time does: a shop's lane, a source that is polled, a scan on a schedule.
//
//   WorkLeases leases(pool, clock);
//   if (leases.try_take("shop/eu", 15s)) { …a step; try_take() again well before the 15 s are over… }
//   leases.release("shop/eu");
//
// A lease is a row (name, owner, until) in the service's schema. Its time is the database's alone: taken, renewed and found run
// out by PostgreSQL's clock, so that instances whose own clocks are hours apart never have it at the same moment. It says who
// *may begin*: nothing is fenced by it. Work that goes on after its lease has run out may meet another's, so count from before
// the question was asked, and let what must not happen twice be guarded by the statement that does it.
//
// Owned by the service, one for each process: all work of that process has the same owner, and names tell its parts apart
// ("stock/eu", "orders/eu"; deployments that share a schema put their own name in). Any thread; no two threads wait for each
// other. Blocks for one statement: take() for up to five seconds, release() for up to two, by the steady time of `clock`. Errors
// are those of Pool::exec. An error grants nothing, even where the row was written and only the answer was lost: the same owner
// may take it again at once, everybody else waits until it has run out. The service has handlers, for they bring the table.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <string>

namespace syncline::postgres {
class Pool;
}

namespace syncline::kit {

class WorkLeases {
public:
    // Both outlive it. Its owner is made up and unique: after a restart it is another.
    WorkLeases(postgres::Pool& pool, core::Clock& clock);
    WorkLeases(const WorkLeases&) = delete;
    WorkLeases& operator=(const WorkLeases&) = delete;

    // Takes the lease, or renews it, for `time` from now. False: another owner has it.
    [[nodiscard]] core::Result<bool> take(const std::string& name, std::chrono::milliseconds time);
    // The same for who only wants to know whether to work: an error is logged (lease_not_taken) and means no.
    [[nodiscard]] bool try_take(const std::string& name, std::chrono::milliseconds time);
    // Gives it back, so that another need not wait; changes nothing if it is another's by now. One that fails runs out by itself.
    void release(const std::string& name);

    [[nodiscard]] const std::string& owner() const { return owner_; }

private:
    postgres::Pool& pool_;
    core::Clock& clock_;
    const std::string owner_;
};

}  // namespace syncline::kit
