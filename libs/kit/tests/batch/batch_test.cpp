// A partition's batch in one transaction: once, from the stored offset on, whatever stands in it.
#include <catch2/catch_test_macros.hpp>

#include <syncline/kit/batch_events.h>
#include <algorithm>
#include <mutex>
#include <set>

#include "src/batch/partition.h"
#include "src/store/rows.h"
#include "tests/batch/fixtures.h"
#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;
using core::ErrorKind;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

namespace {

HarnessOptions stock(BatchHandler handler, int partitions = 4) {
    return {.partitions = partitions, .migrations = {kStockTable}, .batches = {std::move(handler)}};
}

void publish(Harness& h, std::int64_t from, std::int64_t to) {
    for (auto n = from; n < to; ++n) {
        h.publish(kInventory, stock_key(n), report(n, n));
    }
}

std::int64_t rows(Harness& h) {
    return h.count("SELECT count(*) FROM stock");
}
// Applied more or less than once.
std::int64_t wrong(Harness& h) {
    return h.count("SELECT count(*) FROM stock WHERE applied <> 1");
}
std::int64_t letters(Harness& h, const std::string& code) {
    return std::stoll(h.database().value("SELECT count(*) FROM dead_letters WHERE code = $1", postgres::Params{}.add(code)));
}

}  // namespace

