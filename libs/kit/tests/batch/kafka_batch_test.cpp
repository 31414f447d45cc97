// Batches of two processes of one group on librdkafka's mock cluster: nothing is lost and nothing counts twice while partitions
// move, and a new process begins where PostgreSQL says.
#include <catch2/catch_test_macros.hpp>

#include <syncline/core/hash.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <thread>

#include "src/processing/kafka_transport.h"
#include "tests/batch/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;

namespace {

struct Process {
    Process(const std::string& brokers, postgres::PoolOptions database, const BatchHandler& handler) : pool(std::move(database)) {
        const kafka::ClientOptions client{.brokers = brokers};
        auto made_producer = kafka::Producer::create({.client = client});
        REQUIRE(made_producer);
        producer = std::move(*made_producer);
        source =
            make_kafka_source({.client = client, .group = handler.consumer_group, .prefix = "syncline"}, core::system_clock());
        sink = make_kafka_sink(*producer, "syncline");
        reader = make_kafka_reader(client, "syncline");
        auto made = Processor::make({}, std::nullopt, nullptr, {.service = "test"},
                                    {.clock = core::system_clock(),
                                     .metrics = metrics,
                                     .pool = pool,
                                     .sink = *sink,
                                     .reader = *reader,
                                     .batch_sources = {{handler.consumer_group, source.get()}}},
                                    {handler});
        REQUIRE(made);
        processor = std::move(*made);
        REQUIRE(processor->start());
    }
    postgres::Pool pool;
    telemetry::Metrics metrics{"test"};
    std::unique_ptr<kafka::Producer> producer;
    std::unique_ptr<RecordSource> source;
    std::unique_ptr<RecordSink> sink;
    std::unique_ptr<RecordReader> reader;
    std::unique_ptr<Processor> processor;
};

bool eventually(const std::function<bool()>& holds, std::chrono::seconds time = 40s) {
    const core::Deadline deadline(core::system_clock(), time);
    while (!holds()) {
        if (deadline.passed()) {
            return false;
        }
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

}  // namespace

TEST_CASE("batch: on Kafka, members come and go and every record counts once", "[kafka]") {
    if (!Harness::available()) {
        SKIP(std::string(Harness::kWhyNot));
    }
    kafka::testing::MockCluster cluster;
    cluster.create_topic("syncline.inventory.v1", 6);
    cluster.create_topic("syncline.dead-letters.v1", 1);
    postgres::testing::Database database;
    for (const auto& migration : Processor::migrations()) {
        REQUIRE(database.pool().run(core::Deadline(core::system_clock(), 20s),
                                    [&](postgres::Transaction& tx) { return tx.exec_script(migration.sql); }));
    }
    database.exec(kStockTable);
    const auto handler = on_stock(nullptr, 500);
    auto first = std::make_unique<Process>(cluster.brokers(), database.options(), handler);
    const auto sender = kafka::Producer::create({.client = {.brokers = cluster.brokers()}});
    REQUIRE(sender);
    const auto sink = make_kafka_sink(**sender, "syncline");

    std::atomic<int> refused = 0;
    std::int64_t sent = 0;
    const auto send = [&](std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i, ++sent) {
            const bool bad = sent % 5'000 == 4'321;
            sink->send({.topic = kInventory,
                        .key = stock_key(sent),
                        .value = report(sent, bad ? -1 : sent).SerializeAsString(),
                        .headers = {{"ce_id", core::uuid_v4()}, {"ce_type", "syncline.inventory.v1.StockReported"}}},
                       [&](core::Result<void> result) { refused += result.has_value() ? 0 : 1; });
        }
    };
    const auto rows = [&] {
        return std::stoll(database.value("SELECT count(*) FROM stock"));
    };
    const auto dead = [&] {
        return std::stoll(database.value("SELECT count(*) FROM dead_letters"));
    };
    send(10'000);
    REQUIRE(eventually([&] { return rows() + dead() == 10'000; }));
    send(10'000);
    auto second = std::make_unique<Process>(cluster.brokers(), database.options(), handler);
    send(10'000);
    REQUIRE(eventually([&] { return second->processor->figures().partitions == 3; }));
    send(5'000);
    REQUIRE(eventually([&] { return rows() + dead() == sent; }));
    CHECK(second->processor->drain(core::Deadline(core::system_clock(), 20s)));
    second.reset();
    send(5'000);
    REQUIRE(eventually([&] { return rows() + dead() == sent; }));
    CHECK(first->processor->drain(core::Deadline(core::system_clock(), 20s)));
    first.reset();
    send(1'000);
    // PostgreSQL alone says where to go on: set back there, records are read again although Kafka's committed offset is further.
    database.exec("UPDATE batch_offsets SET next_offset = next_offset - 10");
    first = std::make_unique<Process>(cluster.brokers(), database.options(), handler);
    REQUIRE(eventually([&] { return rows() + dead() == sent; }));
    CHECK(dead() == 8);
    CHECK(refused == 0);
    CHECK(database.value("SELECT count(*) FROM stock WHERE applied > 2") == "0");
    const auto twice = std::stoll(database.value("SELECT count(*) FROM stock WHERE applied = 2"));
    CHECK((twice >= 59 && twice <= 60));  // A dead letter may be among the ten of a partition.
    CHECK(std::stoll(database.value("SELECT sum(next_offset) FROM batch_offsets")) == sent);
    REQUIRE(eventually([&] { return database.value("SELECT count(*) FROM outbox") == "0"; }));
    CHECK(first->processor->drain(core::Deadline(core::system_clock(), 20s)));
    first.reset();
}
