#include "adapters/pg_tickets.h"

#include <syncline/core/time.h>

namespace helpdesk_sync {
namespace {

namespace postgres = syncline::postgres;

constexpr std::chrono::seconds kQueryTimeout{10};

constexpr std::string_view kFind = R"(
SELECT state, ticket_id, episode, revision, told, written_ns, closed FROM tickets WHERE helpdesk = $1 AND cause = $2)";

// An order may be in trouble with two refunds and is one order all the same.
constexpr std::string_view kAffected = R"(
SELECT shop || '/' || order_id, count(*) OVER () FROM (
    SELECT shop, order_id, min(since) AS since FROM troubles WHERE helpdesk = $1 AND cause = $2 GROUP BY shop, order_id) orders
 ORDER BY since, shop, order_id LIMIT $3)";

constexpr std::string_view kRecord = R"(
INSERT INTO tickets (helpdesk, cause, state, ticket_id, episode, revision, told, written_ns, closed)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
                     $9::boolean[])
ON CONFLICT (helpdesk, cause) DO UPDATE SET
    state = excluded.state, ticket_id = excluded.ticket_id, episode = excluded.episode, revision = excluded.revision,
    told = excluded.told, written_ns = excluded.written_ns, closed = excluded.closed)";

std::string_view name_of(TicketState state) {
    return state == TicketState::open ? "open" : state == TicketState::solved ? "solved" : "none";
}

TicketState state_from(std::string_view name) {
    return name == "open" ? TicketState::open : name == "solved" ? TicketState::solved : TicketState::none;
}

}  // namespace

core::Result<Ticket> PgTickets::find(const Cause& cause) {
    const auto rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kFind, postgres::Params{}.add(helpdesk_).add(cause.id()));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    if (rows->empty()) {
        return Ticket{};
    }
    const auto row = (*rows)[0];
    return Ticket{.state = state_from(row.text(0)),
                  .id = row.int64(1),
                  .episode = row.int64(2),
                  .revision = row.int64(3),
                  .told = row.string(4),
                  .written_at = core::time_from_nanos(row.int64(5)),
                  .closed = row.boolean(6)};
}

core::Result<Affected> PgTickets::affected(const Cause& cause) {
    const auto rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kAffected,
                                 postgres::Params{}.add(helpdesk_).add(cause.id()).add(kNamedMax));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    Affected affected;
    for (const auto row : *rows) {
        affected.some.push_back(row.string(0));
        affected.orders = row.int64(1);
    }
    return affected;
}

void PgTickets::record(kit::Delivery& delivery, const Cause& cause, const Ticket& ticket) {
    delivery.write({.sql = kRecord,
                    .values = {helpdesk_, cause.id(), std::string(name_of(ticket.state)), std::to_string(ticket.id),
                               std::to_string(ticket.episode), std::to_string(ticket.revision), ticket.told,
                               std::to_string(core::nanos_since_epoch(ticket.written_at)), ticket.closed ? "true" : "false"}});
}

}  // namespace helpdesk_sync
