// Fills the stock topic: batch_load BROKERS RECORDS [PASS]. Each report is of another SKU, in an order that has nothing to do
// with theirs; every pass (1, 2, …) tells of all of them once more, later and with other quantities. Prints what was
// acknowledged.
#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kafka/producer.h>

#include <atomic>
#include <string>

using namespace syncline;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const auto records = argc == 3 || argc == 4 ? core::parse_int<std::int64_t>(argv[2]) : core::Result<std::int64_t>(0);
    const auto pass = argc == 4 ? core::parse_int<std::int64_t>(argv[3]) : core::Result<std::int64_t>(1);
    if (!records || *records <= 0 || !pass || *pass <= 0 || *pass > 1'000) {
        fmt::print(stderr, "batch_load BROKERS RECORDS [PASS]\n");
        return 2;
    }
    auto producer = kafka::Producer::create({.client = {.brokers = argv[1]}});
    if (!producer) {
        fmt::print(stderr, "{}\n", producer.error().message);
        return 2;
    }
    auto& clock = core::system_clock();
    const auto now = core::format_rfc3339_utc(clock.now());
    std::atomic<std::int64_t> acknowledged = 0;
    constexpr std::int64_t kStride = 1'000'003;  // A prime: every SKU comes once.
    for (std::int64_t turn = 0; turn < *records; ++turn) {
        const auto n = *records % kStride == 0 ? turn : turn % *records * kStride % *records;
        inventory::v1::StockReported report;
        report.mutable_position()->set_source("wms-north");
        report.mutable_position()->set_location("main");
        report.mutable_position()->set_sku(fmt::format("SKU-{:09}", n + 1));
        report.mutable_position()->set_basis(inventory::v1::STOCK_BASIS_PHYSICAL);
        report.mutable_quantity()->set_value(std::to_string((n + 7 * *pass) % 1000));
        report.mutable_observed_at()->set_seconds(1'760'000'000 + 10 * *pass);
        const kafka::OutgoingRecord record{.topic = "syncline.inventory.v1",
                                           .key = "wms-north/main/" + report.position().sku(),
                                           .value = report.SerializeAsString(),
                                           .headers = {{"content-type", "application/protobuf"},
                                                       {"ce_specversion", "1.0"},
                                                       {"ce_id", core::uuid_v4()},
                                                       {"ce_type", report.GetTypeName()},
                                                       {"ce_source", "syncline/bench"},
                                                       {"ce_subject", report.position().sku()},
                                                       {"ce_time", now},
                                                       {"ce_correlationid", "bench"},
                                                       {"syncline-received-at", now}}};
        while (!(*producer)->produce(record, [&](core::Result<kafka::Position> at) { acknowledged += at ? 1 : 0; })) {
            clock.sleep_for(5ms);  // The queue is full.
        }
    }
    const auto flushed = (*producer)->flush(core::Deadline(clock, 60s));
    fmt::print("{}\n", acknowledged.load());
    return flushed && acknowledged == *records ? 0 : 1;
}
