#include "adapters/stock/stock_door.h"

#include <syncline/http/problem.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/log.h>
#include <syncline/telemetry/trace.h>
#include <memory>
#include <utility>

#include "domain/signature.h"

namespace ingress {

namespace core = syncline::core;
namespace http = syncline::http;
namespace json = syncline::json;
namespace log = syncline::telemetry::log;
namespace trace = syncline::telemetry::trace;
using Outcome = StockAnswer::Outcome;

namespace {

constexpr const char* kSignatureHeader = "x-syncline-hmac-sha256";

http::Reply refusal(int status, std::string_view code, std::string_view title) {
    return http::to_reply({.status = status, .code = std::string(code), .title = std::string(title)});
}

http::Reply not_proven(std::string_view code) {
    return refusal(401, code, "The source has not proven who it is");
}

http::Reply body_too_large() {
    return refusal(413, "body_too_large", "The body is larger than the door for stock allows");
}

// Scheme names are compared in any case (RFC 9110).
std::string_view bearer(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (authorization.size() <= kScheme.size()) {
        return {};
    }
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = authorization[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) {
            return {};
        }
    }
    authorization.remove_prefix(kScheme.size());
    return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

int status_of(StockRefusal::Kind kind) {
    switch (kind) {
        case StockRefusal::Kind::unreadable:
            return 400;
        case StockRefusal::Kind::too_large:
            return 413;
        case StockRefusal::Kind::wrong:
            break;
    }
    return 422;
}

// A problem with the list of what is wrong, which plain problems do not have.
http::Reply to_reply(const StockRefusal& refused) {
    const auto status = status_of(refused.kind);
    const auto& first = refused.faults.front();
    json::Writer out;
    out.begin_object().member("type", "urn:syncline:problem:" + first.code);
    out.member("title", "Nothing of the body was taken").member("status", status).member("code", first.code);
    out.member("detail", first.at + ": " + first.what).key("errors").begin_array();
    for (const auto& fault : refused.faults) {
        out.begin_object().member("at", fault.at).member("code", fault.code).member("what", fault.what).end_object();
    }
    out.end_array().member("more_errors", refused.more).end_object();
    return {.status = status, .body = std::move(out).take(), .content_type = "application/problem+json", .headers = {}};
}

http::Reply to_reply(const StockAnswer& answer, std::chrono::seconds retry_after) {
    switch (answer.outcome) {
        case Outcome::accepted: {
            json::Writer out;
            out.begin_object().member("reports", static_cast<std::uint64_t>(answer.reports));
            out.member("adjustments", static_cast<std::uint64_t>(answer.adjustments)).end_object();
            return {.status = 202, .body = std::move(out).take(), .content_type = "application/json", .headers = {}};
        }
        case Outcome::refused:
            return to_reply(*answer.refusal);
        case Outcome::not_proven:
            return not_proven(answer.code);
        case Outcome::over_share:
            return http::to_reply({.status = 429,
                                   .code = answer.code,
                                   .title = "The source has too many records under way",
                                   .detail = "send it again, with fewer requests at once",
                                   .retry_after = retry_after});
        case Outcome::unavailable:
            break;
    }
    return http::unavailable(answer.code, "Not all of it was stored; send all of it again", retry_after);
}

// What stays to be done when the answer is known. Owns all it needs: it may run after the door has gone.
struct Answering {
    http::Responder responder;
    std::shared_ptr<const KnownSource> source;
    core::SystemTime received_at;
    std::chrono::seconds retry_after;
    StockMetrics* metrics;
    core::Clock* clock;
    std::unique_ptr<trace::Span> span;

