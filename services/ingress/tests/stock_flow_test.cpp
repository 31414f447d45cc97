// Stock and Shopify's inventory from the request to the record, against brokers of the mock cluster.
#include <syncline/core/clock.h>
#include <syncline/core/time.h>
#include <syncline/fulfillments/v1/events.pb.h>
#include <syncline/http/client.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <set>

#include "adapters/http_door.h"
#include "adapters/kafka_publisher.h"
#include "adapters/stock/stock_door.h"
#include "adapters/stock/stock_mapping.h"
#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"
#include "tests/stock_fakes.h"

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
        cluster->create_topic("syncline.inventory.v1", 1);
        cluster->create_topic("syncline.fulfillments.v1", 1);
        return cluster;
    }

    syncline::core::Clock& clock = syncline::core::system_clock();
    std::unique_ptr<kafka::testing::MockCluster> cluster = cluster_with_topics();
    FakeShops shops;
    FakeSources sources;
    ShopifyMapping mapping;
    JsonStockMapping stock_mapping{StockRules{}};
    std::unique_ptr<kafka::Producer> producer = kafka::Producer::create({.client = {.brokers = cluster->brokers()}}).value();
    std::unique_ptr<kafka::Fetcher> fetcher = kafka::Fetcher::create({.brokers = cluster->brokers()}).value();
    KafkaPublisher publisher{*producer, "syncline."};
    syncline::telemetry::Metrics registry{"ingress"};
    WebhookMetrics metrics{registry};
    StockMetrics stock_metrics{registry};
    ReceiveWebhook receive{shops, mapping, publisher, clock, 3s};
    ReceiveStock receive_stock{sources, stock_mapping, publisher, clock, StockLimits{.acknowledge_limit = 3s}};
    StockDoor stock{{}, sources, receive_stock, stock_metrics, clock};
    HttpDoor door{{}, shops, receive, metrics, clock, &stock};
    std::unique_ptr<http::Client> client = http::make_client();

    [[nodiscard]] syncline::core::Deadline deadline() const { return {clock, 20s}; }
    [[nodiscard]] int post(std::string body, const std::string& source = "wms-north",
                           const std::string& key = "north-key") const {
        http::Request request{.method = "POST", .url = door.url() + "/stock/" + source, .content_type = "application/json"};
        request.headers = {{"Authorization", "Bearer " + key}, {"X-Request-Id", "batch-7"}};
        request.body = std::move(body);
        const auto reply = client->send(request, deadline());
        return reply ? reply->status : 0;
    }
    [[nodiscard]] int post_webhook(const std::string& topic, std::string body) const {
        http::Request request{.method = "POST", .url = door.url() + "/webhooks/shopify", .content_type = "application/json"};
        request.headers = {{"X-Shopify-Topic", topic},
                           {"X-Shopify-Shop-Domain", "acme-eu.myshopify.com"},
                           {"X-Shopify-Hmac-Sha256", sign(body, "eu-secret")},
                           {"X-Shopify-Triggered-At", "2026-11-20T10:00:00.5Z"}};
        request.body = std::move(body);
        const auto reply = client->send(request, deadline());
        return reply ? reply->status : 0;
    }
    // Every record of a topic with one partition.
    [[nodiscard]] std::vector<kafka::Record> records(const std::string& topic) const {
        auto found = fetcher->tail("syncline." + topic, 10'000, deadline());
        if (!found) {
            FAIL(found.error().code << ": " << found.error().message);
        }
        return std::move(*found);
    }
};

}  // namespace

