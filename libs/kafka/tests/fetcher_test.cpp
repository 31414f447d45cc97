#include "tests/waiting.h"

#include <syncline/kafka/admin.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <catch2/catch_test_macros.hpp>

using namespace syncline::kafka;
using namespace syncline::kafka::testing;
using syncline::core::ErrorKind;

namespace {

struct Filled {
    MockCluster cluster;
    std::unique_ptr<Fetcher> fetcher;

    // `each` records in both partitions of topic t.
    explicit Filled(int each) {
        cluster.create_topic("t", 2);
        auto producer = Producer::create({.client = {.brokers = cluster.brokers()}});
        REQUIRE(producer.has_value());
        // Keys 1 and 3 lie in different partitions of two.
        Watched<std::map<std::int32_t, int>> sent;
        for (int i = 0; i < 2 * each; ++i) {
            const auto key = std::to_string(i);
            REQUIRE((*producer)->produce({.topic = "t", .key = key, .value = "v" + key}, [](auto) {}).has_value());
        }
        REQUIRE((*producer)->flush(soon()).has_value());
        auto made = Fetcher::create({.brokers = cluster.brokers()});
        REQUIRE(made.has_value());
        fetcher = std::move(*made);
    }
};

}  // namespace

TEST_CASE("kafka: an offset beyond the end is not_ready, a topic nobody has and a dead broker are transient", "[kafka]") {
    Filled filled(10);
    const auto beyond = filled.fetcher->read("t", 0, 1000, soon());
    REQUIRE_FALSE(beyond.has_value());
    CHECK(beyond.error().kind == ErrorKind::not_ready);
    CHECK(beyond.error().code == "offset_not_written");
    filled.cluster.set_down();
    const auto unreachable = filled.fetcher->read("t", 0, 0, soon(300ms));
    REQUIRE_FALSE(unreachable.has_value());
    CHECK(unreachable.error().kind == ErrorKind::transient);
    filled.cluster.set_up();
    CHECK(filled.fetcher->read("t", 0, 0, soon()).has_value());
}

TEST_CASE("kafka: an offset that retention has deleted is gone for good", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 1);
    auto producer = Producer::create({.client = {.brokers = cluster.brokers()}, .compression = "none"});
    REQUIRE(producer.has_value());
    // The mock keeps five megabytes of a partition.
    for (int i = 0; i < 4; ++i) {
        REQUIRE((*producer)->send({.topic = "t", .value = std::string(std::size_t{3} << 20U, 'x')}, soon()).has_value());
    }
    auto fetcher = Fetcher::create({.brokers = cluster.brokers()});
    REQUIRE(fetcher.has_value());
    const auto gone = (*fetcher)->read("t", 0, 0, soon());
    REQUIRE_FALSE(gone.has_value());
    CHECK(gone.error().kind == ErrorKind::rejected);
    CHECK(gone.error().code == "offset_gone");
}

TEST_CASE("kafka: many positions are answered each in its place, whatever their order", "[kafka]") {
    Filled filled(1000);
    std::vector<Position> positions{{"t", 1, 100}, {"t", 0, 300}, {"t", 0, 2}, {"t", 1, 900'000}, {"t", 0, 2}, {"t", 1, 101}};
    const auto answers = filled.fetcher->read_many(positions, soon());
    REQUIRE(answers.size() == positions.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i == 3) {
            CHECK(answers[i].error().code == "offset_not_written");
            continue;
        }
        REQUIRE(answers[i].has_value());
        CHECK(answers[i]->partition == positions[i].partition);
        CHECK(answers[i]->offset == positions[i].offset);
    }
    CHECK(filled.fetcher->read_many({}, soon()).empty());
}

TEST_CASE("kafka: positions far apart are read without reading everything between", "[kafka]") {
    Filled filled(3000);
    const std::vector<Position> positions{{"t", 0, 0}, {"t", 0, 2500}};
    const auto answers = filled.fetcher->read_many(positions, soon());
    REQUIRE(answers[0].has_value());
    REQUIRE(answers[1].has_value());
    CHECK(answers[1]->offset == 2500);
}

TEST_CASE("kafka: the tail of a topic is its newest records", "[kafka]") {
    Filled filled(10);
    const auto records = filled.fetcher->tail("t", 3, soon());
    REQUIRE(records.has_value());
    CHECK(records->size() == 6);
}

TEST_CASE("kafka: a cluster that is there answers a ping, one that is not is transient by the deadline", "[kafka]") {
    MockCluster cluster;
    cluster.create_topic("t", 3);
    auto admin = Admin::create({.brokers = cluster.brokers()});
    REQUIRE(admin.has_value());
    const auto there = (*admin)->ping(soon());
    REQUIRE(there.has_value());
    CHECK(there->brokers.size() == 1);
    cluster.set_down();
    const auto away = (*admin)->ping(soon(300ms));
    REQUIRE_FALSE(away.has_value());
    CHECK(away.error().kind == ErrorKind::transient);
}
