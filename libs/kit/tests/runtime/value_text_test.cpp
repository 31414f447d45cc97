#include "src/runtime/value_text.h"

#include <catch2/catch_test_macros.hpp>

using namespace syncline::kit;
using namespace std::chrono_literals;

TEST_CASE("value text: what is no duration is refused", "[kit][unit]") {
    for (const char* text : {"", "8", "s", "-1s", "1.5s", "8 s", "1w", "99999999999999999999s", "9999999999d"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text, "target.timeout"));
    }
}

TEST_CASE("value text: durations take a unit, or a bare number where the key names it", "[kit][unit]") {
    CHECK(parse_duration("500ms", "k") == 500ms);
    CHECK(parse_duration("8s", "k") == 8s);
    CHECK(parse_duration("5m", "k") == 5min);
    CHECK(parse_duration("2h", "k") == 2h);
    CHECK(parse_duration("37d", "k") == 24h * 37);
    CHECK(parse_duration("25", "drain_seconds") == 25s);
    CHECK(parse_duration("25", "timeout_ms") == 25ms);
}

TEST_CASE("value text: a duration is written in its largest whole unit", "[kit][unit]") {
    CHECK(duration_text(0ms) == "0s");
    CHECK(duration_text(1500ms) == "1500ms");
    CHECK(duration_text(25s) == "25s");
    CHECK(duration_text(120s) == "2m");
    CHECK(duration_text(24h) == "24h");
}

TEST_CASE("value text: what is no size is refused", "[kit][unit]") {
    for (const char* text : {"", "MiB", "-1", "1.5MiB", "8MB", "8 MiB", "99999999999GiB"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bytes(text));
    }
}

TEST_CASE("value text: sizes are read and written in binary units", "[kit][unit]") {
    CHECK(parse_bytes("8MiB") == 8U * 1024 * 1024);
    CHECK(parse_bytes("64KiB") == 64U * 1024);
    CHECK(parse_bytes("1000") == 1000U);
    CHECK(bytes_text(8U * 1024 * 1024) == "8MiB");
    CHECK(bytes_text(1000) == "1000");
    CHECK(bytes_text(0) == "0");
}

TEST_CASE("value text: the nearest name is found, and none where nothing is near", "[kit][unit]") {
    const std::vector<std::string> names{"kafka.brokers", "kafka.topic_prefix", "postgres.url", "connection"};
    CHECK(nearest_name("kafka.broker", names) == "kafka.brokers");
    CHECK(nearest_name("kakfa.brokers", names) == "kafka.brokers");
    CHECK(nearest_name("brokers", names) == "kafka.brokers");
    CHECK(nearest_name("conection", names) == "connection");
    CHECK(nearest_name("colour_of_the_sky", names).empty());
}
