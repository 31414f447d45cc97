#include "src/assignment.h"

#include <syncline/kafka/record.h>
#include <catch2/catch_test_macros.hpp>

using syncline::kafka::AssignedPartition;
using syncline::kafka::Assignment;
using syncline::kafka::Position;
using syncline::kafka::RecordView;
using syncline::kafka::TopicPartition;
using Partitions = std::vector<TopicPartition>;

TEST_CASE("kafka: of two headers with one name the last one counts", "[kafka-record][unit]") {
    const RecordView view{.topic = "t", .key = "k", .value = "value", .headers = {{"a", "1"}, {"b", "2"}, {"a", "3"}}};
    CHECK(view.header("a") == "3");
    CHECK_FALSE(view.header("c").has_value());
    CHECK(view.copy().header("a") == "3");
    CHECK(view.bytes() == 1 + 5 + 6);
}

TEST_CASE("kafka: a copy keeps a missing key and a tombstone apart from empty ones", "[kafka-record][unit]") {
    CHECK_FALSE(RecordView{.topic = "t"}.copy().key.has_value());
    CHECK_FALSE(RecordView{.topic = "t"}.copy().value.has_value());
    CHECK(RecordView{.topic = "t", .key = "", .value = ""}.copy().value == "");
}

TEST_CASE("kafka: pausing twice, resuming what runs and touching foreign partitions change nothing", "[kafka-assignment][unit]") {
    Assignment assignment;
    assignment.assign(std::vector<AssignedPartition>{{.topic = "t", .partition = 0}, {.topic = "t", .partition = 1}});
    const Partitions both{{"t", 0}, {"t", 1}};
    const Partitions one{{"t", 0}, {"other", 7}};
    CHECK(assignment.resume(both).empty());
    CHECK(assignment.pause(one) == Partitions{{"t", 0}});
    CHECK(assignment.pause(one).empty());
    CHECK(assignment.paused_count() == 1);
    CHECK(assignment.resume(both) == Partitions{{"t", 0}});
    CHECK(assignment.pause(one).size() == 1);
    assignment.assign(std::vector<AssignedPartition>{{.topic = "t", .partition = 0}});
    CHECK(assignment.paused().empty());
}

TEST_CASE("kafka: lag is known once something is committed and never negative", "[kafka-assignment][unit]") {
    Assignment assignment;
    assignment.assign(
        std::vector<AssignedPartition>{{.topic = "t", .partition = 0}, {.topic = "t", .partition = 1, .committed = 10}});
    CHECK_FALSE(assignment.lag({"t", 0}, 100).has_value());
    CHECK(assignment.lag({"t", 1}, 100) == 90);
    CHECK(assignment.lag({"t", 1}, 9) == 0);
    CHECK_FALSE(assignment.lag({"t", 1}, -1001).has_value());
    assignment.committed(std::vector<Position>{{"t", 0, 40}, {"gone", 0, 1}});
    CHECK(assignment.lag({"t", 0}, 100) == 60);
}

TEST_CASE("kafka: reading goes on behind the last record handed on", "[kafka-assignment][unit]") {
    Assignment assignment;
    assignment.assign(
        std::vector<AssignedPartition>{{.topic = "t", .partition = 0, .start = 5}, {.topic = "t", .partition = 1, .start = 3}});
    assignment.consumed({"t", 0}, 8);
    assignment.consumed({"gone", 0}, 8);
    CHECK(assignment.next() == std::vector<Position>{{"t", 0, 9}, {"t", 1, 3}});
}