TEST_CASE("stock to Kafka: a report is a CloudEvent in the row of its position", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post(report("A/1", "\"12.50\"")) == 202);
    const auto records = world.records("inventory.v1");
    REQUIRE(records.size() == 1);
    const auto header = [&](std::string_view name) {
        return std::string(records[0].header(name).value_or(""));
    };
    CHECK(records[0].key == "wms-north/HAL-1/A%2F1");
    CHECK(header("ce_type") == "syncline.inventory.v1.StockReported");
    CHECK(header("ce_source") == "/stock/wms-north");
    CHECK(header("ce_time") == "2026-11-20T09:59:00Z");
    CHECK(header("ce_correlationid") == "batch-7");
    CHECK(header("ce_id").size() == 36);
    syncline::inventory::v1::StockReported reported;
    REQUIRE(reported.ParseFromString(*records[0].value));
    CHECK(reported.position().sku() == "A/1");
}

TEST_CASE("stock to Kafka: a batch sent again, also by many at once, repeats every id", "[ingress][kafka]") {
    World world;
    const auto body = batch_of(200);
    std::vector<std::future<int>> posts;
    for (int i = 0; i < 8; ++i) {
        posts.push_back(std::async(std::launch::async, [&] { return world.post(body); }));
    }
    for (auto& post : posts) {
        CHECK(post.get() == 202);
    }
    const auto records = world.records("inventory.v1");
    CHECK(records.size() == 1'600);
    std::set<std::string> ids;
    std::set<std::string> keys;
    for (const auto& record : records) {
        ids.emplace(record.header("ce_id").value_or(""));
        keys.emplace(record.key.value_or(""));
    }
    CHECK(ids.size() == 200);
    CHECK(keys.size() == 200);
    CHECK(world.receive_stock.records_in_flight() == 0);
}

TEST_CASE("stock to Kafka: while no broker answers it is 503, and afterwards the same batch is 202", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post(batch_of(10)) == 202);
    world.cluster->set_down();
    CHECK(world.post(batch_of(20)) == 503);
    world.cluster->set_up();
    const auto until = world.deadline();
    int status = 0;
    while (status != 202 && !until.passed()) {
        status = world.post(batch_of(20));
    }
    CHECK(status == 202);
    std::set<std::string> ids;
    const auto records = world.records("inventory.v1");
    for (const auto& record : records) {
        ids.emplace(record.header("ce_id").value_or(""));
    }
    CHECK(ids.size() == 20);
}

TEST_CASE("stock to Kafka: a refused batch leaves no record behind", "[ingress][kafka]") {
    World world;
    CHECK(world.post(R"({"reports":[)" + report("A-1") + "," + report("") + "]}") == 422);
    CHECK(world.post(batch_of(10), "wms-north", "wrong") == 401);
    CHECK(world.post(batch_of(1'001)) == 413);
    REQUIRE(world.post(report("B-1")) == 202);
    const auto records = world.records("inventory.v1");
    REQUIRE(records.size() == 1);
    CHECK(records[0].key == "wms-north/HAL-1/B-1");
}

TEST_CASE("stock to Kafka: Shopify's inventory and fulfillments go to their topics", "[ingress][kafka]") {
    World world;
    REQUIRE(world.post_webhook("inventory_levels/update", sample("inventory_levels-update")) == 200);
    REQUIRE(world.post_webhook("locations/update", sample("locations-update")) == 200);
    REQUIRE(world.post_webhook("fulfillments/create", sample("fulfillments-create")) == 200);
    REQUIRE(world.post_webhook("returns/approve", sample("returns-approve")) == 200);
    REQUIRE(world.post_webhook("products/update", sample("products-update")) == 200);
    const auto inventory = world.records("inventory.v1");
    REQUIRE(inventory.size() == 2);
    CHECK(inventory[0].key == "eu/271878346596884015");
    CHECK(inventory[1].header("ce_type") == "syncline.inventory.v1.LocationChanged");
    const auto fulfillments = world.records("fulfillments.v1");
    REQUIRE(fulfillments.size() == 2);
    CHECK(fulfillments[0].key == "eu/820982911946154508");
    CHECK(fulfillments[0].header("ce_source") == "/shopify/eu");
    CHECK(fulfillments[1].header("ce_type") == "syncline.fulfillments.v1.ReturnNoticed");
}
