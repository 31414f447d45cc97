#include "adapters/pg_own_state.h"

#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <map>
#include <set>

namespace inventory_sync {
namespace {

namespace json = syncline::json;
using syncline::postgres::Params;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{30};

constexpr std::string_view kPage = R"sql(
SELECT p.item_id, p.location_id, p.sku, p.basis, p.target, p.believed - p.net, p.sellable, p.pending,
       p.unsent OR p.look OR p.batch IS NOT NULL, p.held, p.since,
       EXISTS (SELECT FROM locations l WHERE l.shop = p.shop AND l.location_id = p.location_id AND NOT l.active)
FROM pairs p WHERE p.shop = $1 AND (p.item_id, p.location_id) > ($2::bigint, $3::bigint) AND ($4::bigint = 0 OR p.location_id = $4)
ORDER BY p.item_id, p.location_id LIMIT $5)sql";
constexpr std::string_view kLevels = R"sql(
SELECT p.sku, p.source, p.location, p.unit, (p.level + coalesce(a.sum, 0))::text, greatest(p.observed_ns, coalesce(a.newest, 0))
FROM positions p LEFT JOIN LATERAL (
    SELECT sum(c.delta) AS sum, max(c.observed_ns) AS newest FROM adjustments c
    WHERE p.adjusted AND c.sku = p.sku AND c.source = p.source AND c.location = p.location AND c.observed_ns > p.observed_ns) a
    ON true
WHERE p.sku = ANY ($1::text[]) AND p.level IS NOT NULL)sql";
constexpr std::string_view kHappened = R"sql(
SELECT sku, max(at) FROM (
    SELECT sku, placed_ns AS at FROM reservations WHERE sku = ANY ($1::text[])
    UNION ALL SELECT sku, shipped_ns FROM shipments WHERE sku = ANY ($1::text[])) AS h GROUP BY sku)sql";
constexpr std::string_view kMarked = R"sql(
SELECT s.sku, min(d.since) FROM dirty d, unnest(d.skus) AS s (sku) WHERE s.sku = ANY ($1::text[]) GROUP BY s.sku)sql";

struct Told {
    Place place;
    std::int64_t pieces = 0;
    std::int64_t observed_ns = 0;
};

struct Known {
    std::map<std::string, std::vector<Told>> levels;
    std::map<std::string, std::int64_t> happened_ns;
    std::map<std::string, core::SystemTime> marked;
};

core::Result<Known> load(Transaction& tx, const std::vector<std::string>& skus, const Rules& rules) {
    const auto params = Params{}.add_array(skus);
    const auto levels = tx.exec(kLevels, params);
    const auto happened = tx.exec(kHappened, params);
    const auto marked = tx.exec(kMarked, params);
    if (!levels || !happened || !marked) {
        return std::unexpected(!levels ? levels.error() : !happened ? happened.error() : marked.error());
    }
    Known known;
    for (const auto row : *levels) {
        Place place{.source = row.string(1), .location = row.string(2)};
        const auto* rule = rules.source(place.source);
        const auto quantity = Decimal::parse(row.text(4));
        if (rule == nullptr || !quantity) {
            continue;
        }
        // A unit that the mapping does not know is a hold of that place: nothing is computed from it.
        if (const auto pieces = pieces_of(*quantity, row.string(3), place.source, *rule)) {
            known.levels[row.string(0)].push_back({.place = std::move(place), .pieces = *pieces, .observed_ns = row.int64(5)});
        }
    }
    for (const auto row : *happened) {
        known.happened_ns[row.string(0)] = row.int64(1);
    }
    for (const auto row : *marked) {
        known.marked[row.string(0)] = row.time(1);
    }
    return known;
}

void write_pair(json::Writer& out, const syncline::postgres::Row& row, const Known& known, const ShopRules& shop) {
    const auto sku = row.string(2);
    const auto location = row.int64(1);
    const auto marked = known.marked.find(sku);
    const auto held = row.boolean(11) ? std::string("location_inactive") : row.string(9);
    out.begin_object().member("sku", sku).member("inventory_item_id", row.int64(0)).member("location_id", location);
    out.member("written_as", row.int64(3) == 0 ? "on_hand" : "available").member("target", row.int64(4)).key("shown");
    if (const auto shown_now = row.optional_int64(5)) {
        out.integer(*shown_now);
    } else {
        out.null();
    }
    out.member("sellable", row.int64(6)).member("policy", policy_at_work(row.int64(6), shop.shown_by(sku, location)));
    out.member("pending", row.int64(7));
    out.member("in_flight", held.empty() && (row.boolean(8) || marked != known.marked.end())).member("held", held);
    std::int64_t youngest = 0;
    if (const auto happened = known.happened_ns.find(sku); happened != known.happened_ns.end()) {
        youngest = happened->second;
    }
    if (const auto since = row.optional_time(10)) {
        youngest = std::max(youngest, core::nanos_since_epoch(*since));
    }
    if (marked != known.marked.end()) {
        youngest = std::max(youngest, core::nanos_since_epoch(marked->second));
    }
    out.key("levels").begin_array();
    const auto* here = shop.find(location);
    const auto told = known.levels.find(sku);
    if (here != nullptr && told != known.levels.end()) {
        for (const auto& level : told->second) {
            if (std::ranges::find(here->from, level.place) == here->from.end()) {
                continue;
            }
            youngest = std::max(youngest, level.observed_ns);
            out.begin_object().member("source", level.place.source).member("location", level.place.location);
            out.member("pieces", level.pieces);
            out.member("observed_at", core::format_rfc3339_utc(core::time_from_nanos(level.observed_ns))).end_object();
        }
    }
    out.end_array();
    if (youngest > 0) {
        out.member("youngest_input_at", core::format_rfc3339_utc(core::time_from_nanos(youngest)));
    }
    out.end_object();
}

}  // namespace

core::Result<std::string> PgOwnState::page(const StatePage& wanted, const Rules& rules) {
    const auto* shop = rules.shop(wanted.shop);
    if (shop == nullptr) {
        return core::fail(core::ErrorKind::not_ready, "shop_unknown", "the mapping names no such shop");
    }
    return pool_.run(core::Deadline(clock_, kTimeout),
                     [&](Transaction& tx) -> core::Result<std::string> {
                         const auto rows = tx.exec(kPage, Params{}
                                                              .add(wanted.shop)
                                                              .add(wanted.after.item)
                                                              .add(wanted.after.location)
                                                              .add(wanted.location)
                                                              .add(wanted.limit));
                         if (!rows) {
                             return std::unexpected(rows.error());
                         }
                         std::set<std::string> skus;
                         for (const auto row : *rows) {
                             skus.insert(row.string(2));
                         }
                         const auto known = load(tx, {skus.begin(), skus.end()}, rules);
                         if (!known) {
                             return std::unexpected(known.error());
                         }
                         json::Writer out;
                         out.begin_object().member("shop", wanted.shop).key("items").begin_array();
                         PairId last;
                         for (const auto row : *rows) {
                             write_pair(out, row, *known, *shop);
                             last = {.item = row.int64(0), .location = row.int64(1)};
                         }
                         out.end_array();
                         if (rows->size() == wanted.limit) {
                             out.member("next", std::to_string(last.item) + "/" + std::to_string(last.location));
                         }
                         out.end_object();
                         return std::move(out).take();
                     },
                     {.isolation = syncline::postgres::Isolation::repeatable_read, .read_only = true});
}

}  // namespace inventory_sync
