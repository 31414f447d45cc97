#include "src/processing/handler_run.h"

#include <google/protobuf/message_lite.h>

#include <syncline/core/fault.h>
#include <syncline/core/hash.h>
#include <syncline/telemetry/log.h>
#include <syncline/telemetry/trace.h>
#include <algorithm>
#include <typeinfo>

namespace syncline::kit {
namespace {

using core::ErrorKind;

bool target_said_nothing(ErrorKind kind) {
    return kind == ErrorKind::transient || kind == ErrorKind::throttled || kind == ErrorKind::unauthorized ||
           kind == ErrorKind::unknown_outcome;
}

class HandlerRun final : public Delivery {
public:
    HandlerRun(const RunContext& context, const RunRequest& request, RunResult& result, std::string traceparent)
        : context_(context),
          request_(request),
          result_(result),
          traceparent_(std::move(traceparent)),
          deadline_(context.clock, context.call_deadline) {}

    const EventHeaders& headers() const override { return request_.event.headers; }
    int attempt() const override { return request_.attempt; }
    core::Deadline deadline() const override { return deadline_; }
    bool timer() const override { return request_.mode == store::Mode::timer; }
    bool verify() const override { return request_.mode == store::Mode::verify; }
    std::string_view override_code() const override { return request_.override_code; }

    core::Result<EffectRecord> effect(const EffectOptions& options, const EffectCall& call) override {
        if (options.external_key.empty() || store::storable(options.external_key) != options.external_key) {
            return core::fail(ErrorKind::bug, "external_key_unusable", "an external key must be text");
        }
        // The lease counts from before it is asked for: what the database grants never ends before what we believe.
        const auto lease_left = deadline_.left() + context_.lease_margin;
        const Lease lease(context_.clock, context_.clock.steady() + lease_left - context_.lease_margin / 2);
        auto answer = context_.intents.acquire({.external_key = options.external_key,
                                                .version = options.version,
                                                .holder = request_.event.row.at.key,
                                                .epoch = request_.home->epoch,
                                                .position = request_.event.row.position,
                                                .lease_until = context_.clock.now() + lease_left,
                                                .any_version = options.any_version && !verify(),
                                                .again = verify() || request_.mode == store::Mode::redrive},
                                               request_.home);
        if (!answer) {
            result_.abandoned = result_.abandoned || request_.home->abandoned;
            return std::unexpected(std::move(answer.error()));
        }
        switch (answer->kind) {
            case store::IntentAnswerKind::already:
                return std::move(answer->record);
            case store::IntentAnswerKind::busy:
                result_.lease_busy = true;
                result_.busy_key = options.external_key;
                result_.busy_until = answer->busy_until;
                return core::fail(ErrorKind::conflict, "intent_busy", "another is writing " + options.external_key);
            case store::IntentAnswerKind::taken:
                break;
        }
        SYNCLINE_FAULT_POINT("intent_written");
        if (!lease.still_held()) {
            // It took so long to get (PostgreSQL was away) that nothing may be sent any more: it is ours, the next attempt renews
            // it.
            result_.lease_busy = true;
            result_.busy_key = options.external_key;
            result_.busy_until = context_.clock.now();
            return core::fail(ErrorKind::conflict, "intent_busy", "the lease had ended before it could be used");
        }
        return act(options, call, lease);
    }

    void write(RowWrite row) override { result_.rows.push_back(std::move(row)); }
    void publish(OutgoingEvent where, const google::protobuf::MessageLite& event) override {
        result_.published.push_back(row_of(std::move(where), event, "done"));
    }
    void publish_if_held(OutgoingEvent where, const google::protobuf::MessageLite& event) override {
        result_.published_if_held.push_back(row_of(std::move(where), event, "held/" + std::to_string(request_.attempt)));
    }
    void publish_if_dead(OutgoingEvent where, const google::protobuf::MessageLite& event) override {
        result_.published_if_dead.push_back(row_of(std::move(where), event, "dead/" + std::to_string(request_.attempt)));
    }

private:
    core::Result<EffectRecord> act(const EffectOptions& options, const EffectCall& call, const Lease& lease) {
        auto done = call(lease);
        SYNCLINE_FAULT_POINT("answer_lost");
        if (!lease.still_held()) {
            // What was sent may arrive after a newer owner's write: somebody has to look.
            context_.intents.mark_verify(options.external_key, request_.home);
        }
        const bool unknown = !done && done.error().kind == ErrorKind::unknown_outcome;
        if (done || !target_said_nothing(done.error().kind)) {
            result_.target_answered = true;
        }
        if (unknown) {
            result_.creates_once = options.creates_once;
        }
        TakenIntent taken{.external_key = options.external_key,
                          .version = options.version,
                          .record = done ? *done : EffectRecord{},
                          .succeeded = done.has_value(),
                          .unknown = unknown && !options.creates_once};
        if (options.scope == EffectScope::event) {
            // The same document twice in one run: the last word counts.
            std::erase_if(result_.intents, [&](const auto& other) { return other.external_key == taken.external_key; });
            result_.intents.push_back(std::move(taken));
            return done;
        }
        return end_shared(taken, std::move(done));
    }

