// Pairs and batches in PostgreSQL. Any thread of any instance; each member is one transaction under `timeout`.
#pragma once

#include <functional>
#include <string_view>

#include "app/ports.h"

namespace syncline::postgres {
class Pool;
class Params;
class Transaction;
}  // namespace syncline::postgres

namespace inventory_sync {

class PgSendStore final : public SendStore {
public:
    PgSendStore(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {}

    core::Result<std::optional<Batch>> due_batch(const std::string& shop, core::SystemTime claimed_until) override;
    core::Result<std::optional<Batch>> form_batch(const std::string& shop, std::size_t most, bool by_age,
                                                  core::SystemTime claimed_until, const Form& form) override;
    core::Result<void> applied(const Batch& batch) override;
    core::Result<void> refused(const Batch& batch, const std::vector<PairProblem>& problems) override;
    core::Result<void> dropped(const Batch& batch) override;
    core::Result<void> released(const Batch& batch) override;
    core::Result<void> postponed(const Batch& batch, core::SystemTime until) override;
    core::Result<void> given_up(const Batch& batch, const std::string& code) override;
    core::Result<std::vector<Look>> looks(const std::string& shop, std::size_t most) override;
    core::Result<std::int64_t> looked(const std::string& shop, const std::vector<Seen>& seen) override;

private:
    // Runs `change` and deletes the batch, unless somebody else has settled it: then nothing is done.
    core::Result<void> settle(const Batch& batch,
                              const std::function<core::Result<void>(syncline::postgres::Transaction&)>& change);

    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
};

}  // namespace inventory_sync
