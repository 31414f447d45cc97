#include "tests/fake_service.h"
#include "verbs.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sstream>

using Catch::Matchers::ContainsSubstring;
using syncline::kafka::Position;
using syncline::kafka::Record;
using synclinectl::EventLog;
using synclinectl::testing::Answer;
using synclinectl::testing::Desk;
using synclinectl::testing::FakeService;

namespace {

class FakeLog final : public EventLog {
public:
    syncline::core::Result<std::vector<Record>> records_of(const std::string& key, const std::vector<Position>& positions,
                                                           const std::vector<std::string>&, int) override {
        asked_key = key;
        asked = positions;
        if (fails) {
            return syncline::core::fail(syncline::core::ErrorKind::transient, "kafka_unavailable", "no brokers");
        }
        return records;
    }
    std::string asked_key;
    std::vector<Position> asked;
    std::vector<Record> records;
    bool fails = false;
};

const std::string kKey =
    R"({"key":"eu/5001","group":"g","events":[{"event_id":"e1","key":"eu/5001","topic":"orders.v1","partition":3,"offset":42,)"
    R"("type":"syncline.orders.v1.OrderChanged","state":"done","reason":"","at":"2026-11-21T10:00:05Z"}],)"
    R"("parked":[{"state":"held","resource":"refund/7","code":"refund_totals_differ","waits_for":"","expected":"5.00","found":"5.10",)"
    R"("currency":"EUR","attempts":2,"first_at":"2026-11-21T11:00:00Z","due_at":""}],)"
    R"("dead_letters":[],"outbox_unsent":0,"actions":[{"verb":"release","actor":"ann","reason":"look again","at":"2026-11-21T12:00:00Z"}]})";
const std::string kOrder =
    R"({"connection":"odoo-main","shop":"eu","order_id":"5001","state":"confirmed",)"
    R"("document":{"external_key":"syncline.eu_order_5001","target_id":"17","name":"S00017","expected_total":"10.00",)"
    R"("currency":"EUR"},"exported_at":"2026-11-21T10:00:04Z","mapping_version":"ab12",)"
    R"("refunds":[{"refund_id":"7","state":"held","target_id":"","name":"","code":"refund_totals_differ"}]})";

struct Shown {
    int code;
    std::string out;
    std::string err;
};

Shown shown(const FakeService& service, EventLog* log) {
    const synclinectl::Targets targets{.services = {{.name = "order-export", .connection = "odoo-main", .admin = service.url()}}};
    const synclinectl::Options options;
    const auto client = syncline::http::make_client();
    std::ostringstream out;
    std::ostringstream err;
    synclinectl::Services services(targets, options, *client, out, err);
    const auto code = synclinectl::show_order(services, log, "eu", "5001", 10);
    return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("synclinectl: an order nobody knows is nothing found", "[http]") {
    FakeService service({});
    CHECK(shown(service, nullptr).code == synclinectl::kNothing);
}

TEST_CASE("synclinectl: without Kafka the services' part of an order is shown and the exit code says so", "[http]") {
    FakeService service({{"GET /admin/keys/eu/5001", Answer{.body = kKey}}});
    FakeLog log;
    log.fails = true;
    const auto ran = shown(service, &log);
    CHECK(ran.code == synclinectl::kUnreachable);
    CHECK_THAT(ran.out, ContainsSubstring("is held"));
    CHECK_THAT(ran.err, ContainsSubstring("no brokers"));
}

TEST_CASE("synclinectl: the life of an order is one list in the order of time, with the foreign reference", "[http]") {
    FakeService service(
        {{"GET /admin/keys/eu/5001", Answer{.body = kKey}}, {"GET /admin/orders/eu/5001", Answer{.body = kOrder}}});
    FakeLog log;
    log.records.push_back(
        {.topic = "orders.v1",
         .partition = 3,
         .offset = 42,
         .timestamp = syncline::core::SystemTime{std::chrono::seconds{1'763'719'202}},
         .key = "eu/5001",
         .value = "",
         .headers = {
             {"ce_type", "syncline.orders.v1.OrderChanged"}, {"ce_id", "e1"}, {"syncline-received-at", "2025-11-21T10:00:01Z"}}});
    const auto ran = shown(service, &log);
    CHECK(ran.code == synclinectl::kOk);
    CHECK(log.asked_key == "eu/5001");
    CHECK(log.asked == std::vector<Position>{{"orders.v1", 3, 42}});
    const auto at = [&](std::string_view text) {
        const auto found = ran.out.find(text);
        CAPTURE(text, ran.out);
        CHECK(found != std::string::npos);
        return found;
    };
    CHECK(at("received") < at("published"));
    CHECK(at("published") < at("S00017"));
    CHECK(at("S00017") < at("done"));
    CHECK(at("done") < at("5.00 expected, 5.10 found EUR"));
    CHECK(at("is held") < at("release by ann"));
    CHECK(at("stands as confirmed") < at("refund 7"));
}