    void operator()(const StockAnswer& answer) {
        metrics->answered(source->label, answer, received_at, clock->now());
        responder.answer(to_reply(answer, retry_after));
        const auto level = answer.outcome == Outcome::refused ? log::Level::warn : log::Level::debug;
        if (log::enabled(level)) {
            const log::Scope scope({}, {}, span ? span->trace_id() : std::string_view{});
            log::write(level, "stock_answered",
                       {{"source", source->name}, {"outcome", to_string(answer.outcome)}, {"code", answer.code}});
        }
        if (span && answer.outcome != Outcome::accepted) {
            span->fail(answer.code);
        }
    }
};

}  // namespace

StockDoor::StockDoor(StockDoorOptions options, const StockSources& sources, ReceiveStock& receive, StockMetrics& metrics,
                     core::Clock& clock)
    : options_(std::move(options)), sources_(sources), receive_(receive), metrics_(metrics), clock_(clock) {}

bool StockDoor::owns(std::string_view path) const {
    return path.size() > options_.path.size() && path.starts_with(options_.path) && path[options_.path.size()] == '/';
}

std::shared_ptr<const KnownSource> StockDoor::source_of(std::string_view path) const {
    return sources_.by_name(path.substr(options_.path.size() + 1));
}

http::HeadDecision StockDoor::judge(const http::Head& head) const {
    if (head.method() != "POST") {
        metrics_.refused("method_not_allowed");
        return http::HeadDecision::refuse(http::method_not_allowed("POST"));
    }
    const auto source = source_of(head.path());
    if (!source) {
        metrics_.refused("unknown_source");
        return http::HeadDecision::refuse(not_proven("unknown_source"));
    }
    const auto refuse = [&](Outcome outcome, std::string_view code, http::Reply reply) {
        const auto now = clock_.now();
        metrics_.answered(source->label, {.outcome = outcome, .code = std::string(code), .refusal = nullptr}, now, now);
        return http::HeadDecision::refuse(std::move(reply));
    };
    // Whoever knows no secret takes no memory of ours for a body.
    const auto code = source->proof == StockProof::api_key ? receive_.judge_api_key(*source, bearer(head.get("authorization")))
                                                           : code_of(signature_form(head.get(kSignatureHeader)));
    if (!code.empty()) {
        return refuse(Outcome::not_proven, code, not_proven(code));
    }
    if (head.content_length().value_or(0) > options_.body_bytes_max) {
        return refuse(Outcome::refused, "body_too_large", body_too_large());
    }
    return http::HeadDecision::accept("stock/" + source->name);
}

void StockDoor::handle(http::IncomingRequest&& request, http::Responder responder) {
    ReceivedStock stock;
    stock.source = source_of(request.path());
    if (!stock.source) {
        // Taken out of the configuration while the body was on its way.
        metrics_.refused("unknown_source");
        responder.answer(not_proven("unknown_source"));
        return;
    }
    stock.api_key = bearer(request.get("authorization"));
    stock.signature = request.get(kSignatureHeader);
    stock.correlation_id = request.get("x-request-id");
    stock.received_at = request.received_at;
    stock.body = std::move(request.body);

    std::unique_ptr<trace::Span> span;
    if (trace::enabled()) {
        // A public caller's traceparent is not continued: anybody could write into our traces.
        span = std::make_unique<trace::Span>("POST " + options_.path, trace::SpanKind::server);
        span->set("syncline.source", stock.source->name);
        stock.traceparent = span->traceparent();
    }
    Answering answering{.responder = std::move(responder),
                        .source = stock.source,
                        .received_at = stock.received_at,
                        .retry_after = options_.retry_after,
                        .metrics = &metrics_,
                        .clock = &clock_,
                        .span = std::move(span)};
    if (stock.body.size() > options_.body_bytes_max) {
        // Sent in chunks, so that its length was not told before.
        metrics_.answered(stock.source->label, {.outcome = Outcome::refused, .code = "body_too_large", .refusal = nullptr},
                          stock.received_at, clock_.now());
        answering.responder.answer(body_too_large());
        return;
    }
    receive_.run(std::move(stock), std::move(answering));
}

}  // namespace ingress
