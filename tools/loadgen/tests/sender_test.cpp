#include "src/sender.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <syncline/json/document.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/stock.h"
#include "src/workload.h"

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

using Request = http::request<http::string_body>;

// Answers each request with the status that `answer` says; one thread a connection.
class Stub {
public:
    explicit Stub(std::function<unsigned(const Request&)> answer) : answer_(std::move(answer)), acceptor_(io_, {tcp::v4(), 0}) {
        thread_ = std::thread([this] { accept(); });
    }
    Stub(const Stub&) = delete;
    Stub& operator=(const Stub&) = delete;
    ~Stub() {
        stopping_ = true;
        // Wakes the accept that waits.
        tcp::socket last(io_);
        boost::system::error_code ignored;
        last.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
        for (auto& connection : connections_) {
            connection.join();
        }
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
    [[nodiscard]] std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    void accept() {
        while (true) {
            tcp::socket peer(io_);
            acceptor_.accept(peer);
            if (stopping_) {
                return;
            }
            connections_.emplace_back([this, socket = std::move(peer)]() mutable { serve(socket); });
        }
    }
    void serve(tcp::socket& socket) {
        boost::beast::flat_buffer buffer;
        boost::system::error_code error;
        while (true) {
            Request request;
            http::read(socket, buffer, request, error);
            if (error) {
                return;
            }
            const auto status = answer_(request);
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            if (status == 0) {
                return;  // Breaks the connection without an answer.
            }
            http::response<http::string_body> response(http::int_to_status(status), 11);
            response.keep_alive(true);
            response.prepare_payload();
            http::write(socket, response, error);
        }
    }

    std::function<unsigned(const Request&)> answer_;
    boost::asio::io_context io_;
    tcp::acceptor acceptor_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::vector<std::thread> connections_;
    std::thread thread_;
};

loadgen::SenderOptions options_for(const std::string& url) {
    loadgen::SenderOptions options;
    REQUIRE(loadgen::set_url(options, url).has_value());
    options.secrets = {{"eu", "zz-secret"}, {"us", "zz-other"}};
    options.connections = 4;
    options.retry_wait = 1ms;
    return options;
}

loadgen::WorkloadOptions workload_options(std::uint64_t orders) {
    loadgen::WorkloadOptions options;
    options.orders = orders;
    options.shops = {loadgen::shop_of("eu", "eu.example.com"), loadgen::shop_of("us", "us.example.com")};
    options.shares = loadgen::Shares::plain();
    options.duration = 200ms;
    options.step = 20ms;
    return options;
}

loadgen::Report send(const loadgen::SenderOptions& options, std::uint64_t orders) {
    loadgen::Workload workload(workload_options(orders));
    return loadgen::send_all(options, [&] { return workload.next(); });
}

}  // namespace

TEST_CASE("sender: an address that is none is refused", "[loadgen][unit]") {
    loadgen::SenderOptions options;
    for (const std::string_view url : {"", "127.0.0.1:80", "https://x", "http://", "http://:80", "http://x:"}) {
        INFO(url);
        CHECK_FALSE(loadgen::set_url(options, url).has_value());
    }
    REQUIRE(loadgen::set_url(options, "http://127.0.0.1:8080/hooks").has_value());
    CHECK(options.host == "127.0.0.1");
    CHECK(options.port == "8080");
    CHECK(options.path == "/hooks");
}

TEST_CASE("sender: nobody listening is counted, repeated and given up", "[loadgen][http]") {
    auto options = options_for("http://127.0.0.1:1");
    options.retries = 2;
    const auto report = send(options, 2);
    CHECK(report.acknowledged == 0);
    CHECK(report.given_up == 10);
    CHECK(report.errors.at("connect") == 30);
}

TEST_CASE("sender: refusals and broken connections are repeated until they are acknowledged", "[loadgen][http]") {
    std::mutex mutex;
    std::map<std::string, int> seen;
    const Stub stub([&](const Request& request) {
        const std::lock_guard lock(mutex);
        const int times = ++seen[std::string(request["X-Shopify-Webhook-Id"])];
        return times == 1 ? 503U : (times == 2 ? 0U : 200U);
    });
    const auto report = send(options_for(stub.url()), 6);
    CHECK(report.deliveries == 30);
    CHECK(report.acknowledged == 30);
    CHECK(report.given_up == 0);
    CHECK(report.by_status.at(503) == 30);
    CHECK(report.by_status.at(200) == 30);
    CHECK(report.errors.at("broken") == 30);
}

