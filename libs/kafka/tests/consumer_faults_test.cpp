// The faults of librdkafka 2.0.2 and of brokers that touch a consumer, each with the test that shows it cannot reach us. Ruled
// out by construction: cooperative-sticky (#4312, #4527, #4783, #4686, #4059: the assignor is fixed and cannot be overridden,
// conf_test), consume callbacks and consume_batch (#4431, #4208: consumer_poll alone is used), seek_partitions (#4230: a new
// assignment instead), query_watermark_offsets on probes (#4460: statistics instead).
#include "tests/waiting.h"

#include <syncline/kafka/consumer.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <catch2/catch_test_macros.hpp>

using namespace syncline::kafka;
using namespace syncline::kafka::testing;
using syncline::core::ErrorKind;
using syncline::core::Result;

namespace {

ConsumerOptions group_of(const MockCluster& cluster) {
    return {.client = {.brokers = cluster.brokers(), .statistics_interval = 100ms},
            .group = "g",
            .topics = {"t"},
            .session_timeout = 6s};
}

std::unique_ptr<Consumer> started(ConsumerOptions options, ConsumerCallbacks callbacks) {
    auto consumer = Consumer::start(std::move(options), std::move(callbacks));
    REQUIRE(consumer.has_value());
    return std::move(*consumer);
}

void send(const MockCluster& cluster, int from, int to) {
    auto producer = Producer::create({.client = {.brokers = cluster.brokers()}});
    REQUIRE(producer.has_value());
    for (int i = from; i < to; ++i) {
        const auto text = std::to_string(i);
        REQUIRE((*producer)->produce({.topic = "t", .key = text, .value = text}, [](Result<Position>) {}).has_value());
    }
    REQUIRE((*producer)->flush(soon()).has_value());
}

std::size_t count(const Seen& seen) {
    return seen.records.size();
}

}  // namespace

TEST_CASE("kafka: a position that does not exist any more is reported, never silently reset", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 10);
    Watched<Seen> seen;
    auto callbacks = recording(seen);
    callbacks.on_assign = [](std::vector<AssignedPartition>& partitions) {
        partitions.at(0).start = 5000;
    };
    const auto consumer = started(group_of(cluster), callbacks);
    REQUIRE(seen.wait([](const Seen& s) { return !s.lost.empty(); }));
    const auto [partition, error] = seen.get().lost.front();
    CHECK(partition == TopicPartition{"t", 0});
    CHECK(error.code == "offset_gone");
    const auto idle = seen.get().idle;
    REQUIRE(seen.wait([&](const Seen& s) { return s.idle > idle + 3; }));
    CHECK(count(seen.get()) == 0);
    // Its owner decides where to go on.
    consumer->restart_at({"t", 0, 3});
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 7; }));
}

TEST_CASE("kafka: a coordinator that is away for a while delays the start of a group and nothing else", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 10);
    cluster.push_errors(Request::find_coordinator,
                        {BrokerError::coordinator_not_available, BrokerError::coordinator_not_available});
    cluster.push_errors(Request::join_group, {BrokerError::coordinator_load_in_progress, BrokerError::not_coordinator});
    cluster.push_errors(Request::sync_group, {BrokerError::rebalance_in_progress});
    cluster.push_errors(Request::offset_fetch, {BrokerError::not_coordinator, BrokerError::coordinator_load_in_progress});
    Watched<Seen> seen;
    const auto consumer = started(group_of(cluster), recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 10; }, 60s));
}

TEST_CASE("kafka: a commit that the coordinator refuses is an error, and the next one succeeds", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 10);
    Watched<Seen> seen;
    const auto consumer = started(group_of(cluster), recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 10; }));
    const std::vector<Position> ten{{"t", 0, 10}};
    cluster.push_errors(Request::offset_commit, {BrokerError::topic_authorization_failed});
    const auto refused = consumer->commit(ten, soon());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "kafka_unauthorized");
    CHECK(consumer->commit(ten, soon()).has_value());
    cluster.push_errors(Request::offset_commit, {BrokerError::topic_authorization_failed});
    consumer->commit_async(ten);
    CHECK(seen.wait([](const Seen& s) { return !s.errors.empty(); }));
}

TEST_CASE("kafka: a commit to brokers that are gone ends at its deadline", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 1);
    Watched<Seen> seen;
    auto options = group_of(cluster);
    options.close_timeout = 1s;
    auto consumer = started(options, recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 1; }));
    cluster.set_down();
    const auto began = std::chrono::steady_clock::now();
    const auto answer = consumer->commit(std::vector<Position>{{"t", 0, 1}}, soon(300ms));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::transient);
    CHECK(std::chrono::steady_clock::now() - began < 5s);
}

