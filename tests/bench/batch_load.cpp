// Fills the stock topic: batch_load BROKERS RECORDS. Each report is of another SKU. Prints what was acknowledged.
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
    const auto records = argc == 3 ? core::parse_int<std::int64_t>(argv[2]) : core::Result<std::int64_t>(0);
    if (argc != 3 || !records || *records <= 0) {
        fmt::print(stderr, "batch_load BROKERS RECORDS\n");
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
    for (std::int64_t n = 0; n < *records; ++n) {
        inventory::v1::StockReported report;
        report.mutable_position()->set_source("wms-north");
        report.mutable_position()->set_location("main");
        report.mutable_position()->set_sku(fmt::format("SKU-{:09}", n));
        report.mutable_position()->set_basis(inventory::v1::STOCK_BASIS_PHYSICAL);
        report.mutable_quantity()->set_value(std::to_string(n % 1000));
        report.mutable_observed_at()->set_seconds(1'760'000'000 + n);
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
