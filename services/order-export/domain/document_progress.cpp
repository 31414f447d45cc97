#include "domain/document_progress.h"

namespace order_export {
namespace {

// "sent" is a quotation that was mailed and "done" an order that was locked: to everybody else draft and sale.
std::string_view plain(const std::string& state) {
    return state == "sent" ? "draft" : state == "done" ? "sale" : std::string_view(state);
}

bool begun(const DocumentProgress& progress) {
    const bool invoicing = progress.invoicing == "invoiced" || progress.invoicing == "upselling";
    return invoicing || progress.delivery == "started" || progress.delivery == "partial" || progress.delivery == "full";
}

}  // namespace

bool is_news(const DocumentProgress& now, const std::string& exported, const SnapshotVersion& version,
             const std::optional<AnnouncedProgress>& announced) {
    const bool as_exported = plain(now.state) == plain(exported);
    if (!announced) {
        return !as_exported || begun(now);
    }
    return announced->progress != now || (announced->version != version && !as_exported);
}

}  // namespace order_export
