#include "adapters/pg_status_store.h"

#include <syncline/json/document.h>
#include <syncline/json/writer.h>

#include "adapters/status_text.h"

namespace order_status {
namespace {

namespace json = syncline::json;
namespace postgres = syncline::postgres;

constexpr std::chrono::seconds kQueryTimeout{10};

constexpr std::string_view kFind = R"(
SELECT o.revision, o.tags, c.connection, c.status
  FROM order_statuses o LEFT JOIN connection_statuses c ON c.shop = o.shop AND c.order_id = o.order_id
 WHERE o.shop = $1 AND o.order_id = $2)";

constexpr std::string_view kRecordOrder = R"(
INSERT INTO order_statuses (shop, order_id, revision, tags)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
ON CONFLICT (shop, order_id) DO UPDATE SET revision = excluded.revision, tags = excluded.tags)";

constexpr std::string_view kRecordConnection = R"(
INSERT INTO connection_statuses (shop, order_id, connection, status)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
ON CONFLICT (shop, order_id, connection) DO UPDATE SET status = excluded.status, changed_at = now())";

std::string bigint(core::OrderId id) {
    return std::to_string(static_cast<std::int64_t>(id.value()));
}

}  // namespace

const std::string_view kStatusSchema = R"(
CREATE TABLE IF NOT EXISTS order_statuses (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    revision bigint NOT NULL,
    tags text NOT NULL,
    PRIMARY KEY (shop, order_id));
CREATE TABLE IF NOT EXISTS connection_statuses (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    connection text NOT NULL,
    status text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, order_id, connection));
)";

core::Result<OrderStatus> PgStatusStore::find(const OrderKey& key) {
    const auto rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kFind,
                                 postgres::Params{}.add(key.shop.value()).add(static_cast<std::int64_t>(key.id.value())));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    OrderStatus order{.key = key, .revision = 0, .connections = {}, .tags = {}};
    for (const auto row : *rows) {
        order.revision = row.int64(0);
        const auto tags = json::Document::parse(row.string(1));
        if (!tags) {
            return core::fail(core::ErrorKind::bug, "status_unreadable", "the kept tags of an order are no JSON");
        }
        for (const auto tag : tags->root().elements()) {
            order.tags.emplace(tag.string().value_or(std::string_view()));
        }
        if (row.is_null(2)) {
            continue;
        }
        auto status = status_from(row.text(3));
        if (!status) {
            return std::unexpected(std::move(status.error()));
        }
        order.connections.emplace(row.string(2), std::move(*status));
    }
    return order;
}

void PgStatusStore::record(kit::Delivery& delivery, const OrderStatus& order, const std::string& connection) {
    json::Writer tags;
    tags.begin_array();
    for (const auto& tag : order.tags) {
        tags.string(tag);
    }
    tags.end_array();
    delivery.write(
        {.sql = kRecordOrder,
         .values = {order.key.shop.value(), bigint(order.key.id), std::to_string(order.revision), std::string(tags.view())}});
    delivery.write({.sql = kRecordConnection,
                    .values = {order.key.shop.value(), bigint(order.key.id), connection,
                               text_of(order.connections.find(connection)->second)}});
}

}  // namespace order_status
