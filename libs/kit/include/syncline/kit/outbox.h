// Events of a service's own transactions: they leave if and only if the transaction is committed, as those of handlers do.
//
//   pool.run(deadline, [&](postgres::Transaction& tx) -> core::Result<void> {
//       …own rows…
//       return kit::write_outbox(tx, "reconciliation", clock.now(), {{{.id = id, .where = {…}, .event = event}}});
//   });
//
// For work that no record started (a schedule, an operator); handlers publish through their Delivery or BatchOutcome. The service
// has handlers, for they bring the outbox's tables and its relay, which finds the rows within a second. Order: that of a key is
// kept. Blocks for two statements; errors are those of the transaction. Any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace google::protobuf {
class MessageLite;
}
namespace syncline::postgres {
class Transaction;
}

namespace syncline::kit {

struct OwnEvent {
    std::string id;  // ce_id, a UUID that says what it is: the same one again is not written a second time.
    OutgoingEvent where;
    std::shared_ptr<const google::protobuf::MessageLite> event;
    std::string correlation_id = {};  // Empty: its own id.
    // When what it tells became known; unset: now.
    core::SystemTime time = {};
};

// `service` as in ce_source "syncline/<service>".
[[nodiscard]] core::Result<void> write_outbox(postgres::Transaction& tx, std::string_view service, core::SystemTime now,
                                              std::span<const OwnEvent> events);

}  // namespace syncline::kit
