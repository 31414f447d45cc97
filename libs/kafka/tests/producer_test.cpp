#include "tests/waiting.h"

#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace syncline::kafka;
using namespace syncline::kafka::testing;
using syncline::core::ErrorKind;
using syncline::core::Result;

namespace {

std::unique_ptr<Producer> producer_of(const MockCluster& cluster, ProducerOptions options = {}) {
    options.client.brokers = cluster.brokers();
    auto producer = Producer::create(std::move(options));
    REQUIRE(producer.has_value());
    return std::move(*producer);
}

struct Answers {
    std::vector<Result<Position>> all;
};

}  // namespace

TEST_CASE("kafka: a record that is too large is refused before it is queued", "[kafka]") {
    MockCluster cluster;
    std::atomic<bool> called = false;
    auto producer = producer_of(cluster, {.message_bytes_max = 1000});
    const auto answer =
        producer->produce({.topic = "t", .value = std::string(2000, 'x')}, [&](Result<Position>) { called = true; });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::rejected);
    CHECK(answer.error().code == "record_too_large");
    producer.reset();
    CHECK_FALSE(called);
}

TEST_CASE("kafka: a full queue refuses at once and keeps what it has", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    cluster.set_down();
    Watched<Answers> answers;
    const auto producer = producer_of(cluster, {.queue_records_max = 10, .close_timeout = 100ms});
    const auto done = [&](Result<Position> at) {
        answers.change([&](Answers& a) { a.all.push_back(std::move(at)); });
    };
    int accepted = 0;
    std::optional<syncline::core::Error> refused;
    for (int i = 0; i < 20; ++i) {
        auto answer = producer->produce({.topic = "t", .value = "v"}, done);
        if (answer) {
            ++accepted;
        } else {
            refused = answer.error();
        }
    }
    CHECK(accepted == 10);
    REQUIRE(refused.has_value());
    CHECK(refused->kind == ErrorKind::throttled);
    CHECK(refused->code == "producer_queue_full");
    CHECK(producer->stats().queued_records == 10);
    cluster.set_up();
    CHECK(answers.wait([](const Answers& a) { return a.all.size() == 10; }));
    for (const auto& answer : answers.get().all) {
        CHECK(answer.has_value());
    }
}

TEST_CASE("kafka: what no broker takes in time ends with an error for its callback", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    cluster.set_down();
    const auto producer = producer_of(cluster, {.delivery_timeout = 300ms});
    const auto answer = producer->send({.topic = "t", .value = "v"}, soon());
    REQUIRE_FALSE(answer.has_value());
    CHECK((answer.error().code == "kafka_unavailable" || answer.error().code == "delivery_unknown"));
}

TEST_CASE("kafka: a producer that is closed answers everything it still holds", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    cluster.set_down();
    std::atomic<int> answered = 0;
    auto producer = producer_of(cluster, {.close_timeout = 50ms});
    for (int i = 0; i < 100; ++i) {
        REQUIRE(
            producer->produce({.topic = "t", .value = "v"}, [&](Result<Position> at) { answered += at ? 0 : 1; }).has_value());
    }
    producer.reset();
    CHECK(answered == 100);
}

// LIBRARY-FAULTS §1, #4438: an idempotent producer can end for good with "sequence desynchronization".
TEST_CASE("kafka: after a fatal error waiting callbacks get an error and the producer works again within a second", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    Watched<Answers> answers;
    const auto producer = producer_of(cluster);
    REQUIRE(producer->send({.topic = "t", .value = "before"}, soon()).has_value());

    cluster.push_errors(Request::produce, {BrokerError::out_of_order_sequence, BrokerError::out_of_order_sequence});
    for (int i = 0; i < 50; ++i) {
        (void)producer->produce({.topic = "t", .value = "in the middle"}, [&](Result<Position> at) {
            answers.change([&](Answers& a) { a.all.push_back(std::move(at)); });
        });
    }
    REQUIRE(answers.wait([](const Answers& a) { return a.all.size() == 50; }));
    const auto failed_at = std::chrono::steady_clock::now();
    int refused = 0;
    for (const auto& answer : answers.get().all) {
        refused += answer ? 0 : 1;
    }
    CHECK(refused > 0);
    cluster.clear_errors(Request::produce);
    REQUIRE(eventually([&] { return producer->stats().rebuilt_total == 1 && producer->usable(); }));
    CHECK(std::chrono::steady_clock::now() - failed_at < 1s);
    CHECK(producer->send({.topic = "t", .value = "after"}, soon()).has_value());
}

TEST_CASE("kafka: a passing broker error is retried by the client without loss or repetition", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    const auto producer = producer_of(cluster);
    cluster.push_errors(Request::produce, {BrokerError::not_leader, BrokerError::disconnect, BrokerError::not_enough_replicas});
    for (int i = 0; i < 5; ++i) {
        const auto at = producer->send({.topic = "t", .value = std::to_string(i)}, soon());
        REQUIRE(at.has_value());
        CHECK(at->offset == i);
    }
    CHECK(producer->stats().rebuilt_total == 0);
}

TEST_CASE("kafka: brokers that go away for a while delay records and lose none", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 3);
    std::atomic<int> good = 0;
    std::atomic<int> bad = 0;
    const auto producer = producer_of(cluster);
    REQUIRE(producer->send({.topic = "t", .value = "0"}, soon()).has_value());
    cluster.set_down();
    for (int i = 0; i < 100; ++i) {
        REQUIRE(producer
                    ->produce({.topic = "t", .key = std::to_string(i), .value = "v"},
                              [&](Result<Position> at) { ++(at ? good : bad); })
                    .has_value());
    }
    CHECK_FALSE(producer->flush(soon(200ms)).has_value());
    cluster.set_up();
    CHECK(producer->flush(soon()).has_value());
    CHECK(good == 100);
    CHECK(bad == 0);
}

