// The smallest service with batches: stock reports into one table with a row a SKU. What the kit costs stands out against it.
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kit/batch_events.h>
#include <syncline/kit/service.h>
#include <syncline/postgres/pool.h>
#include <syncline/topics.h>

#include <span>
#include <string>
#include <vector>

namespace {

using namespace syncline;
using inventory::v1::StockReported;

core::Result<kit::BatchOutcome> write(std::span<const kit::BatchEvent<StockReported>> events, postgres::Transaction& tx) {
    std::vector<std::string> skus;
    std::vector<std::string> quantities;
    skus.reserve(events.size());
    quantities.reserve(events.size());
    for (const auto& event : events) {
        const auto& report = *event.get<StockReported>();
        skus.push_back(report.position().sku());
        quantities.push_back(report.quantity().value());
    }
    // The last one of a SKU counts: a batch holds its records in order.
    auto rows = tx.exec(
        "INSERT INTO levels (sku, quantity) SELECT DISTINCT ON (w.sku) w.sku, w.quantity::numeric "
        "FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(sku, quantity, place) ORDER BY w.sku, w.place DESC "
        "ON CONFLICT (sku) DO UPDATE SET quantity = excluded.quantity",
        postgres::Params{}.add_array(std::span<const std::string>(skus)).add_array(std::span<const std::string>(quantities)));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return kit::BatchOutcome{};
}

void wire(kit::Service& service) {
    service.migration("bench_0001", "CREATE TABLE levels (sku text PRIMARY KEY, quantity numeric NOT NULL)");
    service.on_batch(
        kit::batch_of<StockReported>({.topic = topics::inventory, .consumer_group = "bench-batch.v1", .apply = write}));
}

}  // namespace

int main(int argc, char** argv) {
    return kit::run("bench-batch", argc, argv, wire);
}
