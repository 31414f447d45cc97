#include "adapters/http_door.h"

#include <syncline/http/problem.h>
#include <syncline/kit/config.h>
#include <syncline/telemetry/log.h>
#include <syncline/telemetry/trace.h>
#include <algorithm>
#include <utility>

#include "domain/signature.h"

namespace ingress {

namespace core = syncline::core;
namespace http = syncline::http;
namespace log = syncline::telemetry::log;
namespace trace = syncline::telemetry::trace;
using Outcome = WebhookAnswer::Outcome;

namespace {

constexpr std::size_t kHeaderValueMax = 256;

// Headers are not signed and go into records: what is not short printable ASCII counts as absent.
std::string plain_header(const http::IncomingRequest& request, std::string_view name) {
    const auto value = request.get(name);
    const bool plain =
        value.size() <= kHeaderValueMax && std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7E; });
    return std::string(plain ? value : std::string_view{});
}

http::Reply refusal(int status, std::string_view code, std::string_view title) {
    return http::to_reply({.status = status, .code = std::string(code), .title = std::string(title)});
}

http::Reply to_reply(const WebhookAnswer& answer, std::chrono::seconds retry_after) {
    switch (answer.outcome) {
        case Outcome::published:
        case Outcome::dead_lettered:
        case Outcome::ignored:
            return {.status = 200};
        case Outcome::bad_signature:
            return refusal(401, answer.code, "The signature does not fit the body");
        case Outcome::unavailable:
            break;
    }
    return http::unavailable(answer.code, "The webhook was not stored; send it again", retry_after);
}

// What stays to be done when the answer is known. Owns all it needs: it may run after the door has gone.
struct Answering {
    http::Responder responder;
    std::shared_ptr<const KnownShop> shop;
    std::string topic;
    std::size_t body_bytes;
    core::SystemTime received_at;
    std::chrono::seconds retry_after;
    WebhookMetrics* metrics;
    core::Clock* clock;
    std::unique_ptr<trace::Span> span;

    void operator()(const WebhookAnswer& answer) {
        metrics->answered(shop->label, topic, answer, body_bytes, received_at, clock->now());
        responder.answer(to_reply(answer, retry_after));
        const auto level = answer.outcome == Outcome::dead_lettered ? log::Level::warn : log::Level::debug;
        if (log::enabled(level)) {
            const log::Scope scope(answer.event_id, {}, span ? span->trace_id() : std::string_view{});
            log::write(level, answer.outcome == Outcome::dead_lettered ? "webhook_unmappable" : "webhook_answered",
                       {{"shop", shop->alias},
                        {"topic", listed_topic_name(topic)},
                        {"outcome", to_string(answer.outcome)},
                        {"code", answer.code}});
        }
        if (span && (answer.outcome == Outcome::unavailable || answer.outcome == Outcome::bad_signature)) {
            span->fail(answer.code);
        }
    }
};

}  // namespace

HttpDoor::HttpDoor(HttpDoorOptions options, const ShopDirectory& shops, ReceiveWebhook& receive, WebhookMetrics& metrics,
                   core::Clock& clock, StockDoor* stock)
    : options_(std::move(options)), shops_(shops), receive_(receive), metrics_(metrics), clock_(clock), stock_(stock) {}

void HttpDoor::start() {
    auto server = http::Server::start(
        options_.server,
        [this](http::IncomingRequest&& request, http::Responder responder) { handle(std::move(request), std::move(responder)); },
        [this](const http::Head& head) { return judge(head); });
    if (!server) {
        throw syncline::kit::StartError(server.error());
    }
    server_ = std::move(*server);
    log::info("webhook_door_open", {{"url", server_->url()}, {"path", options_.path}});
}

void HttpDoor::stop(const core::Deadline& deadline) {
    if (server_ && !server_->stop(deadline)) {
        log::warn("webhook_door_cut_off", {{"in_flight", server_->stats().requests_in_flight}});
    }
}

std::string HttpDoor::url() const {
    return server_ ? server_->url() : std::string();
}

http::ServerStats HttpDoor::stats() const {
    return server_ ? server_->stats() : http::ServerStats{};
}

http::HeadDecision HttpDoor::judge(const http::Head& head) {
    const auto refuse = [this](std::string_view reason, http::Reply reply) {
        metrics_.refused(reason);
        return http::HeadDecision::refuse(std::move(reply));
    };
    if (stock_ != nullptr && stock_->owns(head.path())) {
        return stock_->judge(head);
    }
    if (head.path() != options_.path) {
        return refuse("unknown_path", http::not_found());
    }
    if (head.method() != "POST") {
        return refuse("method_not_allowed", http::method_not_allowed("POST"));
    }
    if (!options_.allowed.empty() &&
        !options_.allowed.contains(caller_address(head.peer(), head.get(options_.forwarded_header), options_.trusted_proxies))) {
        return refuse("address_not_allowed", refusal(403, "address_not_allowed", "This address may not send webhooks"));
    }
    const auto shop = shops_.by_domain(head.get("x-shopify-shop-domain"));
    if (!shop) {
        return refuse("unknown_shop", refusal(401, "unknown_shop", "No such shop is configured"));
    }
    switch (signature_form(head.get("x-shopify-hmac-sha256"))) {
        case Signature::missing:
            return refuse("signature_missing", refusal(401, "signature_missing", "The request is not signed"));
        case Signature::malformed:
            return refuse("signature_malformed", refusal(401, "signature_malformed", "The signature cannot be one"));
        default:
            return http::HeadDecision::accept(shop->alias);
    }
}

void HttpDoor::handle(http::IncomingRequest&& request, http::Responder responder) {
    if (stock_ != nullptr && stock_->owns(request.path())) {
        stock_->handle(std::move(request), std::move(responder));
        return;
    }
    ReceivedWebhook webhook;
    webhook.shop = shops_.by_domain(request.get("x-shopify-shop-domain"));
    if (!webhook.shop) {
        // Taken out of the configuration while the body was on its way.
        metrics_.refused("unknown_shop");
        responder.answer(refusal(401, "unknown_shop", "No such shop is configured"));
        return;
    }
    webhook.topic = plain_header(request, "x-shopify-topic");
    webhook.signature = plain_header(request, "x-shopify-hmac-sha256");
    webhook.triggered_at = plain_header(request, "x-shopify-triggered-at");
    webhook.event_id = plain_header(request, "x-shopify-event-id");
    webhook.webhook_id = plain_header(request, "x-shopify-webhook-id");
    webhook.api_version = plain_header(request, "x-shopify-api-version");
    webhook.received_at = request.received_at;
    webhook.body = std::move(request.body);

    std::unique_ptr<trace::Span> span;
    if (trace::enabled()) {
        // A public caller's traceparent is not continued: anybody could write into our traces.
        span = std::make_unique<trace::Span>("POST " + options_.path, trace::SpanKind::server);
        span->set("syncline.shop", webhook.shop->alias);
        span->set("syncline.webhook_topic", listed_topic_name(webhook.topic));
        webhook.traceparent = span->traceparent();
    }
    Answering answering{.responder = std::move(responder),
                        .shop = webhook.shop,
                        .topic = webhook.topic,
                        .body_bytes = webhook.body.size(),
                        .received_at = webhook.received_at,
                        .retry_after = options_.retry_after,
                        .metrics = &metrics_,
                        .clock = &clock_,
                        .span = std::move(span)};
    receive_.run(std::move(webhook), std::move(answering));
}

}  // namespace ingress
