#include "app/record_trouble.h"

namespace helpdesk_sync {

kit::Outcome RecordTrouble::run(const Statement& statement, kit::Delivery& delivery) {
    const auto known = troubles_.find(statement.order, statement.connection);
    if (!known) {
        return kit::Outcome::failed(known.error());
    }
    const auto changes = take(*known, statement);
    if (changes.empty()) {
        return kit::Outcome::skip("no_news");
    }
    for (const auto& change : changes) {
        troubles_.record(delivery, statement.order, statement.connection, change);
        for (const auto& cause : change.touched()) {
            troubles_.announce(delivery, cause, statement.order);
        }
    }
    return kit::Outcome::done();
}

}  // namespace helpdesk_sync