TEST_CASE("kafka: a consumer whose brokers are gone closes by its deadline", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 1);
    Watched<Seen> seen;
    auto consumer = started(group_of(cluster), recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 1; }));
    cluster.set_down();
    const auto began = std::chrono::steady_clock::now();
    (void)consumer->close(soon(2s));
    CHECK(std::chrono::steady_clock::now() - began < 8s);
    CHECK(seen.get().revocations == 1);
    consumer.reset();
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}

// LIBRARY-FAULTS §1, #4312 and #4527 are of the cooperative assignor; with range a close before the first assignment is plain.
TEST_CASE("kafka: a consumer that never joined closes at once, and closing twice is nothing", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    for (int round = 0; round < 5; ++round) {
        Watched<Seen> seen;
        auto consumer = started(group_of(cluster), recording(seen));
        CHECK(consumer->close(soon(10s)));
        CHECK(consumer->close(soon(1s)));
        // After the close nothing crashes either.
        CHECK(consumer->commit(std::vector<Position>{{"t", 0, 1}}, soon()).error().code == "kafka_closed");
        consumer->commit_async(std::vector<Position>{{"t", 0, 1}});
        consumer->pause(std::vector<TopicPartition>{{"t", 0}});
    }
}

// Regression: closing while records lay fetched ahead aborted the process (rd_kafka_q_serve: res != RD_KAFKA_OP_RES_PASS).
TEST_CASE("kafka: a consumer that closes with records still to come hands over and leaves", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 2);
    send(cluster, 0, 20'000);
    Watched<Seen> seen;
    auto options = group_of(cluster);
    options.batch_max = 5;
    const auto consumer = started(options, recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) > 0; }));
    CHECK(consumer->close(soon(10s)));
    CHECK(seen.get().revocations == 1);
    CHECK(count(seen.get()) < 20'000);
}

TEST_CASE("kafka: a callback that does not return does not hold up the close beyond its deadline", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 1);
    // Lives on: the stuck thread is leaked with its consumer.
    auto* stuck = new Watched<int>;
    auto* release = new Watched<bool>;
    auto consumer = started(group_of(cluster), {.on_records = [=](std::span<const RecordView>) {
                                stuck->change([](int& n) { ++n; });
                                (void)release->wait([](bool go) { return go; }, 120s);
                            }});
    REQUIRE(stuck->wait([](int n) { return n == 1; }));
    const auto progress = consumer->last_progress();
    const auto began = std::chrono::steady_clock::now();
    CHECK_FALSE(consumer->close(soon(200ms)));
    CHECK(std::chrono::steady_clock::now() - began < 6s);
    // Liveness sees a thread that does not go round (#4176, #4256: max.poll.interval cannot be relied on).
    CHECK(consumer->last_progress() == progress);
    consumer.reset();
    release->change([](bool& go) { go = true; });
}

TEST_CASE("kafka: brokers that go down and come back interrupt a consumer without loss", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 2);
    send(cluster, 0, 50);
    Watched<Seen> seen;
    const auto consumer = started(group_of(cluster), recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 50; }));
    cluster.set_down();
    REQUIRE(eventually([&] { return consumer->stats().brokers_up == 0; }));
    cluster.set_up();
    send(cluster, 50, 100);
    REQUIRE(seen.wait([](const Seen& s) { return s.values().contains("99") && count(s) >= 100; }, 60s));
    const auto values = seen.get().values();
    CHECK(std::set<std::string>(values.begin(), values.end()).size() == 100);
}

TEST_CASE("kafka: a member that the coordinator has forgotten joins again and loses its partitions first", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 5);
    Watched<Seen> seen;
    Watched<std::vector<bool>> losses;
    auto callbacks = recording(seen);
    const auto revoke = callbacks.on_revoke;
    callbacks.on_revoke = [&](const std::vector<TopicPartition>& partitions, bool lost) {
        losses.change([&](std::vector<bool>& all) { all.push_back(lost); });
        revoke(partitions, lost);
    };
    const auto consumer = started(group_of(cluster), callbacks);
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 5; }));
    cluster.push_errors(Request::heartbeat, {BrokerError::unknown_member_id});
    REQUIRE(seen.wait([](const Seen& s) { return s.revocations == 1 && s.assignments == 2; }, 60s));
    CHECK(losses.get().front());
    // Nothing was committed, so everything comes again: at least once.
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 10; }));
}

TEST_CASE("kafka: a fetch that fails for a moment is tried again by the client", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    send(cluster, 0, 10);
    cluster.push_errors(Request::fetch, {BrokerError::not_leader, BrokerError::disconnect, BrokerError::request_timed_out});
    Watched<Seen> seen;
    const auto consumer = started(group_of(cluster), recording(seen));
    REQUIRE(seen.wait([](const Seen& s) { return count(s) == 10; }));
}
