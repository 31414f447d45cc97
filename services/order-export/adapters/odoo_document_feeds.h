// What changed about sales documents in Odoo: sale.order, stock.picking and account.move by write_date.
//
// An order is not stamped when its goods leave or its invoice is posted (its own figures are computed from theirs), so transfers
// and invoices are read as well and lead to their orders. write_date has whole seconds and is the server's clock alone.
// See odoo/gateway.h for threads, blocking and errors.
#pragma once

#include <syncline/odoo/gateway.h>
#include <atomic>

#include "app/watch_documents.h"

namespace order_export {

class OdooDocumentFeeds final : public DocumentFeeds {
public:
    explicit OdooDocumentFeeds(syncline::odoo::Gateway& odoo) : odoo_(odoo) {}

    [[nodiscard]] core::Result<FeedChanges> changed(Feed feed, core::SystemTime since, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<std::vector<DocumentNow>> read(std::span<const TargetId> ids,
                                                              const core::Deadline& deadline) override;

private:
    // The orders that have one of these invoices.
    [[nodiscard]] core::Result<void> add_invoiced(const std::vector<std::int64_t>& invoices, FeedChanges& changes,
                                                  const core::Deadline& deadline);

    syncline::odoo::Gateway& odoo_;
    std::array<std::atomic<bool>, kFeeds.size()> absent_{};  // Not installed, or not ours to read.
};

}  // namespace order_export
