// Two processors of one group on librdkafka's mock cluster: nothing is lost and nothing done twice while partitions move.
#include <catch2/catch_test_macros.hpp>

#include <syncline/core/hash.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <set>
#include <thread>

#include "src/processing/kafka_transport.h"
#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;

namespace {

struct Process {
    Process(const std::string& brokers, postgres::PoolOptions database, const HandlerSpec& handler, const TargetSpec& target)
        : pool(std::move(database)) {
        // The mock cluster now and then begins a rebalance anew, most of a session time-out later: see transport_test.
        const kafka::ClientOptions client{.brokers = brokers,
                                          .overrides = {{"session.timeout.ms", "6000"}, {"heartbeat.interval.ms", "500"}}};
        auto made_producer = kafka::Producer::create({.client = client});
        REQUIRE(made_producer);
        producer = std::move(*made_producer);
        source = make_kafka_source({.client = client, .group = kGroup, .prefix = "syncline"}, core::system_clock());
        sink = make_kafka_sink(*producer, "syncline");
        reader = make_kafka_reader(client, "syncline");
        auto made = Processor::make({handler}, target, nullptr, {.service = "test"},
                                    {.clock = core::system_clock(),
                                     .metrics = metrics,
                                     .pool = pool,
                                     .source = source.get(),
                                     .sink = *sink,
                                     .reader = *reader});
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

bool eventually(const std::function<bool()>& holds, std::chrono::seconds time = 60s) {
    const core::Deadline deadline(core::system_clock(), time);
    while (!holds()) {
        if (deadline.passed()) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

}  // namespace

TEST_CASE("processing: on Kafka, members come and go and every event is done once", "[kafka]") {
    if (!Harness::available()) {
        SKIP(std::string(Harness::kWhyNot));
    }
    kafka::testing::MockCluster cluster;
    cluster.create_topic("syncline.orders.v1", 6);
    cluster.create_topic("syncline.exports.v1", 2);
    postgres::testing::Database database;
    for (const auto& migration : Processor::migrations()) {
        REQUIRE(database.pool().run(core::Deadline(core::system_clock(), 20s),
                                    [&](postgres::Transaction& tx) { return tx.exec_script(migration.sql); }));
    }
    FakeTarget target;
    std::atomic<int> delivered = 0;
    const auto handler = on_order([&](const auto& event, Delivery& delivery) {
        delivery.publish({.topic = "exports.v1", .key = delivery.headers().key, .subject = {}}, event);
        return exporting(target)(event, delivery);
    });
    const auto spec = target_of(target);
    auto first = std::make_unique<Process>(cluster.brokers(), database.options(), handler, spec);

    int sent = 0;
    const auto send = [&](int count) {
        for (int i = 0; i < count; ++i, ++sent) {
            first->sink->send({.topic = kOrders,
                               .key = key_of(sent),
                               .value = order(sent, 1).SerializeAsString(),
                               .headers = {{"ce_id", core::uuid_v4()}, {"ce_type", "syncline.orders.v1.OrderChanged"}}},
                              [&](core::Result<void> result) { delivered += result ? 1 : 0; });
        }
    };
    const auto done = [&] {
        return std::stoi(database.value("SELECT count(*) FROM inbox WHERE state = 'done'"));
    };
    send(200);
    REQUIRE(eventually([&] { return done() == 200; }));
    auto second = std::make_unique<Process>(cluster.brokers(), database.options(), handler, spec);
    send(200);
    REQUIRE(eventually([&] { return second->processor->figures().partitions == 3; }));
    send(200);
    REQUIRE(eventually([&] { return done() == 600; }));
    CHECK(second->processor->drain(core::Deadline(core::system_clock(), 20s)));
    second.reset();
    send(100);
    REQUIRE(eventually([&] { return done() == 700; }));
    REQUIRE(eventually([&] { return database.value("SELECT count(*) FROM outbox") == "0"; }));
    CHECK(target.documents() == 700);
    for (int id = 0; id < 700; ++id) {
        CHECK(target.document("order_" + std::to_string(id)).writes == 1);
    }
    CHECK(database.value("SELECT count(*) FROM inbox") == "700");
    CHECK(database.value("SELECT count(*) FROM partition_owner WHERE epoch >= 3") == "6");
    CHECK(first->processor->drain(core::Deadline(core::system_clock(), 20s)));
    first.reset();
    CHECK(delivered == 700);  // With its producer the last answer has come.
}
