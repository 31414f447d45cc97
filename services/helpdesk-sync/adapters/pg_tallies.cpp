#include "adapters/pg_tallies.h"

namespace helpdesk_sync {
namespace {

// Rows of many events travel in one statement, and a row of the table may only be changed once in it.
constexpr std::string_view kAdd = R"(
INSERT INTO tallies (shop, connection, day, orders)
SELECT shop, connection, day::date, count(*) FROM unnest($1::text[], $2::text[], $3::text[]) AS t (shop, connection, day)
 GROUP BY 1, 2, 3
ON CONFLICT (shop, connection, day) DO UPDATE SET orders = tallies.orders + excluded.orders)";

}  // namespace

const std::string_view kTallySchema = R"(
CREATE TABLE IF NOT EXISTS tallies (
    shop text NOT NULL,
    connection text NOT NULL,
    day date NOT NULL,
    orders bigint NOT NULL,
    PRIMARY KEY (shop, connection, day));
)";

void PgTallies::add(kit::Delivery& delivery, const Tally& tally) {
    delivery.write({.sql = kAdd, .values = {tally.shop.value(), tally.connection, tally.day}});
}

}  // namespace helpdesk_sync