TEST_CASE("sender: an answer that never comes is a timeout", "[loadgen][http]") {
    std::atomic<bool> answer{false};
    const Stub stub([&](const Request&) {
        answer.wait(false);
        return 0U;
    });
    auto options = options_for(stub.url());
    options.request_timeout = 50ms;
    options.retries = 0;
    options.connections = 1;
    const auto report = send(options, 1);
    answer = true;
    answer.notify_all();
    CHECK(report.given_up == 5);
    CHECK(report.errors.at("timeout") == 5);
}

TEST_CASE("sender: every request is signed over its body and an order's webhooks arrive in their order", "[loadgen][http]") {
    const Stub stub([](const Request&) { return 200U; });
    for (const bool paced : {true, false}) {
        auto options = options_for(stub.url());
        options.paced = paced;
        const auto report = send(options, 40);
        CHECK(report.acknowledged == 200);
        CHECK(report.latency.count() == 200);
        CHECK(report.connects <= 4);
    }
    std::map<std::string, std::string> last;
    for (const auto& request : stub.requests()) {
        const auto shop = std::string(request["X-Shopify-Shop-Domain"]);
        const auto* const secret = shop == "eu.example.com" ? "zz-secret" : "zz-other";
        REQUIRE(request["X-Shopify-Hmac-Sha256"] == loadgen::signature_of(secret, request.body()));
    }
    CHECK(stub.requests().size() == 400);
    std::size_t number = 0;
    for (const auto& request : stub.requests()) {
        if (++number > 200) {
            break;
        }
        const auto document = syncline::json::Document::parse(request.body()).value();
        const auto id = document.root().get("order_id") ? document.root().uint64_of("order_id") : document.root().uint64_of("id");
        auto& before = last[std::string(request["X-Shopify-Shop-Domain"]) + std::to_string(id.value())];
        const std::string triggered(request["X-Shopify-Triggered-At"]);
        CHECK(before < triggered);
        before = triggered;
    }
}

TEST_CASE("report: quantiles are exact and the report is JSON", "[loadgen][unit]") {
    loadgen::Report report;
    CHECK(report.latency.millis_at(500) == "0.000");
    for (int i = 1000; i > 0; --i) {
        report.latency.add(std::chrono::milliseconds(i));
    }
    CHECK(report.latency.millis_at(500) == "500.000");
    CHECK(report.latency.millis_at(990) == "990.000");
    CHECK(report.latency.millis_at(999) == "999.000");
    CHECK(report.latency.millis_at(1000) == "1000.000");
    report.by_status[200] = 3;
    report.deliveries = 4;
    const auto document = syncline::json::Document::parse(report.to_json()).value();
    CHECK(document.root().uint64_of("sent").value() == 4);
    CHECK(document.root().required("by_status")->int64_of("200").value() == 3);
}

TEST_CASE("sender: a body of stock goes to its source's path with its key", "[loadgen][http]") {
    const Stub stub([](const Request&) { return 202U; });
    loadgen::SenderOptions options;
    REQUIRE(loadgen::set_url(options, stub.url()));
    options.secrets = {{"wms-north", "north-key"}};
    options.paced = false;
    loadgen::StockWorkload workload({.skus = 10, .changes = 20, .batch = 10});
    const auto report = loadgen::send_all(options, [&] { return workload.next(); });
    CHECK(report.acknowledged == 4);
    CHECK(report.given_up == 0);
    const auto requests = stub.requests();
    REQUIRE(requests.size() == 4);
    for (const auto& request : requests) {
        CHECK(request.target() == "/stock/wms-north");
        CHECK(request["Authorization"] == "Bearer north-key");
        CHECK_FALSE(request["X-Request-Id"].empty());
        CHECK(request["X-Shopify-Topic"].empty());
        CHECK(syncline::json::Document::parse(request.body()).has_value());
    }
}
