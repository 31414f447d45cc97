#include "adapters/pg_received_orders.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>
#include <functional>
#include <optional>

namespace reconciliation {

using namespace syncline::orders::v1;

const std::string_view kReceivedOrdersSchema = R"(
CREATE TABLE IF NOT EXISTS received_orders (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    updated_at timestamptz,
    created_at timestamptz,
    content_hash bytea NOT NULL,
    fetched boolean NOT NULL,
    undecidable_since timestamptz,
    edit_waits_since timestamptz,
    deletion_waits_since timestamptz,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, order_id)
);
CREATE INDEX IF NOT EXISTS received_orders_waiting ON received_orders
    (shop, (least(undecidable_since, edit_waits_since, deletion_waits_since)))
    WHERE undecidable_since IS NOT NULL OR edit_waits_since IS NOT NULL OR deletion_waits_since IS NOT NULL;
CREATE INDEX IF NOT EXISTS received_orders_old ON received_orders ((coalesce(updated_at, noted_at)));
-- Refunds and movements of money that came as facts. state: a transaction that is settled later is another fact.
CREATE TABLE IF NOT EXISTS received_facts (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    kind text NOT NULL,
    id bigint NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (shop, order_id, kind, id, state)
);
)";

namespace {

using Key = std::pair<std::string, std::int64_t>;

constexpr std::string_view kColumns =
    "updated_at, created_at, content_hash, fetched, undecidable_since, edit_waits_since, deletion_waits_since";
constexpr std::string_view kWaits = "least(undecidable_since, edit_waits_since, deletion_waits_since)";

core::SystemTime time_of(const google::protobuf::Timestamp& time) {
    return core::SystemTime{std::chrono::seconds{time.seconds()} + std::chrono::nanoseconds{time.nanos()}};
}

// The columns of kColumns from `first` on.
ReceivedOrder row_from(const postgres::Row& row, int first) {
    return {.updated_at = row.optional_time(first),
            .created_at = row.optional_time(first + 1),
            .content_hash = row.bytes(first + 2),
            .fetched = row.boolean(first + 3),
            .undecidable_since = row.optional_time(first + 4),
            .edit_waits_since = row.optional_time(first + 5),
            .deletion_waits_since = row.optional_time(first + 6)};
}

struct Event {
    std::string shop;
    std::int64_t order_id = 0;
    std::function<void(ReceivedOrder&)> apply;
    std::optional<ReceivedFact> fact = {};
};

std::optional<Event> event_of(const kit::BatchRecord& record) {
    const auto size = static_cast<int>(record.value.size());
    if (record.headers.type == OrderChanged::descriptor()->full_name()) {
        OrderChanged event;
        if (!event.ParseFromArray(record.value.data(), size) || !event.order().has_source_updated_at()) {
            return std::nullopt;
        }
        const auto& order = event.order();
        return Event{
            .shop = order.shop(),
            .order_id = order.order_id(),
            .apply = [snapshot = SeenSnapshot{.updated_at = time_of(order.source_updated_at()),
                                              .observed_at = time_of(order.observed_at()),
                                              .content_hash = order.content_hash(),
                                              .fetched = order.fetched(),
                                              .created_at = order.has_created_at() ? std::optional(time_of(order.created_at()))
                                                                                   : std::nullopt}](ReceivedOrder& row) {
                apply_snapshot(row, snapshot);
            }};
    }
    if (record.headers.type == OrderEditNoticed::descriptor()->full_name()) {
        OrderEditNoticed event;
        if (!event.ParseFromArray(record.value.data(), size)) {
            return std::nullopt;
        }
        return Event{
            .shop = event.shop(),
            .order_id = event.order_id(),
            .apply = [at = time_of(event.has_committed_at() ? event.committed_at() : event.observed_at())](ReceivedOrder& row) {
                apply_edit(row, at);
            }};
    }
    if (record.headers.type == RefundRecorded::descriptor()->full_name()) {
        RefundRecorded event;
        if (!event.ParseFromArray(record.value.data(), size)) {
            return std::nullopt;
        }
        return Event{.shop = event.shop(),
                     .order_id = event.refund().order_id(),
                     .apply = [](ReceivedOrder&) {},
                     .fact = ReceivedFact{.kind = "refund", .id = event.refund().refund_id(), .state = {}}};
    }
    if (record.headers.type == PaymentTransactionRecorded::descriptor()->full_name()) {
        PaymentTransactionRecorded event;
        if (!event.ParseFromArray(record.value.data(), size)) {
            return std::nullopt;
        }
        return Event{.shop = event.shop(),
                     .order_id = event.transaction().order_id(),
                     .apply = [](ReceivedOrder&) {},
                     .fact = ReceivedFact{.kind = "transaction",
                                          .id = event.transaction().transaction_id(),
                                          .state = TransactionStatus_Name(event.transaction().status())}};
    }
    OrderDeleted event;
    if (record.headers.type != OrderDeleted::descriptor()->full_name() || !event.ParseFromArray(record.value.data(), size)) {
        return std::nullopt;
    }
    return Event{.shop = event.shop(),
                 .order_id = event.order_id(),
                 .apply = [at = time_of(event.observed_at()), confirmed = event.confirmed()](ReceivedOrder& row) {
                     apply_deletion(row, at, confirmed);
                 }};
}

std::optional<std::string> text_of(const std::optional<core::SystemTime>& time) {
    return time ? std::optional(core::format_rfc3339_utc(*time)) : std::nullopt;
}

core::Result<void> write(const std::map<Key, ReceivedOrder>& rows, postgres::Transaction& tx) {
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    std::vector<std::string> hashes;
    std::vector<bool> fetched;
    std::vector<std::optional<std::string>> updated;
    std::vector<std::optional<std::string>> created;
    std::vector<std::optional<std::string>> undecidable;
    std::vector<std::optional<std::string>> edits;
    std::vector<std::optional<std::string>> deletions;
    for (const auto& [key, row] : rows) {
        shops.push_back(key.first);
        ids.push_back(key.second);
        hashes.push_back(row.content_hash);
        fetched.push_back(row.fetched);
        updated.push_back(text_of(row.updated_at));
        created.push_back(text_of(row.created_at));
        undecidable.push_back(text_of(row.undecidable_since));
        edits.push_back(text_of(row.edit_waits_since));
        deletions.push_back(text_of(row.deletion_waits_since));
    }
    postgres::Params params;
    params.add_array(shops).add_array(ids).add_array(updated).add_array(created).add_bytes_array(hashes).add_array(fetched);
    params.add_array(undecidable).add_array(edits).add_array(deletions);
    const auto written = tx.exec(
        "INSERT INTO received_orders AS r (shop, order_id, " + std::string(kColumns) +
            ") SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], "
            "$6::boolean[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[]) ON CONFLICT (shop, order_id) DO UPDATE SET "
            "updated_at = excluded.updated_at, created_at = excluded.created_at, content_hash = excluded.content_hash, fetched = "
            "excluded.fetched, "
            "undecidable_since = excluded.undecidable_since, edit_waits_since = excluded.edit_waits_since, "
            "deletion_waits_since = excluded.deletion_waits_since",
        params);
    return written ? core::Result<void>{} : std::unexpected(written.error());
}

core::Result<void> write_facts(const std::vector<Event>& events, postgres::Transaction& tx) {
    std::vector<std::string> shops;
    std::vector<std::int64_t> orders;
    std::vector<std::string> kinds;
    std::vector<std::int64_t> ids;
    std::vector<std::string> states;
    for (const auto& event : events) {
        if (event.fact) {
            shops.push_back(event.shop);
            orders.push_back(event.order_id);
            kinds.push_back(event.fact->kind);
            ids.push_back(event.fact->id);
            states.push_back(event.fact->state);
        }
    }
    if (shops.empty()) {
        return {};
    }
    const auto written = tx.exec(
        "INSERT INTO received_facts (shop, order_id, kind, id, state) SELECT DISTINCT * FROM unnest($1::text[], $2::bigint[], "
        "$3::text[], $4::bigint[], $5::text[]) AS f (shop, order_id, kind, id, state) ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO "
        "NOTHING",
        postgres::Params{}.add_array(shops).add_array(orders).add_array(kinds).add_array(ids).add_array(states));
    return written ? core::Result<void>{} : std::unexpected(written.error());
}

}  // namespace

