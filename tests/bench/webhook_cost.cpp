// What one order webhook costs inside of ingress: verify, parse, map, serialize, make the record; no sockets, no broker.
//
//   bench_webhook --requests FILE [--times 20000]
//
// FILE is that of bench_http_load. Each body is signed anew with a secret of our own before the clock runs. Prints microseconds
// of CPU a webhook, step by step and as a whole, the best of ten parts. The work is the same at every run, so `valgrind
// --tool=callgrind` compares two states of the code by their instructions, whatever else the machine does.
#include <time.h>

#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/core/hash.h>
#include <syncline/json/document.h>
#include <syncline/telemetry/metrics.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka_publisher.h"
#include "adapters/shopify/mapping.h"
#include "adapters/webhook_metrics.h"
#include "app/receive_webhook.h"

namespace {

namespace core = syncline::core;
namespace kafka = syncline::kafka;

constexpr std::string_view kSecret = "a secret of the bench";

// One shop, one secret.
class OneShop final : public ingress::ShopDirectory {
public:
    OneShop() : shop_(std::make_shared<ingress::KnownShop>()) {
        shop_->alias = shop_->label = "eu";
        shop_->domain = "eu.myshopify.com";
        shop_->currency = "EUR";
    }
    [[nodiscard]] std::shared_ptr<const ingress::KnownShop> by_domain(std::string_view /*domain*/) const override {
        return shop_;
    }
    [[nodiscard]] std::shared_ptr<const ingress::KnownShop> by_alias(std::string_view /*alias*/) const override { return shop_; }
    [[nodiscard]] std::vector<std::string> secrets(const ingress::KnownShop& /*shop*/) const override {
        return {std::string(kSecret)};
    }
    [[nodiscard]] bool refresh_secrets(const ingress::KnownShop& /*shop*/) const override { return false; }

private:
    std::shared_ptr<ingress::KnownShop> shop_;
};

// Makes the record and acknowledges it at once.
class AtOnce final : public ingress::EventPublisher {
public:
    [[nodiscard]] core::Result<void> publish(ingress::MappedEvent event, ingress::EventContext context, Done done) override {
        const kafka::OutgoingRecord record = ingress::to_record(std::move(event), std::move(context));
        value_bytes_ += record.value->size();
        for (const auto& header : record.headers) {
            header_bytes_ += header.name.size() + header.value.size();
        }
        ++records_;
        done(ingress::RecordPlace{.partition = 0, .offset = records_});
        return {};
    }
    [[nodiscard]] std::size_t value_bytes() const { return value_bytes_; }
    [[nodiscard]] std::size_t header_bytes() const { return header_bytes_; }

private:
    std::int64_t records_ = 0;
    std::size_t value_bytes_ = 0;
    std::size_t header_bytes_ = 0;
};

std::vector<std::string> bodies_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::vector<std::string> bodies;
    for (std::size_t at = 0; at + 4 <= all.size();) {
        std::uint32_t size = 0;
        std::memcpy(&size, all.data() + at, 4);
        const auto request = std::string_view(all).substr(at + 4, size);
        bodies.emplace_back(request.substr(request.find("\r\n\r\n") + 4));
        at += 4 + size;
    }
    if (bodies.empty()) {
        throw std::runtime_error("no requests in " + path);
    }
    return bodies;
}

double cpu_microseconds() {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

// CPU of the best of ten parts: what else the machine does can only add.
template <typename Step>
void measure(std::string_view name, std::size_t times, Step&& step) {
    constexpr std::size_t kParts = 10;
    auto best = std::numeric_limits<double>::max();
    for (std::size_t part = 0; part < kParts; ++part) {
        const auto began = cpu_microseconds();
        for (std::size_t i = part * times / kParts; i < (part + 1) * times / kParts; ++i) {
            step(i);
        }
        best = std::min(best, (cpu_microseconds() - began) * kParts / static_cast<double>(times));
    }
    fmt::print("{:<28} {:8.2f} us\n", name, best);
}

void run(const std::string& requests, std::size_t times) {
    const auto bodies = bodies_of(requests);
    std::vector<std::string> signatures;
    for (const auto& body : bodies) {
        signatures.push_back(ingress::sign(body, kSecret));
    }
    const OneShop shops;
    const ingress::ShopifyMapping mapping;
    AtOnce publisher;
    syncline::telemetry::Metrics registry("bench");
    ingress::WebhookMetrics metrics(registry);
    auto& clock = core::system_clock();
    ingress::ReceiveWebhook receive(shops, mapping, publisher, clock, std::chrono::seconds{3});
    const auto shop = shops.by_alias("eu");

    const auto received = [&](std::size_t i) {
        const auto at = i % bodies.size();
        return ingress::ReceivedWebhook{.shop = shop,
                                        .topic = "orders/create",
                                        .signature = signatures[at],
                                        .triggered_at = "2026-11-20T00:00:00.123000000Z",
                                        .event_id = "0b6f4e3e-9a0e-4a73-9d0a-5c8b6f3f1a77",
                                        .webhook_id = "4cf1a9ff-1d0e-4c39-8d6a-f0ad6ac1a3b4",
                                        .api_version = "2026-07",
                                        .traceparent = {},
                                        .received_at = clock.now(),
                                        .body = bodies[at]};
    };
    std::size_t unpublished = 0;
    const auto whole = [&](std::size_t i) {
        auto webhook = received(i);
        const auto bytes = webhook.body.size();
        const auto at = webhook.received_at;
        receive.run(std::move(webhook), [&, bytes, at](const ingress::WebhookAnswer& answer) {
            unpublished += answer.outcome == ingress::WebhookAnswer::Outcome::published ? 0U : 1U;
            metrics.answered("eu", "orders/create", answer, bytes, at, clock.now());
        });
    };
    for (std::size_t i = 0; i < times / 10; ++i) {
        whole(i);
    }
    std::size_t sum = 0;
    measure("the request itself", times, [&](std::size_t i) { sum += received(i).body.size(); });
    measure("signature", times, [&](std::size_t i) {
        const auto at = i % bodies.size();
        sum += static_cast<std::size_t>(ingress::check_signature(signatures[at], bodies[at], shops.secrets(*shop)));
    });
    measure("JSON", times, [&](std::size_t i) {
        sum += syncline::json::Document::parse(bodies[i % bodies.size()], {.reject_duplicate_keys = false})->root().size();
    });
    measure("JSON, mapping, event", times, [&](std::size_t i) {
        const auto webhook = received(i);
        sum += mapping.map(ingress::view_of(webhook), webhook.body)->value.size();
    });
    measure("all, from body to record", times, whole);
    if (unpublished != 0 || sum == 0) {
        throw std::runtime_error(fmt::format("{} webhooks were not published", unpublished));
    }
    const auto published = times + times / 10;
    fmt::print("values of {} bytes, headers of {} bytes\n", publisher.value_bytes() / published,
               publisher.header_bytes() / published);
}

}  // namespace

int main(int argc, char** argv) {
    std::string requests;
    std::size_t times = 20'000;
    CLI::App app{"times the steps from a webhook's body to its record"};
    app.add_option("--requests", requests, "file of prepared requests")->required();
    app.add_option("--times", times, "how often");
    CLI11_PARSE(app, argc, argv);
    try {
        run(requests, times);
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 1;
    }
    return 0;
}
