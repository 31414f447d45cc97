// What was announced of documents (document_progress), how far the feeds were read (document_feeds) and what is held
// (export_holds), all keyed by connection; who watches is a lease of the kit. Any thread; each member is one transaction.
#pragma once

#include <syncline/kit/leases.h>
#include <syncline/postgres/pool.h>

#include "app/watch_documents.h"

namespace order_export {

// The tables, for Service::migration; after kLedgerSchema.
extern const std::string_view kDocumentMemorySchema;
// Who watches was a table of its own before it was a lease of the kit; a process of an older version that still watches has its
// turn until it runs out, and without the table cannot renew it.
extern const std::string_view kKitLeasesSchema;

class PgDocumentMemory final : public DocumentMemory {
public:
    // `group` is the consumer group of this connection: whose parked keys say that something waits. All must outlive it.
    PgDocumentMemory(syncline::postgres::Pool& pool, core::Clock& clock, std::string connection, std::string group);

    [[nodiscard]] bool lease(std::chrono::milliseconds time) override;
    void release() override;
    [[nodiscard]] core::Result<std::optional<core::SystemTime>> position(Feed feed) override;
    [[nodiscard]] core::Result<void> keep_position(Feed feed, core::SystemTime newest) override;
    [[nodiscard]] core::Result<std::vector<KnownDocument>> known(std::span<const TargetId> ids) override;
    [[nodiscard]] core::Result<void> announce(std::span<const Announcement> announcements, core::SystemTime read_at) override;
    [[nodiscard]] core::Result<std::size_t> end_holds(std::chrono::milliseconds quiet) override;

    // Something of the order is about to be held; repeatable. Forgotten by end_holds.
    [[nodiscard]] core::Result<void> remember_hold(const OrderKey& order, const std::string& subject,
                                                   const std::optional<SnapshotVersion>& version);

private:
    [[nodiscard]] core::Deadline soon() const;

    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    kit::WorkLeases leases_;
    const std::string connection_;
    const std::string group_;
    const std::string lease_name_;
};

}  // namespace order_export
