#include "src/runtime/topic_check.h"

#include <syncline/telemetry/log.h>
#include <catch2/catch_test_macros.hpp>

using namespace syncline;
using namespace syncline::kit;

TEST_CASE("topic check: a missing topic comes with the command that creates it", "[kit][unit]") {
    const std::vector<kafka::TopicDescription> found{{.name = "acme.orders.v1", .exists = false},
                                                     {.name = "acme.shops.v1", .exists = true, .partitions = 1}};
    const auto problems = missing_topics(found, "acme", "kafka-1:9092,kafka-2:9092");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].what == "topic acme.orders.v1 does not exist");
    CHECK(problems[0].cure ==
          "kafka-topics.sh --bootstrap-server kafka-1:9092 --create --topic acme.orders.v1 --partitions 12 --config "
          "retention.ms=2592000000 "
          "--config cleanup.policy=delete --config max.message.bytes=10485760");
}

TEST_CASE("topic check: another number of partitions is a warning, not a problem", "[kit][unit]") {
    std::string logged;
    const telemetry::log::Capture capture([&](std::string_view line) { logged += line; });
    CHECK(missing_topics(std::vector<kafka::TopicDescription>{{.name = "acme.orders.v1", .exists = true, .partitions = 3}},
                         "acme", "k:1")
              .empty());
    CHECK(logged.find("topic_partitions_differ") != std::string::npos);
}
