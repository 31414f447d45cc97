#include "src/processing/doubt.h"

#include <syncline/telemetry/log.h>

namespace syncline::kit {

core::Result<bool> committed_after_all(Database& database, const store::TransactionId& id, std::size_t events) {
    auto committed =
        database.persist([] { return false; }, true,
                         [&]() -> core::Result<bool> {
                             auto known = store::was_committed(database.pool(), database.deadline(), id);
                             if (!known) {
                                 return std::unexpected(std::move(known.error()));
                             }
                             if (!*known) {
                                 return core::fail(core::ErrorKind::transient, "commit_running", "the transaction still runs");
                             }
                             return **known;
                         });
    telemetry::log::warn("commit_in_doubt", {{"events", events}, {"committed", committed.value_or(false)}});
    return committed;
}

core::Error commit_lost() {
    return {.kind = core::ErrorKind::transient,
            .code = "postgres_unavailable",
            .message = "the connection was lost at commit; nothing was written"};
}

}  // namespace syncline::kit
