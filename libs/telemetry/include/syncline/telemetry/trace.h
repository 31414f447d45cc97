// Traces by OpenTelemetry over OTLP/HTTP. Off, and nearly free, unless OTEL_EXPORTER_OTLP_ENDPOINT is set.
//
//   trace::start("order-export");                                       // once; trace::stop(2s) at the end
//   trace::Span span("process orders.v1", trace::SpanKind::consumer, headers.traceparent);
//   span.set("messaging.system", "kafka");
//   outgoing.traceparent = span.traceparent();                          // to Kafka headers, HTTP, the outbox
//   if (!result) span.fail(result.error().code);                        // ends with the object
//
// W3C Trace Context, strictly: a traceparent that is not exactly version 00 in lower case with non-zero ids counts as absent.
// While tracing is off, traceparent() hands on a valid parent unchanged and is empty without one, so a trace that began
// elsewhere crosses Syncline all the same.
// OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER(_ARG) and OTEL_EXPORTER_OTLP_HEADERS are honoured. Spans are
// exported by a thread of its own from a bounded queue; what does not fit is dropped. Attributes never carry personal data.
// A Span belongs to one thread at a time; everything else from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::telemetry::trace {

// True if tracing is on after the call. A second start without stop() changes nothing.
bool start(std::string_view service);
// Exports what is queued, at most for that long.
void stop(std::chrono::milliseconds wait);
[[nodiscard]] bool enabled() noexcept;

// 00-<32 lower-case hex, not all zero>-<16, not all zero>-<2>.
[[nodiscard]] bool valid_traceparent(std::string_view text) noexcept;
// The 32 digits of a valid traceparent, else empty.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent) noexcept;

enum class SpanKind : std::uint8_t { internal, server, client, producer, consumer };

class Span {
public:
    Span(std::string_view name, SpanKind kind, std::string_view parent_traceparent = {});
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    ~Span();

    void set(std::string_view key, std::string_view value);
    void set(std::string_view key, std::int64_t value);
    // Marks the span as failed, with error.type = code.
    void fail(std::string_view code);
    // The traceparent of this span; of its parent while tracing is off; may be empty.
    [[nodiscard]] const std::string& traceparent() const { return traceparent_; }
    // 32 hex digits or empty.
    [[nodiscard]] std::string_view trace_id() const { return trace_id_of(traceparent_); }

private:
    struct State;
    std::unique_ptr<State> state_;  // Null while tracing is off.
    std::string traceparent_;
};

}  // namespace syncline::telemetry::trace
