// How far a document has come in the target, and whether that is news. Pure functions and values; any thread.
#pragma once

#include <optional>
#include <string>

#include "domain/order.h"

namespace order_export {

struct DocumentProgress {
    std::string state;      // As the target calls it: draft, sent, sale, done, cancel.
    std::string invoicing;  // no, to_invoice, invoiced, upselling; empty when the target does not say.
    std::string delivery;   // pending, started, partial, full; empty when it does not say.
    friend bool operator==(const DocumentProgress&, const DocumentProgress&) = default;
};

// What was last announced by itself, and which snapshot of the order was settled then.
struct AnnouncedProgress {
    DocumentProgress progress;
    SnapshotVersion version;
};

// `exported` is the state that the export itself last announced (draft, sale or cancel) for `version`. What the export has said
// need not be said again; what was announced before counts as long as no newer export has said something else.
[[nodiscard]] bool is_news(const DocumentProgress& now, const std::string& exported, const SnapshotVersion& version,
                           const std::optional<AnnouncedProgress>& announced);

}  // namespace order_export