TEST_CASE("batch: a suspect range goes in 80ths, a small one record by record, then in full batches", "[unit]") {
    const BatchHandler handler{.topic = "t", .consumer_group = "g", .types = {"x"}, .records_max = 5'000, .apply = nullptr};
    BatchPartition partition({"t", 0}, handler, 1);
    CHECK(batch_limit(partition, 100) == 5'100);  // Nothing was announced: as much as a batch holds.
    partition.mark = 900;
    CHECK(batch_limit(partition, 100) == 900);
    CHECK(batch_limit(partition, 900) == 5'900);
    CHECK(next_mark(partition, 900) == 5'900);
    CHECK_FALSE(runs_alone(partition, 100));

    BatchPartition suspect({"t", 0}, handler, 2);
    suspect.suspect_end = 5'100;
    CHECK(batch_limit(suspect, 100) == 163);
    CHECK(next_mark(suspect, 163) == 226);
    CHECK(batch_limit(suspect, 5'090) == 5'100);
    CHECK(next_mark(suspect, 5'100) == 10'100);
    CHECK_FALSE(runs_alone(suspect, 100));

    BatchPartition narrow({"t", 0}, handler, 3);
    narrow.suspect_end = 180;
    CHECK(batch_limit(narrow, 100) == 101);
    CHECK(runs_alone(narrow, 100));
    CHECK(runs_alone(narrow, 179));
    CHECK_FALSE(runs_alone(narrow, 180));
}

TEST_CASE("batch: handlers that contradict each other are refused", "[kit]") {
    NEEDS_POSTGRES();
    const auto refused = [](std::vector<HandlerSpec> handlers, std::vector<BatchHandler> batches) {
        Harness h({.handlers = std::move(handlers), .batches = std::move(batches)});
        try {
            h.start();
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refused({}, {on_stock(), on_stock()}).find("two batch handlers") != std::string::npos);
    auto without = on_stock();
    without.apply = nullptr;
    CHECK(refused({}, {without}).find("needs") != std::string::npos);
    auto same_group = on_stock();
    same_group.consumer_group = kGroup;
    CHECK(refused({on_order([](const auto&, Delivery&) { return Outcome::done(); })}, {same_group}).find("one consumer group") !=
          std::string::npos);
}

TEST_CASE("batch: every record is applied once, the offset is in PostgreSQL and Kafka's follows", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<std::size_t> largest = 0;
    Harness h(stock(on_stock([&](auto records) {
        largest = std::max(largest.load(), records.size());
        return core::Result<BatchOutcome>{BatchOutcome{}};
    })));
    publish(h, 0, 5'000);
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 5'000);
    CHECK(wrong(h) == 0);
    CHECK(largest > 200);
    CHECK(h.count("SELECT sum(next_offset) FROM batch_offsets") == 5'000);
    const auto committed = [&] {
        std::int64_t sum = 0;
        for (int partition = 0; partition < 4; ++partition) {
            sum += h.broker().committed(kStockGroup, {kInventory, partition});
        }
        return sum;
    };
    CHECK(h.advance_until([&] { return committed() == 5'000; }, 1s, 10s));
    auto& metrics = h.member().metrics();
    CHECK(metric_of(metrics, "syncline_events_total", {R"(handler="StockReported")", R"(outcome="done")"}) == 5'000);
    CHECK(metric_of(metrics, "syncline_events_total", {}) == 5'000);
    CHECK(metric_of(metrics, "syncline_batches_total", {R"(outcome="applied")", R"(topic="inventory.v1")"}) >= 4);
    CHECK(metric_of(metrics, "syncline_batch_records_sum", {}) == 5'000);
    CHECK(metric_of(metrics, "syncline_batch_apply_seconds_count", {}) >= 4);
    CHECK(metric_of(metrics, "syncline_event_age_seconds_count", {R"(handler="StockReported")"}) == 5'000);
    h.stop();
    CHECK(h.count("SELECT count(*) FROM partition_markers WHERE NOT clean") == 0);
}

TEST_CASE("batch: it goes on at the stored offset, whatever Kafka was told", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    publish(h, 0, 300);
    // Without a stored offset the oldest record is the first one: Kafka may know of positions whose rows are gone.
    h.broker().set_committed(kStockGroup, {kInventory, 0, 250});
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 300);
    h.stop();
    // The process died after its transaction and before it told Kafka.
    h.broker().set_committed(kStockGroup, {kInventory, 0, 10});
    publish(h, 300, 350);
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 350);
    CHECK(wrong(h) == 0);
}

TEST_CASE("batch: of 5,000 records three that PostgreSQL refuses are dead letters and all others count once", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> calls = 0;
    Harness h(stock(on_stock([&](auto) {
                        ++calls;
                        return core::Result<BatchOutcome>{BatchOutcome{}};
                    }),
                    1));
    std::vector<std::int64_t> offsets;
    for (std::int64_t n = 0; n < 5'000; ++n) {
        const bool bad = n == 0 || n == 2'501 || n == 4'999;
        const auto at = h.publish(kInventory, stock_key(n), report(n, bad ? -5 : n));
        if (bad) {
            offsets.push_back(at.offset);
        }
    }
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 4'997);
    CHECK(wrong(h) == 0);
    CHECK(letters(h, "constraint_violation") == 3);
    REQUIRE(h.dead_letters().size() == 3);
    std::set<std::string> places;
    for (const auto& letter : h.dead_letters()) {
        places.emplace(header_value(letter.headers, "syncline-origin-offset"));
        CHECK(header_value(letter.headers, "syncline-error-class") == "rejected");
        CHECK(header_value(letter.headers, "syncline-group") == kStockGroup);
        CHECK(header_value(letter.headers, "ce_type") == "syncline.inventory.v1.StockReported");
    }
    for (const auto offset : offsets) {
        CHECK(places.contains(std::to_string(offset)));
    }
    // Memory hands records over in portions, so there may be several batches; each bad record costs two halves a level.
    CHECK(calls <= 30 + 3 * 2 * 13);
    CHECK(h.count("SELECT next_offset FROM batch_offsets") == 5'000);
}

TEST_CASE("batch: what apply itself calls bad leaves in the transaction of the others", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> calls = 0;
    Harness h(stock(on_stock([&](auto records) -> core::Result<BatchOutcome> {
        ++calls;
        BatchOutcome outcome;
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (quantity_of(records[i]) % 100 == 7) {
                outcome.bad.push_back({i, {.kind = ErrorKind::rejected, .code = "unknown_unit", .message = "a unit"}});
                outcome.bad.push_back({i, {.kind = ErrorKind::rejected, .code = "said_twice", .message = "again"}});
            }
        }
        return outcome;
    })));
    h.start();
    publish(h, 0, 1'000);
    REQUIRE(h.settle());
    CHECK(rows(h) == 990);
    CHECK(letters(h, "unknown_unit") == 10);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 10);
    CHECK(h.dead_letters().size() == 10);
}

TEST_CASE("batch: exceptions and wrong answers stand alone in the end, whatever the kind", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock([&](auto records) -> core::Result<BatchOutcome> {
                        for (const auto& record : records) {
                            switch (quantity_of(record)) {
                                case 11:
                                    throw std::runtime_error("Jane Doe");
                                case 22:
                                    throw 7;
                                case 33:
                                    return BatchOutcome{.bad = {{records.size(), {.code = "beyond", .message = ""}}},
                                                        .events = {}};
                                case 44:
                                    return core::fail(ErrorKind::mapping_missing, "no_location", "no such location");
                                default:
                                    break;
                            }
                        }
                        return BatchOutcome{};
                    }),
                    1));
    publish(h, 0, 64);
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 60);
    CHECK(wrong(h) == 0);
    CHECK(letters(h, "batch_exception") == 2);
    CHECK(letters(h, "bad_index") == 1);
    CHECK(letters(h, "no_location") == 1);
    for (const auto& letter : h.dead_letters()) {
        for (const auto& [name, value] : letter.headers) {
            CHECK(value.find("Jane") == std::string::npos);
        }
    }
}

TEST_CASE("batch: records without readable headers are dead letters, other types are passed over, both move the offset",
          "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    const auto type = std::string("syncline.inventory.v1.StockReported");
    const auto bytes = report(1, 1).SerializeAsString();
    h.broker().publish(kInventory, "k", bytes, {});
    h.broker().publish(kInventory, "k", bytes, {{"ce_type", type}, {"ce_time", "yesterday"}});
    h.broker().publish(kInventory, std::nullopt, bytes, {{"ce_type", type}, {"content-type", "application/json"}});
    h.broker().publish(kInventory, "k\xff", "\xff", {{"ce_type", "syncline.inventory.v1.LocationChanged"}, {"ce_time", "x"}});
    h.publish(kInventory, stock_key(1), report(1, 1));
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 1);
    CHECK(letters(h, "headers_malformed") == 3);
    CHECK(h.count("SELECT next_offset FROM batch_offsets") == 5);
    CHECK(metric_of(h.member().metrics(), "syncline_events_total", {R"(outcome="skipped")", R"(code="unknown_type")"}) == 1);
    CHECK(metric_of(h.member().metrics(), "syncline_dead_letters_total", {R"(class="malformed")"}) == 3);
    // Nothing but such records: the offset moves without a call.
    h.broker().publish(kInventory, "k", "\xff", {{"ce_type", "syncline.inventory.v1.LocationChanged"}});
    h.broker().publish(kInventory, "k", std::string(1, '\0'), {{"ce_id", std::string("\0\xff", 2)}});
    REQUIRE(h.settle());
    CHECK(h.count("SELECT next_offset FROM batch_offsets") == 7);
    CHECK(letters(h, "headers_malformed") == 4);
}

TEST_CASE("batch: messages come typed, and a value that is none is a dead letter of its own", "[kit]") {
    NEEDS_POSTGRES();
    using inventory::v1::StockAdjusted;
    using inventory::v1::StockReported;
    std::mutex mutex;
    std::multiset<std::string> seen;
    auto options =
        stock(batch_of<StockReported, StockAdjusted>(
                  {.topic = kInventory,
                   .consumer_group = kStockGroup,
                   .apply = [&](std::span<const BatchEvent<StockReported, StockAdjusted>> events,
                                postgres::Transaction&) -> core::Result<BatchOutcome> {
                       BatchOutcome outcome;
                       const std::lock_guard lock(mutex);
                       for (std::size_t i = 0; i < events.size(); ++i) {
                           if (const auto* reported = events[i].get<StockReported>()) {
                               seen.insert("level " + reported->position().sku() + ' ' + events[i].headers->key);
                           } else if (const auto* adjusted = events[i].get<StockAdjusted>()) {
                               seen.insert("delta " + adjusted->delta().value());
                               outcome.bad.push_back({i, {.kind = ErrorKind::rejected, .code = "no_deltas", .message = ""}});
                           }
                       }
                       return outcome;
                   }}),
              1);
    Harness h(options);
    const auto type = std::string("syncline.inventory.v1.StockReported");
    h.broker().publish(kInventory, "k", "\xff\xff no message", {{"ce_type", type}});
    StockAdjusted adjusted;
    adjusted.mutable_delta()->set_value("-3");
    h.publish(kInventory, "k", adjusted);
    h.publish(kInventory, stock_key(1), report(1, 1));
    h.start();
    REQUIRE(h.settle());
    CHECK(letters(h, "protobuf_malformed") == 1);
    CHECK(letters(h, "no_deltas") == 1);
    CHECK(h.database().value("SELECT record_offset FROM dead_letters WHERE code = 'no_deltas'") == "1");
    const std::lock_guard lock(mutex);
    CHECK(seen == std::multiset<std::string>{"delta -3", "level sku-1 wms/north/sku-1"});
}

TEST_CASE("batch: events leave through the outbox, in their order, with the rows of their batch", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> failures = 1;
    Harness h(stock(on_stock([&](auto records) -> core::Result<BatchOutcome> {
                        BatchOutcome outcome;
                        for (const auto& record : records) {
                            auto event = std::make_shared<inventory::v1::StockReported>();
                            event->ParseFromString(std::string(record.value));
                            outcome.events.emplace_back(
                                OutgoingEvent{.topic = "exports.v1", .key = "one", .subject = record.headers.key},
                                std::move(event));
                        }
                        if (failures-- > 0) {
                            return core::fail(ErrorKind::conflict, "locked", "made by the test");
                        }
                        return outcome;
                    }),
                    1));
    publish(h, 0, 150);
    h.start();
    REQUIRE(h.settle());
    const auto published = h.published("exports.v1");
    REQUIRE(published.size() == 150);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < published.size(); ++i) {
        CHECK(header_value(published[i].headers, "ce_subject") == stock_key(static_cast<std::int64_t>(i)));
        ids.emplace(header_value(published[i].headers, "ce_id"));
    }
    CHECK(ids.size() == 150);
    CHECK(h.dead_letters().empty());
}
