// POST /stock/<source> over HTTP, beside the webhooks on one port.
#include "adapters/stock/stock_door.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <syncline/core/clock.h>
#include <syncline/core/parse.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <syncline/telemetry/log.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <mutex>

#include "adapters/http_door.h"
#include "adapters/stock/stock_mapping.h"
#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"
#include "tests/stock_fakes.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;
namespace http = syncline::http;

namespace {

struct World {
    explicit World(HttpDoorOptions options = {}, StockDoorOptions stock_options = {}, StockLimits limits = {})
        : receive_stock(sources, stock_mapping, publisher, clock, limits),
          stock(std::move(stock_options), sources, receive_stock, stock_metrics, clock),
          door(std::move(options), shops, receive, metrics, clock, &stock) {
        door.start();
    }
    ~World() { door.stop(syncline::core::Deadline(clock, 5s)); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    syncline::core::Clock& clock = syncline::core::system_clock();
    FakeShops shops;
    FakeSources sources;
    ShopifyMapping mapping;
    JsonStockMapping stock_mapping{StockRules{.records_max = 100}};
    FakePublisher publisher;
    syncline::telemetry::Metrics registry{"ingress"};
    WebhookMetrics metrics{registry};
    StockMetrics stock_metrics{registry};
    ReceiveWebhook receive{shops, mapping, publisher, clock, 300ms};
    ReceiveStock receive_stock;
    StockDoor stock;
    HttpDoor door;
    std::unique_ptr<http::Client> client = http::make_client();

    [[nodiscard]] http::Request request(std::string body, const std::string& source = "wms-north",
                                        const std::string& key = "north-key") const {
        http::Request request{.method = "POST", .url = door.url() + "/stock/" + source, .content_type = "application/json"};
        if (!key.empty()) {
            request.headers = {{"Authorization", "Bearer " + key}};
        }
        request.body = std::move(body);
        return request;
    }
    [[nodiscard]] http::Request signed_request(std::string body, const std::string& secret = "erp-secret") const {
        auto request = this->request(std::move(body), "erp", "");
        request.headers = {{"X-Syncline-Hmac-Sha256", sign(request.body, secret)}};
        return request;
    }
    [[nodiscard]] http::Response send(const http::Request& request) const {
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

// Sends these bytes over a connection of their own and reads the first line of the answer.
std::string first_line(const std::string& url, const std::string& bytes) {
    const auto port = syncline::core::parse_int<std::uint16_t>(url.substr(url.rfind(':') + 1));
    const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port.value());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(connection, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
        ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) {
        std::array<char, 512> piece{};
        for (ssize_t got = 0; (got = ::recv(connection, piece.data(), piece.size(), 0)) > 0;) {
            answer.append(piece.data(), static_cast<std::size_t>(got));
        }
    }
    ::close(connection);
    return answer.substr(0, answer.find('\r'));
}

}  // namespace

TEST_CASE("stock door: good stock is 202 with what was taken, and counted by source", "[ingress][http]") {
    World world;
    const auto reply = world.send(world.request(R"({"reports":[)" + report("A-1") + R"(],"adjustments":[)" +
                                                adjustment("m-1", "A-1") + "," + adjustment("m-2", "A-1") + "]}"));
    CHECK(reply.status == 202);
    CHECK(reply.body == R"({"reports":1,"adjustments":2})");
    CHECK(reply.headers.get("content-type") == "application/json");
    REQUIRE(world.publisher.published().size() == 3);
    CHECK(world.publisher.published()[0].event.key == "wms-north/HAL-1/A-1");
    CHECK(world.send(world.signed_request(report("A-9"))).status == 202);
    CHECK(world.counted(R"(syncline_ingress_stock_requests_total{service="ingress",outcome="accepted",source="wms-north"} 1)"));
    CHECK(world.counted(R"(syncline_ingress_stock_records_total{service="ingress",record="adjustment",source="wms-north"} 2)"));
    CHECK(world.counted(R"(syncline_ingress_stock_records_total{service="ingress",record="report",source="erp"} 1)"));
    CHECK(world.counted("syncline_ingress_stock_acknowledge_seconds_count{service=\"ingress\"} 2"));
    // The webhooks go on beside it.
    CHECK_FALSE(world.counted("syncline_ingress_requests_total{"));
}

TEST_CASE("stock door: who does not prove the source is 401 with a stable code, before the body is read", "[ingress][http]") {
    World world;
    auto reply = world.send(world.request(report("A-1"), "nobody"));
    CHECK(reply.status == 401);
    CHECK(World::code(reply) == "unknown_source");
    CHECK(World::code(world.send(world.request(report("A-1"), "wms-north", ""))) == "api_key_missing");
    reply = world.send(world.request(std::string(3UL << 20U, ' '), "wms-north", "north-key2"));
    CHECK(reply.status == 401);
    CHECK(World::code(reply) == "api_key_wrong");
    auto basic = world.request(report("A-1"));
    basic.headers = {{"Authorization", "Basic bm9ydGgta2V5"}};
    CHECK(World::code(world.send(basic)) == "api_key_missing");
    auto any_case = world.request(report("A-1"));
    any_case.headers = {{"Authorization", "bEARER  north-key"}};
    CHECK(world.send(any_case).status == 202);
    // A source that signs takes no API key, and the other way round.
    CHECK(World::code(world.send(world.request(report("A-1"), "erp", "erp-secret"))) == "signature_missing");
    auto short_one = world.signed_request(report("A-1"));
    short_one.headers = {{"X-Syncline-Hmac-Sha256", "YWJj"}};
    CHECK(World::code(world.send(short_one)) == "signature_malformed");
    auto altered = world.signed_request(report("A-1"));
    altered.body.back() = ' ';
    CHECK(World::code(world.send(altered)) == "signature_wrong");
    world.sources.remove("till");
    CHECK(World::code(world.send(world.request(report("A-1"), "till", "till-key"))) == "unknown_source");
    CHECK(world.publisher.published().size() == 1);
    CHECK(world.counted(R"(syncline_ingress_stock_refused_total{service="ingress",code="unknown_source",source="none"} 2)"));
    CHECK(world.counted(R"(syncline_ingress_stock_refused_total{service="ingress",code="api_key_wrong",source="wms-north"} 1)"));
    CHECK_FALSE(world.counted("nobody"));
}

TEST_CASE("stock door: paths and methods beside it are refused", "[ingress][http]") {
    World world;
    for (const auto* path : {"/stock", "/stock/", "/stock/a/b", "/stock/wms-north/", "/stocks/wms-north", "/stock/%77ms-north"}) {
        auto request = world.request(report("A-1"));
        request.url = world.door.url() + path;
        const auto status = world.send(request).status;
        INFO(path);
        CHECK((status == 404 || status == 401));
    }
    auto request = world.request(report("A-1"));
    request.method = "PUT";
    const auto reply = world.send(request);
    CHECK(reply.status == 405);
    CHECK(reply.headers.get("allow") == "POST");
    auto with_query = world.request(report("A-1"));
    with_query.url += "?debug=1";
    CHECK(world.send(with_query).status == 202);
}

TEST_CASE("stock door: a wrong record is 422, the problem names place, code and reason of the first errors", "[ingress][http]") {
    World world;
    const auto reply = world.send(world.request(R"({"reports":[)" + report("A-1") + "," + report("A-2", "\"many\"") + "," +
                                                report("A-3", "1", "2099-01-01T00:00:00Z") + "]}"));
    CHECK(reply.status == 422);
    CHECK(reply.headers.get("content-type") == "application/problem+json");
    const auto document = syncline::json::Document::parse(reply.body);
    REQUIRE(document);
    const auto root = document->root();
    CHECK(root.string_of("type") == "urn:syncline:problem:number_malformed");
    CHECK(root.string_of("code") == "number_malformed");
    CHECK(root.int64_of("status") == 422);
    CHECK(root.string_of("detail")->starts_with("reports[1].quantity: "));
    CHECK(root.boolean_of("more_errors") == false);
    REQUIRE(root.get("errors")->size() == 2);
    const auto errors = root.get("errors")->elements();
    auto second = errors.begin();
    ++second;
    CHECK((*second).string_of("at") == "reports[2].observed_at");
    CHECK((*second).string_of("code") == "observed_in_future");
    CHECK(reply.body.find("many") == std::string::npos);
    CHECK(world.publisher.published().empty());
    CHECK(
        world.counted(R"(syncline_ingress_stock_refused_total{service="ingress",code="number_malformed",source="wms-north"} 1)"));
}

TEST_CASE("stock door: what is no JSON is 400, too many records or bytes are 413", "[ingress][http]") {
    World world({}, {.body_bytes_max = 64UL << 10U});
    auto reply = world.send(world.request("<stock/>"));
    CHECK(reply.status == 400);
    CHECK(World::code(reply) == "json_malformed");
    reply = world.send(world.request(""));
    CHECK(reply.status == 400);
    CHECK(World::code(reply) == "body_empty");
    reply = world.send(world.request(batch_of(101)));
    CHECK(reply.status == 413);
    CHECK(World::code(reply) == "batch_too_large");
    reply = world.send(world.request(std::string((64UL << 10U) + 1, ' ')));
    CHECK(reply.status == 413);
    CHECK(World::code(reply) == "body_too_large");
    CHECK(world.send(world.request(batch_of(100))).status == 202);
    CHECK(world.publisher.published().size() == 100);
}

TEST_CASE("stock door: a body in chunks that tells no length has the same limit", "[ingress][http]") {
    World world({}, {.body_bytes_max = 1'024});
    const auto post = [&](const std::string& body) {
        return first_line(world.door.url(), fmt::format("POST /stock/wms-north HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                                        "Authorization: Bearer north-key\r\nTransfer-Encoding: chunked\r\n\r\n"
                                                        "{:x}\r\n{}\r\n0\r\n\r\n",
                                                        body.size(), body));
    };
    CHECK(post(std::string(1'025, ' ')).starts_with("HTTP/1.1 413"));
    CHECK(post(report("A-1")).starts_with("HTTP/1.1 202"));
    CHECK(world.publisher.published().size() == 1);
}

TEST_CASE("stock door: no acknowledgement or a full queue is 503, a source over its share 429", "[ingress][http]") {
    World world({}, {}, {.acknowledge_limit = 200ms, .records_in_flight_max = 4, .source_share_percent = 50});
    world.publisher.mood = FakePublisher::Mood::silent;
    auto reply = world.send(world.request(batch_of(2)));
    CHECK(reply.status == 503);
    CHECK(World::code(reply) == "acknowledge_timeout");
    CHECK(reply.headers.get("retry-after") == "2");
    reply = world.send(world.request(report("A-1")));
    CHECK(reply.status == 429);
    CHECK(World::code(reply) == "source_over_share");
    CHECK(reply.headers.get("retry-after") == "2");
    world.publisher.mood = FakePublisher::Mood::queue_full;
    reply = world.send(world.request(report("A-1"), "till", "till-key"));
    CHECK(reply.status == 503);
    CHECK(World::code(reply) == "producer_queue_full");
    // The webhooks of the shops are not in that count.
    world.publisher.mood = FakePublisher::Mood::acknowledges;
    http::Request webhook{.method = "POST", .url = world.door.url() + "/webhooks/shopify", .content_type = "application/json"};
    webhook.body = sample("orders-create");
    webhook.headers = {{"X-Shopify-Topic", "orders/create"},
                       {"X-Shopify-Shop-Domain", "acme-eu.myshopify.com"},
                       {"X-Shopify-Hmac-Sha256", sign(webhook.body, "eu-secret")}};
    CHECK(world.send(webhook).status == 200);
    for (auto& published : world.publisher.published()) {
        if (published.done) {
            published.done(RecordPlace{});
        }
    }
}

TEST_CASE("stock door: the list of addresses concerns webhooks, sources prove themselves", "[ingress][http]") {
    HttpDoorOptions options;
    options.allowed = AddressList::parse({"203.0.113.0/24"}).value();
    World world(std::move(options));
    CHECK(world.send(world.request(report("A-1"))).status == 202);
}

TEST_CASE("stock door: no log line holds a key, a signature or a value of the body", "[ingress][http]") {
    std::string lines;
    std::mutex mutex;
    World world;
    {
        const syncline::telemetry::log::Capture capture([&](std::string_view line) {
            const std::lock_guard lock(mutex);
            lines.append(line).push_back('\n');
        });
        CHECK(world.send(world.request(report("Seedsku ", "\"Seedquantity\""))).status == 422);
        CHECK(world.send(world.request(report("A-1"), "wms-north", "Seedkey")).status == 401);
        world.door.stop(syncline::core::Deadline(world.clock, 5s));
    }
    CHECK(lines.find("stock_answered") != std::string::npos);
    CHECK(lines.find("Seed") == std::string::npos);
    CHECK(lines.find("north-key") == std::string::npos);
    CHECK(world.registry.to_text().find("Seed") == std::string::npos);
}
