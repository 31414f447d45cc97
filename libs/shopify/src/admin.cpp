#include "syncline/shopify/admin.h"

#include <fmt/format.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <utility>

#include "src/admin_parts.h"

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr std::string_view kUserAgent = "syncline/1";
constexpr auto kCallMax = std::chrono::seconds{45};
constexpr std::size_t kReplyBytesMax = std::size_t{32} << 20U;

std::string body_of(const Operation& operation, const Variables& variables) {
    json::Writer out;
    out.begin_object().key("query").string(operation.text).key("operationName").string(operation.name);
    out.key("variables").raw(variables.json).end_object();
    return std::move(out).take();
}

double seconds_between(core::SteadyTime from, core::SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

AdminMeters::AdminMeters(telemetry::Metrics& metrics)
    : calls(metrics.counter("syncline_shopify_calls_total", "Admin API calls by outcome: ok or the code of the error.",
                            {"shop", "operation", "outcome"})),
      call_seconds(metrics.histogram("syncline_shopify_call_seconds", "Time from sending a request to its whole answer.",
                                     {"shop"}, telemetry::duration_buckets())),
      wait_seconds(metrics.histogram("syncline_shopify_wait_seconds", "Time a call waited for its points.", {"shop", "priority"},
                                     telemetry::delay_buckets())),
      points_spent(
          metrics.counter("syncline_shopify_points_spent_total", "Points that calls really used.", {"shop", "priority"})),
      points_available(
          metrics.gauge("syncline_shopify_points_available", "Points in the shop's bucket after the last answer.", {"shop"})),
      restore_rate(
          metrics.gauge("syncline_shopify_points_restore_rate", "Points a second that the shop's bucket regains.", {"shop"})),
      throttled(metrics.counter("syncline_shopify_throttled_total", "Answers that said THROTTLED or HTTP 429.", {"shop"})),
      token_renewals(metrics.counter("syncline_shopify_token_renewals_total",
                                     "Access tokens asked for, by outcome: ok or the code of the error.", {"shop", "outcome"})),
      deprecated_calls(metrics.counter("syncline_shopify_deprecated_calls_total",
                                       "Answers that said the call uses something deprecated.", {"shop", "operation"})),
      denied_fields(metrics.counter("syncline_shopify_denied_fields_total",
                                    "Fields that came as null because the app may not read them.", {"shop", "operation"})),
      fallen_forward(metrics.gauge("syncline_shopify_api_version_fallen_forward",
                                   "1 when Shopify answers in another API version than asked for.", {"shop"})) {}

double CostBook::declared(const Operation& operation, std::size_t items) {
    return operation.cost + static_cast<double>(operation.cost_per_item) * static_cast<double>(items);
}

double CostBook::estimate(const Operation& operation, std::size_t items) const {
    const std::lock_guard lock(mutex_);
    if (const auto found = seen_.find({operation.name, items}); found != seen_.end()) {
        return found->second;
    }
    const auto ratio = ratio_.find(operation.name);
    return declared(operation, items) * (ratio == ratio_.end() ? 1.0 : ratio->second);
}

void CostBook::learn(const Operation& operation, std::size_t items, double requested) {
    const std::lock_guard lock(mutex_);
    seen_[{operation.name, items}] = requested;
    auto& ratio = ratio_.try_emplace(operation.name, 0.0).first->second;
    ratio = std::max(ratio, requested / std::max(1.0, declared(operation, items)));
}

Admin::Admin(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Admin::~Admin() = default;

const std::string& Admin::shop() const {
    return parts_->alias;
}
const std::string& Admin::api_version() const {
    return parts_->version;
}
PointsBudget::State Admin::points() const {
    return parts_->points->state();
}
core::Clock& Admin::clock() const {
    return parts_->clock;
}
http::Client& Admin::http() const {
    return parts_->http;
}

core::Result<Reply> Admin::call(const Operation& operation, const Variables& variables, Priority priority,
                                const core::Deadline& deadline) {
    auto reply = call_with_user_errors(operation, variables, priority, deadline);
    if (reply && !reply->user_errors().empty()) {
        auto error = error_of(reply->user_errors());
        parts_->meters->calls.with({parts_->label, operation.name, error.code}).add();
        return std::unexpected(std::move(error));
    }
    return reply;
}

core::Result<Reply> Admin::call_with_user_errors(const Operation& operation, const Variables& variables, Priority priority,
                                                 const core::Deadline& deadline) {
    auto& parts = *parts_;
    const auto& label = parts.label;
    const auto& meters = *parts.meters;
    const auto body = body_of(operation, variables);
    auto turn = parts.points->turn(priority);
    bool token_asked_anew = false;
    const auto fail_with = [&](core::Error&& error) -> core::Result<Reply> {
        meters.calls.with({label, operation.name, error.code}).add();
        return std::unexpected(std::move(error));
    };
    for (;;) {
        auto token = parts.token->current(deadline);
        if (!token) {
            return fail_with(std::move(token.error()));
        }
        const auto asked = parts.clock.steady();
        auto ready = turn.reserve(parts.costs->estimate(operation, variables.items), deadline);
        const auto sent = parts.clock.steady();
        meters.wait_seconds.with({label, to_string(priority)}).observe(seconds_between(asked, sent));
        if (!ready) {
            return fail_with(std::move(ready.error()));
        }
        const auto sent_at = parts.clock.now();
        auto response = parts.http.send({.method = "POST",
                                         .url = fmt::format("{}/admin/api/{}/graphql.json", parts.settings.url, parts.version),
                                         .headers = {{"x-shopify-access-token", *token},
                                                     {"accept", "application/json"},
                                                     {"user-agent", std::string(kUserAgent)}},
                                         .body = body,
                                         .content_type = "application/json",
                                         .reply_bytes_max = kReplyBytesMax},
                                        deadline.sooner_of(core::Deadline(parts.clock, kCallMax)));
        meters.call_seconds.with({label}).observe(seconds_between(sent, parts.clock.steady()));
        if (!response) {
            auto error = std::move(response.error());
            if (error.kind == ErrorKind::transient) {
                turn.give_back();
            } else {
                turn.keep();
                // A query changes nothing: not knowing whether it ran is only an absent server.
                error.kind = operation.kind == OperationKind::query ? ErrorKind::transient : ErrorKind::unknown_outcome;
            }
            return fail_with(std::move(error));
        }
        const auto served = response->headers.get("x-shopify-api-version");
        if (!served.empty()) {
            meters.fallen_forward.with({label}).set(served == parts.version ? 0 : 1);
        }
        if (!response->headers.get("x-shopify-api-deprecated-reason").empty()) {
            meters.deprecated_calls.with({label, operation.name}).add();
            const std::lock_guard lock(parts.mutex);
            if (parts.warned.insert(operation.name).second) {
                telemetry::log::warn("shopify_call_deprecated",
                                     {{"shop", parts.alias}, {"operation", operation.name}, {"api_version", parts.version}});
            }
        }
        auto answer = read_answer(std::move(*response), operation);
        if (answer.cost) {
            parts.costs->learn(operation, variables.items, answer.cost->requested);
            turn.settle(*answer.cost);
            meters.points_spent.with({label, to_string(priority)}).add(std::max(0.0, answer.cost->actual.value_or(0.0)));
            const auto state = parts.points->state();
            meters.points_available.with({label}).set(state.available);
            meters.restore_rate.with({label}).set(state.restore_rate);
        } else if (!answer.reply &&
                   (answer.reply.error().kind == ErrorKind::throttled || answer.reply.error().kind == ErrorKind::unauthorized)) {
            turn.give_back();
        } else {
            turn.keep();
        }
        if (answer.reply) {
            if (answer.reply->user_errors().empty()) {
                meters.calls.with({label, operation.name, "ok"}).add();
            }
            if (answer.reply->denied() > 0) {
                meters.denied_fields.with({label, operation.name}).add(static_cast<double>(answer.reply->denied()));
            }
            answer.reply->set_sent_at(sent_at);
            return std::move(answer.reply);
        }
        auto& error = answer.reply.error();
        if (error.kind == ErrorKind::throttled && (error.code == "throttled" || error.code == "too_many_requests")) {
            meters.throttled.with({label}).add();
            // With a bucket that is told to be short the reservation itself waits exactly as long as is missing. Where the answer
            // names no shortage, everybody waits as long as it says.
            const bool shortage =
                answer.cost && answer.cost->throttle && answer.cost->throttle->available < answer.cost->requested;
            if (!shortage) {
                turn.pause_until(parts.clock.steady() + error.retry_after);
            }
            continue;
        }
        if (error.code == "token_refused" && !token_asked_anew && parts.token->refused(*token)) {
            token_asked_anew = true;
            continue;
        }
        return fail_with(std::move(error));
    }
}

}  // namespace syncline::shopify
