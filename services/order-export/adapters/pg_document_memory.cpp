#include "adapters/pg_document_memory.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/kit/outbox.h>
#include <syncline/topics.h>

#include "adapters/event_mapping.h"

namespace order_export {
namespace {

namespace postgres = syncline::postgres;
using core::Result;
using postgres::Params;

constexpr std::chrono::seconds kTimeout{10};
constexpr std::int64_t kHoldsAtOnce = 500;

std::int64_t bigint(core::OrderId id) {
    return static_cast<std::int64_t>(id.value());
}

OrderKey key_in(const postgres::Row& row) {
    return {.shop = core::ShopAlias(row.string(0)), .id = core::OrderId(static_cast<std::uint64_t>(row.int64(1)))};
}

kit::OwnEvent own_event(const std::string& name, const OrderKey& key, std::shared_ptr<const google::protobuf::MessageLite> event,
                        core::SystemTime time) {
    return {.id = core::uuid_v5(core::kSynclineNamespace, name),
            .where = {.topic = syncline::topics::exports, .key = key.text(), .subject = key.text()},
            .event = std::move(event),
            .time = time};
}

}  // namespace

const std::string_view kDocumentMemorySchema = R"(
CREATE INDEX IF NOT EXISTS export_orders_document ON export_orders (connection, document) WHERE document <> '';
CREATE TABLE IF NOT EXISTS document_progress (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    state text NOT NULL,
    invoicing text NOT NULL,
    delivery text NOT NULL,
    version_updated bigint NOT NULL,
    version_observed bigint NOT NULL,
    version_fetched boolean NOT NULL,
    announced_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection, shop, order_id));
CREATE TABLE IF NOT EXISTS document_feeds (
    connection text NOT NULL,
    feed text NOT NULL,
    newest bigint NOT NULL,
    PRIMARY KEY (connection, feed));
CREATE TABLE IF NOT EXISTS export_holds (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    subject text NOT NULL,
    version_updated bigint NOT NULL,
    version_observed bigint NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection, shop, order_id, subject));
CREATE TABLE IF NOT EXISTS watch_leases (connection text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
)";

const std::string_view kKitLeasesSchema = R"(
CREATE TABLE IF NOT EXISTS watch_leases (connection text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
INSERT INTO work_leases (name, owner, until) SELECT 'documents/' || connection, owner, until FROM watch_leases
    ON CONFLICT (name) DO NOTHING;
DROP TABLE watch_leases;
)";

PgDocumentMemory::PgDocumentMemory(postgres::Pool& pool, core::Clock& clock, std::string connection, std::string group)
    : pool_(pool),
      clock_(clock),
      leases_(pool, clock),
      connection_(std::move(connection)),
      group_(std::move(group)),
      lease_name_("documents/" + connection_) {}

core::Deadline PgDocumentMemory::soon() const {
    return core::Deadline(clock_, kTimeout);
}

bool PgDocumentMemory::lease(std::chrono::milliseconds time) {
    return leases_.try_take(lease_name_, time);
}

void PgDocumentMemory::release() {
    leases_.release(lease_name_);
}

Result<std::optional<core::SystemTime>> PgDocumentMemory::position(Feed feed) {
    const auto rows = pool_.exec(soon(), "SELECT newest FROM document_feeds WHERE connection = $1 AND feed = $2",
                                 Params{}.add(connection_).add(to_string(feed)));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? std::optional<core::SystemTime>{} : std::optional(core::time_from_nanos((*rows)[0].int64(0)));
}

Result<void> PgDocumentMemory::keep_position(Feed feed, core::SystemTime newest) {
    const auto done = pool_.exec(soon(), R"(
INSERT INTO document_feeds AS f (connection, feed, newest) VALUES ($1, $2, $3)
ON CONFLICT (connection, feed) DO UPDATE SET newest = greatest(f.newest, excluded.newest))",
                                 Params{}.add(connection_).add(to_string(feed)).add(core::nanos_since_epoch(newest)));
    return done ? Result<void>{} : std::unexpected(done.error());
}

Result<std::vector<KnownDocument>> PgDocumentMemory::known(std::span<const TargetId> ids) {
    const auto rows = pool_.exec(soon(), R"(
SELECT o.shop, o.order_id, o.document, o.version_updated, o.version_observed, o.version_fetched, o.state, o.mapping_version,
       p.state, p.invoicing, p.delivery, p.version_updated, p.version_observed, p.version_fetched
  FROM export_orders o
  LEFT JOIN document_progress p ON p.connection = o.connection AND p.shop = o.shop AND p.order_id = o.order_id
 WHERE o.connection = $1 AND o.document = ANY($2::text[]) AND o.document <> '' AND o.version_updated IS NOT NULL
   AND NOT o.deleted)",
                                 Params{}.add(connection_).add_array(std::span<const std::string>(ids)));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<KnownDocument> found;
    for (const auto row : *rows) {
        KnownDocument document{.key = key_in(row),
                               .id = row.string(2),
                               .version = {.updated_ns = row.int64(3), .observed_ns = row.int64(4), .fetched = row.boolean(5)},
                               .state = document_state_from(row.text(6)),
                               .mapping_version = row.string(7),
                               .announced = {}};
        if (!row.is_null(8)) {
            document.announced = AnnouncedProgress{
                .progress = {.state = row.string(8), .invoicing = row.string(9), .delivery = row.string(10)},
                .version = {.updated_ns = row.int64(11), .observed_ns = row.int64(12), .fetched = row.boolean(13)}};
        }
        found.push_back(std::move(document));
    }
    return found;
}

