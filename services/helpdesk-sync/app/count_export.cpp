#include "app/count_export.h"

namespace helpdesk_sync {

kit::Outcome CountExport::run(const Export& exported, kit::Delivery& delivery) {
    const auto tally = tally_of(exported);
    if (!tally) {
        return kit::Outcome::skip("not_new");
    }
    tallies_.add(delivery, *tally);
    counted_(*tally);
    return kit::Outcome::done();
}

}  // namespace helpdesk_sync
