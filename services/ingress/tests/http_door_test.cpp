#include "adapters/http_door.h"

#include <syncline/core/clock.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <syncline/telemetry/log.h>
#include <catch2/catch_test_macros.hpp>

#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;
namespace http = syncline::http;

namespace {

struct World {
    explicit World(HttpDoorOptions options = {}) : door(std::move(options), shops, receive, metrics, clock) { door.start(); }
    ~World() { door.stop(syncline::core::Deadline(clock, 5s)); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    syncline::core::Clock& clock = syncline::core::system_clock();
    FakeShops shops;
    ShopifyMapping mapping;
    FakePublisher publisher;
    syncline::telemetry::Metrics registry{"ingress"};
    WebhookMetrics metrics{registry};
    ReceiveWebhook receive{shops, mapping, publisher, clock, 300ms};
    HttpDoor door;
    std::unique_ptr<http::Client> client = http::make_client();

    http::Request request(const std::string& topic, std::string body, const std::string& secret = "eu-secret") const {
        http::Request request{.method = "POST", .url = door.url() + "/webhooks/shopify", .content_type = "application/json"};
        request.headers = {{"X-Shopify-Topic", topic},
                           {"X-Shopify-Shop-Domain", "acme-eu.myshopify.com"},
                           {"X-Shopify-Hmac-Sha256", sign(body, secret)},
                           {"X-Shopify-Triggered-At", "2026-11-20T10:00:00.5Z"},
                           {"X-Shopify-Event-Id", "action-1"},
                           {"X-Shopify-Webhook-Id", "delivery-1"},
                           {"X-Shopify-API-Version", "2026-10"}};
        request.body = std::move(body);
        return request;
    }
    http::Response send(const http::Request& request) const {
        auto reply = client->send(request, syncline::core::Deadline(clock, 10s));
        if (!reply) {
            FAIL(reply.error().code << ": " << reply.error().message);
        }
        return std::move(*reply);
    }
    static std::string code(const http::Response& reply) {
        const auto document = syncline::json::Document::parse(reply.body);
        return document ? std::string(document->root().get("code")->string().value()) : "no problem+json";
    }
    [[nodiscard]] bool counted(std::string_view series) const { return registry.to_text().find(series) != std::string::npos; }
};

http::Request without(http::Request request, std::string_view name) {
    http::Headers kept;
    for (const auto& header : request.headers) {
        if (header.name != name) {
            kept.add(header.name, header.value);
        }
    }
    request.headers = kept;
    return request;
}

}  // namespace

TEST_CASE("webhook door: unknown shop, missing and wrong signature are 401 with a stable code", "[ingress][http]") {
    World world;
    const auto good = world.request("orders/create", sample("orders-create"));
    auto unknown = without(good, "x-shopify-shop-domain");
    unknown.headers.add("x-shopify-shop-domain", "nobody.myshopify.com");
    auto reply = world.send(unknown);
    CHECK(reply.status == 401);
    CHECK(World::code(reply) == "unknown_shop");
    CHECK(reply.headers.get("content-type") == "application/problem+json");
    CHECK(World::code(world.send(without(good, "x-shopify-shop-domain"))) == "unknown_shop");
    CHECK(World::code(world.send(without(good, "x-shopify-hmac-sha256"))) == "signature_missing");
    auto short_one = without(good, "x-shopify-hmac-sha256");
    short_one.headers.add("x-shopify-hmac-sha256", "YWJj");
    CHECK(World::code(world.send(short_one)) == "signature_malformed");
    auto altered = good;
    altered.body.back() = ' ';
    reply = world.send(altered);
    CHECK(reply.status == 401);
    CHECK(World::code(reply) == "signature_wrong");
    CHECK(world.publisher.published().empty());
    CHECK(world.counted(R"(syncline_ingress_rejected_total{service="ingress",reason="signature_wrong"} 1)"));
}

TEST_CASE("webhook door: another path or method is not found or not allowed", "[ingress][http]") {
    World world;
    auto request = world.request("orders/create", "{}");
    request.url = world.door.url() + "/webhooks/other";
    CHECK(world.send(request).status == 404);
    request.url = world.door.url() + "/webhooks/shopify";
    request.method = "PUT";
    const auto reply = world.send(request);
    CHECK(reply.status == 405);
    CHECK(reply.headers.get("allow") == "POST");
}

TEST_CASE("webhook door: a body over the limit is 413, whoever signed it", "[ingress][http]") {
    World world;
    const auto reply = world.send(world.request("orders/create", std::string(9UL << 20U, ' ')));
    CHECK(reply.status == 413);
    CHECK(world.publisher.published().empty());
}

TEST_CASE("webhook door: only listed addresses may call when a list is given", "[ingress][http]") {
    HttpDoorOptions options;
    options.allowed = AddressList::parse({"203.0.113.0/24"}).value();
    options.trusted_proxies = AddressList::parse({"127.0.0.0/8"}).value();
    World world(std::move(options));
    auto request = world.request("orders/create", sample("orders-create"));
    auto reply = world.send(request);
    CHECK(reply.status == 403);
    CHECK(World::code(reply) == "address_not_allowed");
    request.headers.add("x-forwarded-for", "203.0.113.7, 198.51.100.9");
    CHECK(world.send(request).status == 403);
    auto listed = world.request("orders/create", sample("orders-create"));
    listed.headers.add("x-forwarded-for", "198.51.100.9, 203.0.113.7");
    CHECK(world.send(listed).status == 200);
}

TEST_CASE("webhook door: no acknowledgement or a full queue is 503 with Retry-After", "[ingress][http]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    auto reply = world.send(world.request("orders/create", sample("orders-create")));
    CHECK(reply.status == 503);
    CHECK(World::code(reply) == "acknowledge_timeout");
    CHECK(reply.headers.get("retry-after") == "2");
    world.publisher.mood = FakePublisher::Mood::queue_full;
    reply = world.send(world.request("orders/create", sample("orders-create")));
    CHECK(reply.status == 503);
    CHECK(World::code(reply) == "producer_queue_full");
    CHECK_FALSE(reply.headers.get("retry-after").empty());
}

TEST_CASE("webhook door: a good webhook is 200, counted by shop and topic, its times and size measured", "[ingress][http]") {
    World world;
    const auto reply = world.send(world.request("orders/create", sample("orders-create")));
    CHECK(reply.status == 200);
    CHECK(reply.body.empty());
    REQUIRE(world.publisher.published().size() == 1);
    CHECK(world.publisher.published()[0].event.key == "eu/820982911946154508");
    CHECK(world.counted(
        R"(syncline_ingress_requests_total{service="ingress",outcome="published",shop="eu",topic="orders/create"} 1)"));
    CHECK(world.counted("syncline_ingress_acknowledge_seconds_count{service=\"ingress\"} 1"));
    CHECK(world.counted("syncline_ingress_delivery_delay_seconds_count{service=\"ingress\"} 1"));
    CHECK(world.counted("syncline_ingress_body_bytes_count{service=\"ingress\"} 1"));
}

TEST_CASE("webhook door: other topics are 200 and counted by a closed list of names", "[ingress][http]") {
    World world;
    CHECK(world.send(world.request("products/update", sample("products-update"))).status == 200);
    CHECK(world.send(world.request("made/up_" + std::string(60, 'x'), "{}")).status == 200);
    CHECK(world.publisher.published().empty());
    CHECK(world.counted(R"(syncline_ingress_ignored_total{service="ingress",topic="products/update"} 1)"));
    CHECK(world.counted(R"(syncline_ingress_ignored_total{service="ingress",topic="unlisted"} 1)"));
}

TEST_CASE("webhook door: companies and products are counted by their names until somebody consumes them", "[ingress][http]") {
    World world;
    for (const auto* topic :
         {"companies/create", "companies/update", "companies/delete", "company_locations/create", "company_locations/update",
          "company_locations/delete", "products/create", "products/update", "products/delete"}) {
        CHECK(world.send(world.request(topic, "{}")).status == 200);
        CHECK(world.counted(std::string("syncline_ingress_ignored_total{service=\"ingress\",topic=\"") + topic + "\"} 1"));
    }
    CHECK(world.publisher.published().empty());
}

TEST_CASE("webhook door: what cannot be mapped is 200, logged by code and never by value", "[ingress][http]") {
    std::string lines;
    std::mutex mutex;
    World world;
    {
        const syncline::telemetry::log::Capture capture([&](std::string_view line) {
            const std::lock_guard lock(mutex);
            lines.append(line).push_back('\n');
        });
        const auto body = patched(sample("orders-create"), {{"customer", R"("Seedfirst Seedlast")"}});
        CHECK(world.send(world.request("orders/create", body)).status == 200);
        world.door.stop(syncline::core::Deadline(world.clock, 5s));
    }
    CHECK(world.publisher.published()[0].event.topic == "dead-letters.v1");
    CHECK(lines.find("webhook_unmappable") != std::string::npos);
    CHECK(lines.find("Seed") == std::string::npos);
    CHECK(world.counted(R"(syncline_ingress_unmappable_total{service="ingress",code="wrong_type",topic="orders/create"} 1)"));
    CHECK(world.registry.to_text().find("Seed") == std::string::npos);
}

TEST_CASE("webhook door: headers that are no plain text count as absent", "[ingress][http]") {
    World world;
    auto request = without(world.request("orders/create", sample("orders-create")), "x-shopify-event-id");
    request.headers.add("x-shopify-event-id", "caf\xC3\xA9");
    CHECK(world.send(request).status == 200);
    const auto& published = world.publisher.published().at(0);
    CHECK(published.context.correlation_id == published.event.id);
}
