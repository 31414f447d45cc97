#include "adapters/pg_troubles.h"

#include <syncline/topics.h>

#include "adapters/event_mapping.h"

namespace helpdesk_sync {
namespace {

namespace postgres = syncline::postgres;

constexpr std::chrono::seconds kQueryTimeout{10};

constexpr std::string_view kFind = R"(
SELECT subject, updated_ns, observed_ns, said_ns, cause, trouble, code, waits_for
  FROM troubles WHERE helpdesk = $1 AND shop = $2 AND order_id = $3 AND connection = $4)";

constexpr std::string_view kRecord = R"(
INSERT INTO troubles (helpdesk, shop, order_id, connection, subject, updated_ns, observed_ns, said_ns, cause, trouble, code, waits_for)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                     $9::text[], $10::text[], $11::text[], $12::text[])
ON CONFLICT (helpdesk, shop, order_id, connection, subject) DO UPDATE SET
    updated_ns = excluded.updated_ns, observed_ns = excluded.observed_ns, said_ns = excluded.said_ns,
    cause = excluded.cause, trouble = excluded.trouble, code = excluded.code, waits_for = excluded.waits_for, since = now())";

std::int64_t bigint(core::OrderId id) {
    return static_cast<std::int64_t>(id.value());
}

}  // namespace

const std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS troubles (
    helpdesk text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    connection text NOT NULL,
    subject text NOT NULL,
    updated_ns bigint NOT NULL,
    observed_ns bigint NOT NULL,
    said_ns bigint NOT NULL,
    cause text,
    trouble text,
    code text,
    waits_for text,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (helpdesk, shop, order_id, connection, subject));
CREATE INDEX IF NOT EXISTS troubles_cause ON troubles (helpdesk, cause, since) WHERE cause IS NOT NULL;
CREATE TABLE IF NOT EXISTS tickets (
    helpdesk text NOT NULL,
    cause text NOT NULL,
    state text NOT NULL,
    ticket_id bigint NOT NULL,
    episode bigint NOT NULL,
    revision bigint NOT NULL,
    told text NOT NULL,
    written_ns bigint NOT NULL,
    closed boolean NOT NULL,
    PRIMARY KEY (helpdesk, cause));
)";

core::Result<Standings> PgTroubles::find(const OrderKey& order, const std::string& connection) {
    const auto rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kFind,
                                 postgres::Params{}.add(helpdesk_).add(order.shop.value()).add(bigint(order.id)).add(connection));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    Standings standings;
    for (const auto row : *rows) {
        Standing standing{.version = {.updated_ns = row.int64(1), .observed_ns = row.int64(2), .said_ns = row.int64(3)},
                          .cause = {}};
        if (!row.is_null(4)) {
            const auto trouble = trouble_from(row.text(5));
            if (!trouble) {
                return core::fail(core::ErrorKind::bug, "trouble_unreadable", "a kept trouble has no kind that is known");
            }
            standing.cause =
                Cause{.connection = connection, .trouble = *trouble, .code = row.string(6), .waits_for = row.string(7)};
        }
        standings.emplace(row.string(0), std::move(standing));
    }
    return standings;
}

void PgTroubles::record(kit::Delivery& delivery, const OrderKey& order, const std::string& connection, const Change& change) {
    const auto& [version, cause] = change.now;
    const auto part = [&cause = cause](auto text) {
        return cause ? std::optional<std::string>(text(*cause)) : std::nullopt;
    };
    delivery.write({.sql = kRecord,
                    .values = {helpdesk_, order.shop.value(), std::to_string(bigint(order.id)), connection, change.subject,
                               std::to_string(version.updated_ns), std::to_string(version.observed_ns),
                               std::to_string(version.said_ns), part([](const Cause& c) { return c.id(); }),
                               part([](const Cause& c) { return std::string(to_string(c.trouble)); }),
                               part([](const Cause& c) { return c.code; }), part([](const Cause& c) { return c.waits_for; })}});
}

void PgTroubles::announce(kit::Delivery& delivery, const Cause& cause, const OrderKey& order) {
    const auto key = helpdesk_ + "/" + cause.id();
    delivery.publish({.topic = syncline::topics::helpdesk, .key = key, .subject = key}, changed_event(helpdesk_, cause, order));
}

}  // namespace helpdesk_sync
