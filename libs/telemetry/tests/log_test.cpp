#include "syncline/telemetry/log.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "syncline/json/document.h"

namespace logs = syncline::telemetry::log;
using syncline::json::Document;

namespace {

// The lines written while it lives, at level info, as service "test".
class Lines {
public:
    Lines() { logs::start("test", logs::Level::info); }
    [[nodiscard]] std::vector<std::string> all() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    [[nodiscard]] std::string only() const {
        REQUIRE(all().size() == 1);
        return all().front();
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
    logs::Capture capture_{[this](std::string_view line) {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
    }};
};

std::string text_of(const std::string& line, std::string_view name) {
    const auto document = Document::parse(line);
    REQUIRE(document.has_value());
    return std::string(document->root().string_of(name).value());
}

}  // namespace

TEST_CASE("log: no value can begin a new line or forge a field", "[telemetry][unit]") {
    std::mt19937_64 random(9);
    for (int i = 0; i < 500; ++i) {
        std::string hostile = "x\",\"level\":\"error\"}\n{\"event\":\"forged\"";
        hostile.push_back(static_cast<char>(random()));
        const Lines lines;
        logs::info(hostile, {{"value", hostile}, {hostile, 1}});
        const auto line = lines.only();
        REQUIRE(line.find('\n') == std::string::npos);
        const auto document = Document::parse(line);
        REQUIRE(document.has_value());
        REQUIRE(document->root().string_of("level").value() == "info");
        REQUIRE(document->root().size() == 6);
    }
}

TEST_CASE("log: a field named like a fixed one does not replace it", "[telemetry][unit]") {
    const Lines lines;
    logs::info("started", {{"level", "error"}, {"service", "other"}, {"trace_id", "t"}});
    CHECK(text_of(lines.only(), "level") == "info");
    CHECK(text_of(lines.only(), "level_") == "error");
    CHECK(text_of(lines.only(), "service") == "test");
    CHECK(text_of(lines.only(), "trace_id_") == "t");
}

TEST_CASE("log: lines below the level are not written", "[telemetry][unit]") {
    const Lines lines;
    logs::debug("quiet");
    logs::set_level(logs::Level::error);
    logs::warn("quiet");
    CHECK(lines.all().empty());
    logs::error("loud");
    CHECK(lines.all().size() == 1);
    logs::set_level(logs::Level::off);
    logs::error("quiet");
    CHECK(lines.all().size() == 1);
    CHECK_FALSE(logs::parse_level("loud").has_value());
    CHECK(logs::parse_level("warn").value() == logs::Level::warn);
}

TEST_CASE("log: every type of value is JSON, infinity included", "[telemetry][unit]") {
    const Lines lines;
    logs::info("types", {{"a", std::numeric_limits<double>::infinity()},
                         {"b", 0.25},
                         {"c", std::numeric_limits<std::uint64_t>::max()},
                         {"d", -5},
                         {"e", true},
                         {"f", std::string("t")}});
    const auto line = lines.only();
    REQUIRE(Document::parse(line).has_value());
    CHECK(line.ends_with(R"("event":"types","a":"inf","b":0.25,"c":18446744073709551615,"d":-5,"e":true,"f":"t"})"));
}

TEST_CASE("log: a scope's ids are on the lines of its thread until it ends", "[telemetry][unit]") {
    const Lines lines;
    {
        const logs::Scope outer("event-1", "correlation-1", "trace-1");
        {
            const logs::Scope inner("event-2", "correlation-1", "");
            logs::info("inner");
        }
        logs::info("outer");
        std::thread([] { logs::info("elsewhere"); }).join();
    }
    logs::info("after");
    const auto all = lines.all();
    REQUIRE(all.size() == 4);
    CHECK(text_of(all[0], "event_id") == "event-2");
    CHECK(all[0].find("trace_id") == std::string::npos);
    CHECK(text_of(all[1], "event_id") == "event-1");
    CHECK(text_of(all[1], "trace_id") == "trace-1");
    CHECK(all[2].find("event_id") == std::string::npos);
    CHECK(all[3].find("event_id") == std::string::npos);
}

TEST_CASE("log: a failure carries kind, code, message and place", "[telemetry][unit]") {
    const Lines lines;
    const syncline::core::Error error{.kind = syncline::core::ErrorKind::transient, .code = "odoo_down", .message = "no answer"};
    logs::failure(logs::Level::warn, "export_failed", error, {{"key", "eu/1"}});
    CHECK(text_of(lines.only(), "error_kind") == "transient");
    CHECK(text_of(lines.only(), "error_code") == "odoo_down");
    CHECK(text_of(lines.only(), "key") == "eu/1");
    CHECK(text_of(lines.only(), "error_where").find("log_test.cpp:") != std::string::npos);
}
