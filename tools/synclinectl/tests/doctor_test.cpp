#include "tests/fake_service.h"
#include "verbs.h"

#include <syncline/topics.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sstream>

using Catch::Matchers::ContainsSubstring;
using syncline::core::Result;
using syncline::kafka::TopicDescription;
using synclinectl::testing::Answer;
using synclinectl::testing::FakeService;

namespace {

class FakeCluster final : public synclinectl::ClusterView {
public:
    FakeCluster() {
        for (const auto& topic : syncline::topics::all) {
            topics.push_back({.name = "syncline." + std::string(topic.name),
                              .exists = true,
                              .partitions = topic.partitions,
                              .replication = 1,
                              .config = {{"max.message.bytes", std::to_string(topic.max_message_bytes)},
                                         {"cleanup.policy", std::string(topic.cleanup_policy())},
                                         {"retention.ms", std::to_string(std::chrono::milliseconds(topic.retention).count())}}});
        }
    }
    Result<syncline::kafka::ClusterDescription> ping() override {
        if (down) {
            return syncline::core::fail(syncline::core::ErrorKind::transient, "kafka_unavailable", "no brokers");
        }
        return syncline::kafka::ClusterDescription{.id = "c", .brokers = {"b:1"}};
    }
    Result<std::vector<TopicDescription>> describe(const std::vector<std::string>&) override { return topics; }
    Result<std::vector<syncline::kafka::Acl>> acls(const std::string&) override { return std::vector<syncline::kafka::Acl>{}; }

    std::vector<TopicDescription> topics;
    bool down = false;
};

std::map<std::string, Answer> healthy() {
    return {{"GET /livez", Answer{.body = "ok\n"}},
            {"GET /readyz", Answer{.body = "[+] postgres ok\n[+] schema ok\nok\n"}},
            {"GET /version", Answer{.body = R"({"version":"0.1.0","schema":"0001_export_ledger"})"}},
            {"GET /admin/shops", Answer{.body = R"({"shops":[{"alias":"eu","enabled":true,"secrets":2,"secrets_readable":2}]})"}},
            {"GET /admin/connection", Answer{.body = R"({"paused":false,"circuit_open":false})"}},
            {"GET /admin/doctor", Answer{.body = R"({"checks":[{"check":"version","good":true,"text":"19.0"}],"good":true})"}}};
}

struct Ran {
    int code;
    std::string out;
};

Ran examined(const std::vector<std::string>& urls, synclinectl::ClusterView* cluster) {
    synclinectl::Targets targets{.token = "t"};
    for (const auto& url : urls) {
        targets.services.push_back({.name = "order-export", .connection = "odoo-main", .admin = url});
    }
    const synclinectl::Options options;
    const auto client = syncline::http::make_client();
    std::ostringstream out;
    std::ostringstream err;
    synclinectl::Services services(targets, options, *client, out, err);
    const auto code = synclinectl::doctor(services, cluster);
    return {code, out.str()};
}

}  // namespace

TEST_CASE("synclinectl doctor: brokers or a service that do not answer end with 3", "[http]") {
    FakeService service(healthy());
    FakeCluster cluster;
    cluster.down = true;
    CHECK(examined({service.url()}, &cluster).code == synclinectl::kUnreachable);
    cluster.down = false;
    FakeService gone({});
    gone.shut();
    CHECK(examined({gone.url()}, &cluster).code == synclinectl::kUnreachable);
}

TEST_CASE("synclinectl doctor: a topic that is missing or set otherwise is named with what it should be", "[http]") {
    FakeService service(healthy());
    FakeCluster cluster;
    cluster.topics[0].partitions = 3;
    cluster.topics[0].config["max.message.bytes"] = "1048588";
    cluster.topics[1].exists = false;
    const auto ran = examined({service.url()}, &cluster);
    CHECK(ran.code == synclinectl::kNothing);
    CHECK_THAT(ran.out, ContainsSubstring("partitions is 3, should be 12; max.message.bytes is 1048588, should be 10485760"));
    CHECK_THAT(ran.out, ContainsSubstring("does not exist"));
}

TEST_CASE("synclinectl doctor: an unready database, an unreadable secret, an open circuit and a wrong target each fail",
          "[http]") {
    FakeCluster cluster;
    for (const auto& [path, body] : std::map<std::string, std::string>{
             {"GET /readyz", "[-] postgres failed: postgres_unavailable: no connection\n"},
             {"GET /admin/shops", R"({"shops":[{"alias":"eu","enabled":true,"secrets":2,"secrets_readable":1}]})"},
             {"GET /admin/connection", R"({"paused":false,"circuit_open":true})"},
             {"GET /admin/doctor", R"({"checks":[{"check":"rounding","good":false,"text":"per line"}]})"}}) {
        auto answers = healthy();
        answers[path].body = body;
        FakeService service(answers);
        CAPTURE(path);
        const auto ran = examined({service.url()}, &cluster);
        CHECK(ran.code == synclinectl::kNothing);
        CHECK_THAT(ran.out, ContainsSubstring("FAILED"));
    }
}

TEST_CASE("synclinectl doctor: advice is shown and fails nothing", "[http]") {
    auto answers = healthy();
    answers["GET /admin/doctor"].body = R"({"checks":[{"check":"rounding","good":true,"advice":true,"text":"set it"}]})";
    FakeService service(answers);
    FakeCluster cluster;
    const auto ran = examined({service.url()}, &cluster);
    CHECK(ran.code == synclinectl::kOk);
    CHECK_THAT(ran.out, ContainsSubstring("advice") && ContainsSubstring("set it"));
    CHECK_THAT(ran.out, ContainsSubstring("0001_export_ledger"));
}

TEST_CASE("synclinectl doctor: a healthy installation ends with 0, and state that instances share is asked once", "[http]") {
    FakeService one(healthy());
    FakeService two(healthy());
    FakeCluster cluster;
    const auto ran = examined({one.url(), two.url()}, &cluster);
    CAPTURE(ran.out);
    CHECK(ran.code == synclinectl::kOk);
    CHECK_THAT(ran.out, !ContainsSubstring("FAILED"));
    CHECK(one.requests().size() == 6);
    CHECK(two.requests().size() == 3);
}
