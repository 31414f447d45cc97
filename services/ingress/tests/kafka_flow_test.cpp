// The whole of ingress against brokers of the mock cluster: from the request to the record and back.
#include <syncline/core/clock.h>
#include <syncline/http/client.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <syncline/orders/v1/events.pb.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <future>

#include "adapters/http_door.h"
#include "adapters/kafka_dead_letter_log.h"
#include "adapters/kafka_publisher.h"
#include "app/replay_webhook.h"
#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;
namespace http = syncline::http;
namespace kafka = syncline::kafka;

namespace {

struct World {
    World() { door.start(); }
    ~World() { door.stop(syncline::core::Deadline(clock, 5s)); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    static std::unique_ptr<kafka::testing::MockCluster> cluster_with_topics() {
        auto cluster = std::make_unique<kafka::testing::MockCluster>();
        for (const auto* topic : {"syncline.orders.v1", "syncline.dead-letters.v1", "syncline.dead-letter-actions.v1"}) {
            cluster->create_topic(topic, 1);
        }
        return cluster;
    }

    syncline::core::Clock& clock = syncline::core::system_clock();
    std::unique_ptr<kafka::testing::MockCluster> cluster = cluster_with_topics();
    FakeShops shops;
    ShopifyMapping mapping;
    std::unique_ptr<kafka::Producer> producer = kafka::Producer::create({.client = {.brokers = cluster->brokers()}}).value();
    std::unique_ptr<kafka::Fetcher> fetcher = kafka::Fetcher::create({.brokers = cluster->brokers()}).value();
    KafkaPublisher publisher{*producer, "syncline."};
    KafkaDeadLetterLog log{*fetcher, *producer, "syncline."};
    syncline::telemetry::Metrics registry{"ingress"};
    WebhookMetrics metrics{registry};
    ReceiveWebhook receive{shops, mapping, publisher, clock, 3s};
    ReplayWebhook replay{shops, mapping, publisher, log, clock};
    HttpDoor door{{}, shops, receive, metrics, clock};
    std::unique_ptr<http::Client> client = http::make_client();

    [[nodiscard]] syncline::core::Deadline deadline() const { return {clock, 20s}; }
    int post(const std::string& topic, std::string body) const {
        http::Request request{.method = "POST", .url = door.url() + "/webhooks/shopify", .content_type = "application/json"};
        request.headers = {{"X-Shopify-Topic", topic},
                           {"X-Shopify-Shop-Domain", "acme-eu.myshopify.com"},
                           {"X-Shopify-Hmac-Sha256", sign(body, "eu-secret")},
                           {"X-Shopify-Triggered-At", "2026-11-20T10:00:00.5Z"},
                           {"X-Shopify-Event-Id", "action-1"}};
        request.body = std::move(body);
        const auto reply = client->send(request, deadline());
        return reply ? reply->status : 0;
    }
    // Every record of a topic with one partition.
    std::vector<kafka::Record> records(const std::string& topic) const {
        auto found = fetcher->tail("syncline." + topic, 1'000, deadline());
        if (!found) {
            FAIL(found.error().code << ": " << found.error().message);
        }
        return std::move(*found);
    }
};

}  // namespace

TEST_CASE("ingress to Kafka: while no broker answers it is 503 within the limit, and afterwards 200 by itself",
          "[ingress][kafka]") {
    World world;
    REQUIRE(world.post("orders/create", sample("orders-create")) == 200);
    world.cluster->set_down();
    const auto since = world.clock.steady();
    CHECK(world.post("orders/updated", sample("orders-create")) == 503);
    CHECK(world.clock.steady() - since < 4s);
    world.cluster->set_up();
    const auto until = world.deadline();
    int status = 0;
    while (status != 200 && !until.passed()) {
        status = world.post("orders/updated", sample("orders-create"));
    }
    CHECK(status == 200);
}

TEST_CASE("ingress to Kafka: a producer that fails for good is rebuilt, nothing answered 200 is missing", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post("orders/create", sample("orders-create")) == 200);
    world.cluster->push_errors(kafka::testing::Request::produce, {kafka::testing::BrokerError::invalid_producer_epoch});
    int good = 1;
    const auto until = world.deadline();
    while (good < 5 && !until.passed()) {
        const auto status =
            world.post("orders/updated", patched(sample("orders-create"), {{"order_number", std::to_string(good)}}));
        CHECK((status == 200 || status == 503));
        good += status == 200 ? 1 : 0;
    }
    CHECK(good == 5);
    CHECK(world.records("orders.v1").size() >= 5);
}

TEST_CASE("ingress to Kafka: a record is a CloudEvent that any consumer can read", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post("orders/create", sample("orders-create")) == 200);
    const auto records = world.records("orders.v1");
    REQUIRE(records.size() == 1);
    const auto& record = records[0];
    const auto header = [&](std::string_view name) {
        return std::string(record.header(name).value_or(""));
    };
    CHECK(record.key == "eu/820982911946154508");
    CHECK(header("content-type") == "application/protobuf");
    CHECK(header("ce_specversion") == "1.0");
    CHECK(header("ce_type") == "syncline.orders.v1.OrderChanged");
    CHECK(header("ce_source") == "/shopify/eu");
    CHECK(header("ce_subject") == "order/820982911946154508");
    CHECK(header("ce_time") == "2022-01-01T00:00:00Z");
    CHECK(header("ce_correlationid") == "action-1");
    CHECK(header("ce_id").size() == 36);
    CHECK(header("traceparent").size() == 55);
    CHECK_FALSE(header("syncline-received-at").empty());
    syncline::orders::v1::OrderChanged changed;
    REQUIRE(changed.ParseFromString(*record.value));
    CHECK(changed.order().lines_size() == 5);
}

TEST_CASE("ingress to Kafka: the same webhook 50 times at once has one id in every record", "[ingress][kafka]") {
    World world;
    const auto body = sample("orders-create");
    std::vector<std::future<int>> posts;
    for (int i = 0; i < 50; ++i) {
        posts.push_back(std::async(std::launch::async, [&] { return world.post("orders/create", body); }));
    }
    for (auto& post : posts) {
        CHECK(post.get() == 200);
    }
    const auto records = world.records("orders.v1");
    REQUIRE(records.size() == 50);
    for (const auto& record : records) {
        CHECK(record.header("ce_id") == records[0].header("ce_id"));
        CHECK(record.value == records[0].value);
    }
}

TEST_CASE("ingress to Kafka: a dead letter is listed, shown and replayed from the topic", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post("orders/create",
                       patched(sample("orders-create"), {{"total_price", "{}"}, {"total_price_set", std::nullopt}})) == 200);
    CHECK(world.records("orders.v1").empty());
    auto dead = world.replay.list({.state = "dead"}, world.deadline());
    REQUIRE(dead);
    REQUIRE(dead->size() == 1);
    const auto id = dead->front().id;
    CHECK(id == "0-0");
    CHECK(dead->front().shop == "eu");
    CHECK(dead->front().record.code == "wrong_type");
    CHECK_FALSE(world.replay.replay(id, {.replay_id = "r", .reason = "try"}, false, world.deadline()));
    REQUIRE(world.replay.discard(id, {.actor = "ops", .reason = "a test"}, world.deadline()));
    CHECK(world.replay.show(id, world.deadline())->state == "discarded");
    CHECK(world.replay.show("0-7", world.deadline()).error().code == "no_such_dead_letter");
    CHECK(world.records("dead-letter-actions.v1").size() == 1);
}
