#include "syncline/telemetry/trace.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "syncline/core/hash.h"
#include "syncline/telemetry/log.h"

namespace trace = syncline::telemetry::trace;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// Takes what is posted to it and answers 200 to each request.
class Collector {
public:
    Collector() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener_, 8) == 0);
        socklen_t size = sizeof address;
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;
    ~Collector() {
        stop_ = true;
        thread_.join();
        ::close(listener_);
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string received() const {
        const std::lock_guard lock(mutex_);
        return received_;
    }

private:
    static bool ready(int socket) {
        pollfd waiting{socket, POLLIN, 0};
        return ::poll(&waiting, 1, 20) > 0;
    }
    void serve() {
        while (!stop_) {
            if (!ready(listener_)) {
                continue;
            }
            const int peer = ::accept(listener_, nullptr, nullptr);
            std::string request;
            while (!stop_ && !complete(request)) {
                char buffer[4096];
                if (!ready(peer)) {
                    continue;
                }
                const auto count = ::recv(peer, buffer, sizeof buffer, 0);
                if (count <= 0) {
                    break;
                }
                request.append(buffer, static_cast<std::size_t>(count));
            }
            {
                // Before the answer: who has it may look at once.
                const std::lock_guard lock(mutex_);
                received_ += request;
            }
            constexpr std::string_view kAnswer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            static_cast<void>(::send(peer, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL));
            ::close(peer);
        }
    }
    static bool complete(const std::string& request) {
        const auto head = request.find("\r\n\r\n");
        const auto length = request.find("Content-Length: ");
        return head != std::string::npos && length != std::string::npos &&
               request.size() >= head + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10);
    }

    int listener_ = -1;
    unsigned port_ = 0;
    std::atomic<bool> stop_{false};
    mutable std::mutex mutex_;
    std::string received_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("trace: a traceparent that is not exactly the W3C form counts as absent", "[telemetry][unit]") {
    for (const std::string_view text :
         {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          " 0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
        INFO(text);
        CHECK_FALSE(trace::valid_traceparent(text));
        CHECK(trace::trace_id_of(text).empty());
        CHECK(trace::Span("x", trace::SpanKind::internal, text).traceparent().empty());
    }
    CHECK(trace::valid_traceparent(kParent));
    CHECK(trace::trace_id_of(kParent) == "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_CASE("trace: without an endpoint nothing starts and a parent passes through unchanged", "[telemetry][unit]") {
    ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    CHECK_FALSE(trace::start("test"));
    CHECK_FALSE(trace::enabled());
    trace::Span span("process orders.v1", trace::SpanKind::consumer, kParent);
    span.set("messaging.system", "kafka");
    span.fail("odoo_down");
    CHECK(span.traceparent() == kParent);
    CHECK(trace::Span("root", trace::SpanKind::internal).traceparent().empty());
}

TEST_CASE("trace: spans reach the collector with the trace of their parent, and stdout stays clean", "[telemetry][http]") {
    const Collector collector;
    ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url().c_str(), 1);
    REQUIRE(trace::start("order-export-test"));
    std::string first;
    {
        trace::Span span("process orders.v1", trace::SpanKind::consumer, kParent);
        span.set("messaging.system", "kafka");
        span.set("messaging.kafka.offset", 42);
        first = span.traceparent();
        CHECK(trace::valid_traceparent(first));
        CHECK(first != kParent);
        CHECK(span.trace_id() == trace::trace_id_of(kParent));
        trace::Span failed("call odoo", trace::SpanKind::client, first);
        failed.fail("odoo_down");
    }
    trace::stop(5s);
    ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    CHECK_FALSE(trace::enabled());
    const auto received = collector.received();
    CHECK(received.starts_with("POST /v1/traces HTTP/1.1"));
    CHECK(received.find("order-export-test") != std::string::npos);
    CHECK(received.find("process orders.v1") != std::string::npos);
    CHECK(received.find("odoo_down") != std::string::npos);
    CHECK(received.find(syncline::core::hex_decode(first.substr(36, 16)).value()) != std::string::npos);
}

TEST_CASE("trace: a collector that is not there costs log lines and nothing else", "[telemetry][http]") {
    std::atomic<int> complaints{0};
    const syncline::telemetry::log::Capture capture(
        [&](std::string_view line) { complaints += line.find("trace_export_failed") != std::string_view::npos ? 1 : 0; });
    ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1);
    REQUIRE(trace::start("test"));
    {
        const trace::Span span("lost", trace::SpanKind::internal);
    }
    trace::stop(5s);
    ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    CHECK(complaints > 0);
}
