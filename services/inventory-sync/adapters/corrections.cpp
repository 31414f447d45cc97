#include "adapters/corrections.h"

#include <syncline/postgres/pool.h>
#include <syncline/reconciliation/v1/events.pb.h>
#include <syncline/topics.h>
#include <set>
#include <tuple>

#include "adapters/marks.h"

namespace inventory_sync {
namespace {

namespace kit = syncline::kit;
namespace reconciliation_v1 = syncline::reconciliation::v1;
using syncline::postgres::Params;
using syncline::postgres::Transaction;

constexpr std::size_t kRecordsMax = 2'000;

constexpr std::string_view kReadAgain = R"sql(
WITH asked AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
                   AS a (shop, sku, item_id, location_id, n)),
     found AS (SELECT q.shop, q.item_id, q.location_id, a.n FROM pairs q
               JOIN asked a ON q.shop = a.shop AND q.location_id = a.location_id
                   AND CASE WHEN a.item_id <> 0 THEN q.item_id = a.item_id ELSE q.sku = a.sku END
               ORDER BY q.shop, q.item_id, q.location_id FOR UPDATE OF q),
     done AS (UPDATE pairs p SET look = true, held = '', held_until = NULL, since = coalesce(p.since, $5::timestamptz)
              FROM found f WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id
              RETURNING p.sku, f.n)
SELECT sku, n FROM done)sql";

}  // namespace

core::Result<CorrectionIntake> take_corrections(Transaction& tx, const std::vector<Correction>& corrections,
                                                core::SystemTime now) {
    CorrectionIntake intake;
    std::vector<std::string> shops;
    std::vector<std::string> skus;
    std::vector<std::int64_t> items;
    std::vector<std::int64_t> locations;
    std::set<std::tuple<std::string, std::string, std::int64_t, std::int64_t>> once;
    for (const auto& asked : corrections) {
        if (!once.emplace(asked.shop, asked.item != 0 ? std::string{} : asked.sku, asked.item, asked.location).second) {
            ++intake.taken;  // Said twice: done with the first.
            continue;
        }
        shops.push_back(asked.shop);
        skus.push_back(asked.sku);
        items.push_back(asked.item);
        locations.push_back(asked.location);
    }
    if (shops.empty()) {
        return intake;
    }
    const auto done =
        tx.exec(kReadAgain, Params{}.add_array(shops).add_array(skus).add_array(items).add_array(locations).add(now));
    if (!done) {
        return std::unexpected(done.error());
    }
    std::vector<std::string> marked;
    std::set<std::int64_t> found;
    for (const auto row : *done) {
        marked.push_back(row.string(0));
        found.insert(row.int64(1));
    }
    intake.taken += found.size();
    intake.unknown = shops.size() - found.size();
    if (auto computed = mark_dirty(tx, std::move(marked), false, now); !computed) {
        return std::unexpected(std::move(computed.error()));
    }
    return intake;
}

Corrections::Corrections(core::Clock& clock, syncline::telemetry::Metrics& metrics)
    : clock_(clock),
      counted_(
          metrics.counter("syncline_inventory_sync_corrections_total",
                          "Differences that reconciliation found: taken (read and written anew), unknown (no such pair), passed "
                          "(not to be corrected).",
                          {"outcome"})) {}

kit::BatchHandler Corrections::handler(const std::string& group) {
    using Event = kit::BatchEvent<reconciliation_v1::StockDivergenceDetected>;
    return kit::batch_of<reconciliation_v1::StockDivergenceDetected>(
        {.topic = syncline::topics::reconciliation,
         .consumer_group = group,
         .records_max = kRecordsMax,
         .apply = [this](std::span<const Event> events, Transaction& tx) -> core::Result<kit::BatchOutcome> {
             std::vector<Correction> corrections;
             for (const auto& event : events) {
                 const auto& found = *event.get<reconciliation_v1::StockDivergenceDetected>();
                 if (found.healing() == reconciliation_v1::HEALING_CORRECTED) {
                     corrections.push_back({.shop = found.shop(),
                                            .sku = found.sku(),
                                            .item = found.inventory_item_id(),
                                            .location = found.location_id()});
                 }
             }
             const auto taken = take_corrections(tx, corrections, clock_.now());
             if (!taken) {
                 return std::unexpected(taken.error());
             }
             counted_.with({"taken"}).add(static_cast<double>(taken->taken));
             counted_.with({"unknown"}).add(static_cast<double>(taken->unknown));
             counted_.with({"passed"}).add(static_cast<double>(events.size() - corrections.size()));
             return kit::BatchOutcome{};
         }});
}

}  // namespace inventory_sync