TEST_CASE("kafka: an unauthorized topic and an oversized one for the broker are told apart", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    const auto producer = producer_of(cluster);
    REQUIRE(producer->send({.topic = "t", .value = "v"}, soon()).has_value());
    cluster.push_errors(Request::produce, {BrokerError::topic_authorization_failed});
    CHECK(producer->send({.topic = "t", .value = "v"}, soon()).error().code == "kafka_unauthorized");
    // A refused batch leaves a gap in the sequence, so the client may have to be rebuilt first.
    REQUIRE(eventually([&] { return producer->send({.topic = "t", .value = "v"}, soon()).has_value(); }));
    cluster.push_errors(Request::produce, {BrokerError::message_too_large});
    CHECK(producer->send({.topic = "t", .value = "v"}, soon()).error().code == "record_too_large");
}

TEST_CASE("kafka: key, value, headers and 10 MiB arrive as they were sent", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    const auto producer = producer_of(cluster);
    const std::string binary("\0\x01\xff value", 9);
    std::string large(std::size_t{10} << 20U, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) {
        large[i] = static_cast<char>((i * 2654435761U) >> 13U);
    }
    const Headers headers{{"ce_id", "1"}, {"empty", ""}, {"ce_id", "2"}};
    REQUIRE(producer->send({.topic = "t", .key = "eu/1", .value = binary, .headers = headers}, soon())->offset == 0);
    REQUIRE(producer->send({.topic = "t", .key = "", .value = large}, soon())->offset == 1);
    REQUIRE(producer->send({.topic = "t", .key = "eu/1"}, soon())->offset == 2);

    auto fetcher = Fetcher::create({.brokers = cluster.brokers()});
    REQUIRE(fetcher.has_value());
    const auto first = (*fetcher)->read("t", 0, 0, soon());
    REQUIRE(first.has_value());
    CHECK(first->key == "eu/1");
    CHECK(first->value == binary);
    CHECK(first->headers == headers);
    CHECK(first->header("ce_id") == "2");
    const auto second = (*fetcher)->read("t", 0, 1, soon());
    REQUIRE(second.has_value());
    CHECK(second->key == "");
    CHECK(second->value == large);
    const auto third = (*fetcher)->read("t", 0, 2, soon());
    REQUIRE(third.has_value());
    CHECK_FALSE(third->value.has_value());
}

// murmur2, as the Java client places keys: values computed with org.apache.kafka's Utils.murmur2(key) & 0x7fffffff % 12.
TEST_CASE("kafka: keys are placed where producers in other languages place them", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 12);
    const auto producer = producer_of(cluster);
    const auto murmur2 = [](std::string_view key) {
        constexpr std::uint32_t kM = 0x5bd1e995;
        std::uint32_t h = 0x9747b28cU ^ static_cast<std::uint32_t>(key.size());
        std::size_t i = 0;
        const auto byte = [&](std::size_t at) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(key[at]));
        };
        for (; i + 4 <= key.size(); i += 4) {
            std::uint32_t k = byte(i) | (byte(i + 1) << 8U) | (byte(i + 2) << 16U) | (byte(i + 3) << 24U);
            k *= kM;
            k ^= k >> 24U;
            k *= kM;
            h = (h * kM) ^ k;
        }
        const auto rest = key.size() - i;
        if (rest >= 3) {
            h ^= byte(i + 2) << 16U;
        }
        if (rest >= 2) {
            h ^= byte(i + 1) << 8U;
        }
        if (rest >= 1) {
            h = (h ^ byte(i)) * kM;
        }
        h ^= h >> 13U;
        h *= kM;
        return h ^ (h >> 15U);
    };
    for (const std::string key : {"eu/1", "eu/450789469", "us-b2b/5678901234567", "a"}) {
        const auto at = producer->send({.topic = "t", .key = key, .value = "v"}, soon());
        REQUIRE(at.has_value());
        CHECK(at->partition == static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) % 12U));
    }
}

TEST_CASE("kafka: records of one key stay in order when many threads produce", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 4);
    Watched<std::map<std::string, std::vector<std::int64_t>>> offsets;
    const auto producer = producer_of(cluster);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, key = "key" + std::to_string(t)] {
                for (int i = 0; i < 500; ++i) {
                    (void)producer->produce({.topic = "t", .key = key, .value = std::to_string(i)},
                                            [&, key](Result<Position> at) {
                                                offsets.change([&](auto& all) { all[key].push_back(at ? at->offset : -1); });
                                            });
                }
            });
        }
    }
    REQUIRE(producer->flush(soon()).has_value());
    for (const auto& [key, positions] : offsets.get()) {
        CHECK(positions.size() == 500);
        CHECK(std::ranges::is_sorted(positions));
        CHECK(positions.front() >= 0);
    }
}

TEST_CASE("kafka: warming up a topic that exists succeeds and statistics come", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    const auto producer = producer_of(cluster, {.client = {.statistics_interval = 100ms}});
    const std::vector<std::string> topics{"t"};
    CHECK(producer->warm_up(topics, soon()).has_value());
    REQUIRE(producer->send({.topic = "t", .value = "payload"}, soon()).has_value());
    CHECK(eventually([&] { return producer->stats().brokers_up == 1 && producer->stats().payload_bytes_total > 0; }));
    CHECK(producer->stats().delivered_total == 1);
    cluster.set_down();
    CHECK_FALSE(producer_of(cluster)->warm_up(topics, soon(100ms)).has_value());
}
