#include "src/statistics.h"

#include <catch2/catch_test_macros.hpp>

using syncline::kafka::parse_statistics;

TEST_CASE("kafka: statistics that cannot be read are empty, not an error", "[kafka-statistics][unit]") {
    CHECK(parse_statistics("").partitions.empty());
    CHECK(parse_statistics("{\"brokers\": 7, \"topics\": [").brokers_up == 0);
    CHECK(parse_statistics(R"({"brokers": 7, "topics": "x", "tx_bytes": -1})").sent_bytes == 0);
}

TEST_CASE("kafka: statistics give brokers, bytes and lag; an unknown lag stays unknown", "[kafka-statistics][unit]") {
    const auto seen = parse_statistics(R"({"tx_bytes": 10, "rx_bytes": 20, "txmsg_bytes": 30, "cgrp": {"rebalance_cnt": 2},
        "brokers": {"boot:1/bootstrap": {"nodeid": -1, "state": "UP", "rtt": {"max": 99}},
                    "b:1/1": {"nodeid": 1, "state": "UP", "rtt": {"max": 5}}, "b:2/2": {"nodeid": 2, "state": "DOWN"}},
        "topics": {"t": {"partitions": {"0": {"partition": 0, "ls_offset": 7, "hi_offset": 9, "consumer_lag": 3},
                                        "1": {"partition": 1, "ls_offset": -1001, "hi_offset": 9, "consumer_lag": -1},
                                        "-1": {"partition": -1, "consumer_lag": 5}}}}})");
    CHECK(seen.sent_bytes == 10);
    CHECK(seen.received_bytes == 20);
    CHECK(seen.sent_message_bytes == 30);
    CHECK(seen.rebalances == 2);
    CHECK(seen.brokers_up == 1);
    CHECK(seen.round_trip_max_us == 5);
    REQUIRE(seen.partitions.size() == 2);
    CHECK(seen.partitions[0].lag == 3);
    CHECK(seen.partitions[0].end_offset == 7);
    CHECK(seen.partitions[1].lag == -1);
    CHECK(seen.partitions[1].end_offset == 9);
}