Result<void> PgDocumentMemory::announce(std::span<const Announcement> announcements, core::SystemTime read_at) {
    return pool_.run(soon(), [&](postgres::Transaction& tx) -> Result<void> {
        std::vector<kit::OwnEvent> events;
        for (const auto& [document, now] : announcements) {
            auto event = progress_event(connection_, document, now, read_at);
            events.push_back(own_event(
                connection_ + "|" + document.key.text() + "|progress|" + std::to_string(core::nanos_since_epoch(read_at)),
                document.key, std::make_shared<exports_v1::DocumentStateChanged>(std::move(event)), read_at));
            const auto kept = tx.exec(R"(
INSERT INTO document_progress (connection, shop, order_id, state, invoicing, delivery, version_updated, version_observed,
       version_fetched)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (connection, shop, order_id) DO UPDATE SET state = excluded.state, invoicing = excluded.invoicing,
       delivery = excluded.delivery, version_updated = excluded.version_updated, version_observed = excluded.version_observed,
       version_fetched = excluded.version_fetched, announced_at = now())",
                                      Params{}
                                          .add(connection_)
                                          .add(document.key.shop.value())
                                          .add(bigint(document.key.id))
                                          .add(now.progress.state)
                                          .add(now.progress.invoicing)
                                          .add(now.progress.delivery)
                                          .add(document.version.updated_ns)
                                          .add(document.version.observed_ns)
                                          .add(document.version.fetched));
            if (!kept) {
                return std::unexpected(kept.error());
            }
        }
        return kit::write_outbox(tx, "order-export", read_at, events);
    });
}

Result<std::size_t> PgDocumentMemory::end_holds(std::chrono::milliseconds quiet) {
    return pool_.run(soon(), [&](postgres::Transaction& tx) -> Result<std::size_t> {
        // The kit's own rows say whether anything of the order waits: no key, nothing waits.
        const auto rows =
            tx.exec(R"(
DELETE FROM export_holds WHERE (connection, shop, order_id, subject) IN (
  SELECT connection, shop, order_id, subject FROM export_holds h
   WHERE h.connection = $1 AND h.held_at <= clock_timestamp() - $2 * interval '1 millisecond'
     AND NOT EXISTS (SELECT FROM parked_keys k JOIN consumer_groups g ON g.grp = k.grp
                      WHERE g.name = $3 AND k.key = h.shop || '/' || h.order_id)
   LIMIT $4)
RETURNING shop, order_id, subject, version_updated, version_observed)",
                    Params{}.add(connection_).add(static_cast<std::int64_t>(quiet.count())).add(group_).add(kHoldsAtOnce));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        const auto now = clock_.now();
        std::vector<kit::OwnEvent> events;
        for (const auto row : *rows) {
            const auto key = key_in(row);
            const auto subject = row.string(2);
            auto event = hold_ended_event(connection_, key, subject, {.updated_ns = row.int64(3), .observed_ns = row.int64(4)});
            events.push_back(own_event(
                connection_ + "|" + key.text() + "|hold_ended|" + subject + "|" + std::to_string(core::nanos_since_epoch(now)),
                key, std::make_shared<exports_v1::ExportHoldEnded>(std::move(event)), now));
        }
        if (!events.empty()) {
            if (auto written = kit::write_outbox(tx, "order-export", now, events); !written) {
                return std::unexpected(std::move(written.error()));
            }
        }
        return events.size();
    });
}

Result<void> PgDocumentMemory::remember_hold(const OrderKey& order, const std::string& subject,
                                             const std::optional<SnapshotVersion>& version) {
    const auto of = version.value_or(SnapshotVersion{});
    const auto done = pool_.exec(soon(), R"(
INSERT INTO export_holds (connection, shop, order_id, subject, version_updated, version_observed)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (connection, shop, order_id, subject) DO UPDATE SET version_updated = excluded.version_updated,
       version_observed = excluded.version_observed, held_at = now())",
                                 Params{}
                                     .add(connection_)
                                     .add(order.shop.value())
                                     .add(bigint(order.id))
                                     .add(subject)
                                     .add(of.updated_ns)
                                     .add(of.observed_ns));
    return done ? Result<void>{} : std::unexpected(done.error());
}

}  // namespace order_export