std::vector<std::string> ReceivedOrders::types() {
    return {OrderChanged::descriptor()->full_name(), OrderEditNoticed::descriptor()->full_name(),
            OrderDeleted::descriptor()->full_name(), RefundRecorded::descriptor()->full_name(),
            PaymentTransactionRecorded::descriptor()->full_name()};
}

core::Result<kit::BatchOutcome> ReceivedOrders::apply(std::span<const kit::BatchRecord> records,
                                                      postgres::Transaction& tx) const {
    kit::BatchOutcome outcome;
    std::vector<Event> events;
    std::map<Key, ReceivedOrder> rows;
    for (std::size_t at = 0; at < records.size(); ++at) {
        auto event = event_of(records[at]);
        if (!event || event->shop.empty() || event->order_id <= 0) {
            outcome.bad.push_back({.index = at,
                                   .error = core::fail(core::ErrorKind::malformed, "order_event_malformed",
                                                       "the event names no order or cannot be read")
                                                .error()});
            continue;
        }
        rows.try_emplace({event->shop, event->order_id});
        events.push_back(std::move(*event));
    }
    if (rows.empty()) {
        return outcome;
    }
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    for (const auto& [key, row] : rows) {
        shops.push_back(key.first);
        ids.push_back(key.second);
    }
    // A row that two transactions make at once is made by neither of them alone: first it is there, then it is locked.
    const auto made = tx.exec(
        "INSERT INTO received_orders (shop, order_id, content_hash, fetched) "
        "SELECT shop, order_id, '', false FROM unnest($1::text[], $2::bigint[]) AS k (shop, order_id) ON CONFLICT DO NOTHING",
        postgres::Params{}.add_array(shops).add_array(ids));
    if (!made) {
        return std::unexpected(made.error());
    }
    const auto known = tx.exec("SELECT r.shop, r.order_id, " + std::string(kColumns) +
                                   " FROM received_orders r JOIN unnest($1::text[], $2::bigint[]) AS k (shop, order_id) "
                                   "USING (shop, order_id) ORDER BY r.shop COLLATE \"C\", r.order_id FOR UPDATE OF r",
                               postgres::Params{}.add_array(shops).add_array(ids));
    if (!known) {
        return std::unexpected(known.error());
    }
    for (const auto row : *known) {
        rows[{row.string(0), row.int64(1)}] = row_from(row, 2);
    }
    for (const auto& event : events) {
        event.apply(rows[{event.shop, event.order_id}]);
    }
    if (auto written = write(rows, tx); !written) {
        return std::unexpected(written.error());
    }
    if (auto written = write_facts(events, tx); !written) {
        return std::unexpected(written.error());
    }
    return outcome;
}