    core::Result<EffectRecord> end_shared(const TakenIntent& taken, core::Result<EffectRecord> done) {
        store::SharedEnd end{
            .external_key = taken.external_key, .holder = request_.event.row.at.key, .epoch = request_.home->epoch};
        if (taken.succeeded) {
            end.close = store::IntentClose{.external_key = taken.external_key,
                                           .version = taken.version,
                                           .record = taken.record,
                                           .position = request_.event.row.position};
        } else if (taken.unknown) {
            end.lease_until = context_.clock.now() + context_.longest_request;
        }
        auto ours = context_.intents.end_shared(std::move(end), request_.home);
        if (!ours) {
            result_.abandoned = result_.abandoned || request_.home->abandoned;
            return std::unexpected(std::move(ours.error()));
        }
        if (!*ours) {
            context_.intents.mark_verify(taken.external_key, request_.home);
            return core::fail(ErrorKind::conflict, "intent_lost", "another took over " + taken.external_key);
        }
        return done;
    }

    store::OutboxRow row_of(OutgoingEvent where, const google::protobuf::MessageLite& event, const std::string& occasion) {
        const auto& source = request_.event;
        std::string name = source.row.event_id + '|' + event.GetTypeName() + '|' + std::to_string(ordinal_++) + '|' + occasion;
        if (!request_.run_name.empty()) {
            name += '|' + request_.run_name;
        }
        const auto id = core::uuid_v5(core::kSynclineNamespace, name);
        store::OutboxRow row{.id = id, .aggregate_type = where.topic, .aggregate_id = where.key, .type = event.GetTypeName()};
        row.record.topic = where.topic;
        row.record.key = std::move(where.key);
        row.record.value = event.SerializeAsString();
        row.record.headers = cloud_event_headers({.id = id,
                                                  .type = row.type,
                                                  .source = "syncline/" + context_.service,
                                                  .subject = std::move(where.subject),
                                                  .correlation_id = source.headers.correlation_id,
                                                  .traceparent = traceparent_,
                                                  .time = context_.clock.now(),
                                                  .received_at = source.headers.received_at});
        return row;
    }

    const RunContext& context_;
    const RunRequest& request_;
    RunResult& result_;
    const std::string traceparent_;
    const core::Deadline deadline_;
    int ordinal_ = 0;
};

Outcome call_handler(const RunRequest& request, HandlerRun& delivery) {
    // The only place where an exception of a handler ends. Its text may hold data of the order: the type alone is told.
    try {
        return request.event.handler->call(*request.event.message, delivery);
    } catch (const std::exception& e) {
        return Outcome::failed(
            {.kind = ErrorKind::bug, .code = "exception", .message = std::string("the handler threw ") + typeid(e).name()});
    } catch (...) {
        return Outcome::failed({.kind = ErrorKind::bug, .code = "exception", .message = "the handler threw something unknown"});
    }
}

}  // namespace

RunResult run_handler(const RunContext& context, const RunRequest& request) {
    RunResult result;
    const auto& headers = request.event.headers;
    telemetry::trace::Span span("process " + headers.topic, telemetry::trace::SpanKind::consumer, headers.traceparent);
    span.set("messaging.system", "kafka");
    span.set("messaging.destination.name", headers.topic);
    span.set("messaging.destination.partition.id", std::int64_t{headers.partition});
    span.set("messaging.kafka.offset", headers.offset);
    const telemetry::log::Scope scope(headers.id, headers.correlation_id, span.trace_id());
    const auto begun = context.clock.steady();
    HandlerRun delivery(context, request, result, span.traceparent());
    result.outcome = call_handler(request, delivery);
    result.took = context.clock.steady() - begun;
    if (const auto* error = std::get_if<Outcome::Failed>(&result.outcome.value())) {
        span.fail(error->code);
        if (!target_said_nothing(error->kind) && error->kind != ErrorKind::bug && !result.intents.empty()) {
            result.target_answered = true;
        }
    } else if (std::holds_alternative<Outcome::Done>(result.outcome.value())) {
        // A handler may speak to the target without an effect (a read): that it is done says that the target answered.
        result.target_answered = true;
    }
    if (delivery.deadline().passed()) {
        telemetry::log::warn(
            "handler_overdue",
            {{"type", headers.type}, {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(result.took).count()}});
    }
    return result;
}

}  // namespace syncline::kit
