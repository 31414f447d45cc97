#include "src/store/outbox_rows.h"

#include <syncline/core/hash.h>
#include <map>

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

int bucket_of(const std::string& aggregate_id) {
    const auto digest = core::sha256(aggregate_id);
    return digest.front() % kOutboxBuckets;
}

}  // namespace

core::Result<void> insert_outbox(postgres::Transaction& tx, core::SystemTime now, std::span<const OutboxRow* const> rows) {
    if (rows.empty()) {
        return {};
    }
    using Aggregate = std::pair<std::string, std::string>;
    std::map<Aggregate, std::int64_t> counts;
    for (const auto* row : rows) {
        ++counts[{row->aggregate_type, storable(row->aggregate_id)}];
    }
    Params aggregates;
    add_texts(aggregates, counts, [](const auto& c) { return c.first.first; });
    add_texts(aggregates, counts, [](const auto& c) { return c.first.second; });
    add_integers(aggregates, counts, [](const auto& c) { return c.second; });
    auto versions = tx.exec(
        "INSERT INTO outbox_aggregates (aggregatetype, aggregateid, version) "
        "SELECT w.type, w.id, w.rows FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(type, id, rows) ORDER BY w.type, "
        "w.id "
        "ON CONFLICT (aggregatetype, aggregateid) DO UPDATE SET version = outbox_aggregates.version + excluded.version "
        "RETURNING aggregatetype, aggregateid, version",
        aggregates);
    if (!versions) {
        return std::unexpected(std::move(versions.error()));
    }
    std::map<Aggregate, std::int64_t> next;
    for (const auto row : *versions) {
        const Aggregate aggregate{row.string(0), row.string(1)};
        next[aggregate] = row.int64(2) - counts[aggregate] + 1;
    }
    Params params;
    params.add(now);
    add_texts(params, rows, [](const auto* r) { return r->id; });
    add_texts(params, rows, [](const auto* r) { return r->aggregate_type; });
    add_texts(params, rows, [](const auto* r) { return storable(r->aggregate_id); });
    add_texts(params, rows, [](const auto* r) { return storable(r->type); });
    add_bytes(params, rows, [](const auto* r) { return std::optional(r->record.value); });
    add_texts(params, rows, [](const auto* r) { return r->record.topic; });
    add_bytes(params, rows, [](const auto* r) { return r->record.key; });
    add_bytes(params, rows, [](const auto* r) { return std::optional(pack_headers(r->record.headers)); });
    add_integers(params, rows, [&](const auto* r) { return next[{r->aggregate_type, storable(r->aggregate_id)}]++; });
    add_integers(params, rows, [](const auto* r) { return bucket_of(r->aggregate_id); });
    auto inserted = tx.exec(
        "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, key, headers, version, bucket, created_at) "
        "SELECT w.id, w.aggregatetype, w.aggregateid, w.type, w.payload, w.topic, w.key, w.headers, w.version, w.bucket, "
        "$1::timestamptz "
        "FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::bytea[], "
        "$10::bigint[], "
        "$11::integer[]) AS w(id, aggregatetype, aggregateid, type, payload, topic, key, headers, version, bucket) "
        "ON CONFLICT (id) DO NOTHING",
        params);
    if (!inserted) {
        return std::unexpected(std::move(inserted.error()));
    }
    return {};
}

core::Result<std::vector<int>> lease_buckets(postgres::Pool& pool, const core::Deadline& deadline, const std::string& owner,
                                             core::SystemTime now, core::SystemTime until) {
    auto rows = pool.exec(
        deadline,
        "UPDATE outbox_buckets b SET owner = $1, lease_until = $3 FROM ("
        "SELECT bucket FROM outbox_buckets WHERE owner = $1 OR lease_until <= $2 ORDER BY bucket FOR UPDATE SKIP LOCKED) f "
        "WHERE b.bucket = f.bucket RETURNING b.bucket",
        Params{}.add(owner).add(now).add(until));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<int> buckets;
    for (const auto row : *rows) {
        buckets.push_back(row.int32(0));
    }
    return buckets;
}

core::Result<void> give_back_buckets(postgres::Pool& pool, const core::Deadline& deadline, const std::string& owner) {
    auto rows =
        pool.exec(deadline, "UPDATE outbox_buckets SET owner = '', lease_until = 'epoch' WHERE owner = $1", Params{}.add(owner));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<std::vector<OutboxRow>> read_outbox(postgres::Pool& pool, const core::Deadline& deadline,
                                                 std::span<const int> buckets, std::span<const std::string> besides, int limit,
                                                 std::int64_t bytes_max) {
    Params params;
    add_integers(params, buckets, [](int b) { return b; });
    params.add_array(besides).add(limit).add(bytes_max);
    // Payloads are read only for the rows that fit: the length of a large value is known without fetching it. Read along the
    // index on seq: entries that were sent and not yet vacuumed are passed over there without looking at their rows.
    auto rows =
        pool.exec(deadline,
                  "SELECT id::text, aggregatetype, aggregateid, type, topic, key, headers, seq, version, created_at, payload "
                  "FROM (SELECT first_ones.*, sum(octet_length(payload)) OVER (ORDER BY seq) - octet_length(payload) AS before "
                  "FROM (SELECT * FROM outbox WHERE bucket = ANY($1::integer[]) "
                  "AND NOT (aggregatetype || '/' || aggregateid = ANY($2::text[])) ORDER BY seq LIMIT $3) first_ones) fitting "
                  "WHERE before < $4 ORDER BY seq",
                  params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<OutboxRow> found;
    for (const auto row : *rows) {
        found.push_back({.id = row.string(0),
                         .aggregate_type = row.string(1),
                         .aggregate_id = row.string(2),
                         .type = row.string(3),
                         .record = {.topic = row.string(4),
                                    .key = row.optional_bytes(5),
                                    .value = row.bytes(10),
                                    .headers = unpack_headers(row.bytes(6))},
                         .seq = row.int64(7),
                         .version = row.int64(8),
                         .created_at = row.time(9)});
    }
    return found;
}

core::Result<void> delete_outbox(postgres::Pool& pool, const core::Deadline& deadline, std::span<const std::string> ids) {
    auto rows = pool.exec(deadline, "DELETE FROM outbox WHERE id = ANY($1::uuid[])", Params{}.add_array(ids));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<OutboxFigures> outbox_figures(postgres::Pool& pool, const core::Deadline& deadline) {
    auto rows = pool.exec(deadline, "SELECT count(*), min(created_at) FROM outbox");
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return OutboxFigures{.unsent = (*rows)[0].int64(0), .oldest = (*rows)[0].optional_time(1)};
}

}  // namespace syncline::kit::store