core::Result<std::map<std::int64_t, ReceivedOrder>> ReceivedOrders::find(postgres::Pool& pool, const std::string& shop,
                                                                         std::span<const std::int64_t> ids,
                                                                         const core::Deadline& deadline) const {
    const auto rows = pool.exec(
        deadline,
        "SELECT order_id, " + std::string(kColumns) + " FROM received_orders WHERE shop = $1 AND order_id = ANY($2::bigint[])",
        postgres::Params{}.add(shop).add_array(ids));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::map<std::int64_t, ReceivedOrder> found;
    for (const auto row : *rows) {
        found.emplace(row.int64(0), row_from(row, 1));
    }
    return found;
}

core::Result<std::vector<ReceivedFact>> ReceivedOrders::facts(postgres::Transaction& tx, const std::string& shop,
                                                              std::int64_t order_id) const {
    const auto rows = tx.exec("SELECT kind, id, state FROM received_facts WHERE shop = $1 AND order_id = $2::bigint",
                              postgres::Params{}.add(shop).add(order_id));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<ReceivedFact> found;
    for (const auto row : *rows) {
        found.push_back({.kind = row.string(0), .id = row.int64(1), .state = row.string(2)});
    }
    return found;
}

core::Result<std::vector<std::pair<std::int64_t, ReceivedOrder>>> ReceivedOrders::waiting(postgres::Pool& pool,
                                                                                          const std::string& shop,
                                                                                          core::SystemTime before, int limit,
                                                                                          const core::Deadline& deadline) const {
    const std::string waits(kWaits);
    const auto rows =
        pool.exec(deadline,
                  "SELECT order_id, " + std::string(kColumns) + " FROM received_orders WHERE shop = $1 AND " + waits +
                      " < $2::timestamptz AND (undecidable_since IS NOT NULL OR edit_waits_since IS NOT NULL OR "
                      "deletion_waits_since IS NOT NULL) ORDER BY " +
                      waits + " LIMIT $3::int",
                  postgres::Params{}.add(shop).add(before).add(limit));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<std::pair<std::int64_t, ReceivedOrder>> found;
    for (const auto row : *rows) {
        found.emplace_back(row.int64(0), row_from(row, 1));
    }
    return found;
}

core::Result<std::int64_t> ReceivedOrders::forget(postgres::Pool& pool, core::SystemTime before, int limit,
                                                  const core::Deadline& deadline) const {
    const auto gone = pool.exec(
        deadline,
        "WITH gone AS (DELETE FROM received_orders WHERE ctid = ANY(ARRAY(SELECT ctid FROM received_orders WHERE "
        "coalesce(updated_at, noted_at) < $1::timestamptz AND undecidable_since IS NULL AND edit_waits_since IS NULL AND "
        "deletion_waits_since IS NULL LIMIT $2::int)) RETURNING shop, order_id), facts AS (DELETE FROM received_facts f USING "
        "gone WHERE f.shop = gone.shop AND f.order_id = gone.order_id) SELECT count(*) FROM gone",
        postgres::Params{}.add(before).add(limit));
    return gone ? core::Result<std::int64_t>((*gone)[0].int64(0)) : std::unexpected(gone.error());
}

}  // namespace reconciliation
