#include "syncline/telemetry/trace.h"

#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/samplers/always_off_factory.h>
#include <opentelemetry/sdk/trace/samplers/always_on_factory.h>
#include <opentelemetry/sdk/trace/samplers/parent_factory.h>
#include <opentelemetry/sdk/trace/samplers/trace_id_ratio_factory.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <string>

#include "syncline/core/hash.h"
#include "syncline/telemetry/log.h"

namespace syncline::telemetry::trace {
namespace {

namespace otel = opentelemetry;
namespace otel_trace = opentelemetry::trace;
namespace otel_sdk = opentelemetry::sdk::trace;
using TracerPtr = otel::nostd::shared_ptr<otel_trace::Tracer>;

// OpenTelemetry's own complaints (an exporter that cannot connect) become log lines; its default prints to stdout.
class LogHandler final : public otel::sdk::common::internal_log::LogHandler {
public:
    void Handle(otel::sdk::common::internal_log::LogLevel level, const char* /*file*/, int /*line*/, const char* message,
                const otel::sdk::common::AttributeMap& /*attributes*/) noexcept override {
        using otel::sdk::common::internal_log::LogLevel;
        if (level == LogLevel::Error || level == LogLevel::Warning) {
            log::warn("trace_export_failed", {{"reason", message == nullptr ? "" : message}});
        }
    }
};

struct Provider {
    std::mutex mutex;
    std::atomic<bool> on{false};
    std::unique_ptr<otel_sdk::TracerProvider> provider;
    TracerPtr tracer;
};

// Never destroyed: spans may end until the very end of the process.
Provider& provider() {
    static auto& provider = *new Provider;
    return provider;
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// OTEL_TRACES_SAMPLER; this SDK leaves it to its user. An unknown name is the default.
std::unique_ptr<otel_sdk::Sampler> sampler_from_environment() {
    const std::string name = environment("OTEL_TRACES_SAMPLER");
    const std::string argument = environment("OTEL_TRACES_SAMPLER_ARG");
    double ratio = 1;
    const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), ratio);
    if (error != std::errc{} || end != argument.data() + argument.size() || !(ratio >= 0 && ratio <= 1)) {
        ratio = 1;
    }
    const auto parent_based = [](std::unique_ptr<otel_sdk::Sampler> root) {
        return otel_sdk::ParentBasedSamplerFactory::Create(std::shared_ptr<otel_sdk::Sampler>(std::move(root)));
    };
    if (name == "always_on") {
        return otel_sdk::AlwaysOnSamplerFactory::Create();
    }
    if (name == "always_off") {
        return otel_sdk::AlwaysOffSamplerFactory::Create();
    }
    if (name == "traceidratio") {
        return otel_sdk::TraceIdRatioBasedSamplerFactory::Create(ratio);
    }
    if (name == "parentbased_always_off") {
        return parent_based(otel_sdk::AlwaysOffSamplerFactory::Create());
    }
    if (name == "parentbased_traceidratio") {
        return parent_based(otel_sdk::TraceIdRatioBasedSamplerFactory::Create(ratio));
    }
    return parent_based(otel_sdk::AlwaysOnSamplerFactory::Create());
}

otel_trace::SpanKind to_otel(SpanKind kind) {
    switch (kind) {
        case SpanKind::internal:
            return otel_trace::SpanKind::kInternal;
        case SpanKind::server:
            return otel_trace::SpanKind::kServer;
        case SpanKind::client:
            return otel_trace::SpanKind::kClient;
        case SpanKind::producer:
            return otel_trace::SpanKind::kProducer;
        case SpanKind::consumer:
            return otel_trace::SpanKind::kConsumer;
    }
    return otel_trace::SpanKind::kInternal;
}

otel::nostd::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

template <std::size_t Size>
std::array<std::uint8_t, Size> bytes_of_hex(std::string_view text) {
    std::array<std::uint8_t, Size> bytes{};
    const auto decoded = core::hex_decode(text);
    for (std::size_t i = 0; decoded && i < Size; ++i) {
        bytes[i] = static_cast<std::uint8_t>((*decoded)[i]);
    }
    return bytes;
}

// `traceparent` is valid.
otel_trace::SpanContext context_of(std::string_view traceparent) {
    const auto trace_id = bytes_of_hex<16>(traceparent.substr(3, 32));
    const auto span_id = bytes_of_hex<8>(traceparent.substr(36, 16));
    const auto flags = bytes_of_hex<1>(traceparent.substr(53, 2));
    return {otel_trace::TraceId(trace_id), otel_trace::SpanId(span_id), otel_trace::TraceFlags(flags[0]), true};
}

std::string traceparent_of(const otel_trace::SpanContext& context) {
    std::array<char, 32> trace_id{};
    std::array<char, 16> span_id{};
    std::array<char, 2> flags{};
    context.trace_id().ToLowerBase16(trace_id);
    context.span_id().ToLowerBase16(span_id);
    context.trace_flags().ToLowerBase16(flags);
    std::string text = "00-";
    text.append(trace_id.data(), trace_id.size()).append("-");
    text.append(span_id.data(), span_id.size()).append("-");
    return text.append(flags.data(), flags.size());
}

}  // namespace

bool start(std::string_view service) {
    auto& state = provider();
    const std::lock_guard lock(state.mutex);
    if (state.on) {
        return true;
    }
    if (environment("OTEL_EXPORTER_OTLP_ENDPOINT").empty()) {
        return false;
    }
    otel::sdk::common::internal_log::GlobalLogHandler::SetLogHandler(
        otel::nostd::shared_ptr<otel::sdk::common::internal_log::LogHandler>(new LogHandler));
    otel::sdk::resource::ResourceAttributes attributes;
    if (environment("OTEL_SERVICE_NAME").empty()) {
        attributes["service.name"] = std::string(service);
    }
    auto exporter = otel::exporter::otlp::OtlpHttpExporterFactory::Create();
    auto processor = otel_sdk::BatchSpanProcessorFactory::Create(std::move(exporter), otel_sdk::BatchSpanProcessorOptions{});
    state.provider = otel_sdk::TracerProviderFactory::Create(
        std::move(processor), otel::sdk::resource::Resource::Create(attributes), sampler_from_environment());
    state.tracer = state.provider->GetTracer("syncline");
    state.on = true;
    return true;
}

void stop(std::chrono::milliseconds wait) {
    auto& state = provider();
    const std::lock_guard lock(state.mutex);
    if (!state.on) {
        return;
    }
    state.on = false;
    state.provider->ForceFlush(wait);
    state.provider->Shutdown(wait);
    state.tracer = TracerPtr();
    state.provider.reset();
}

bool enabled() noexcept {
    return provider().on.load(std::memory_order_relaxed);
}

struct Span::State {
    otel::nostd::shared_ptr<otel_trace::Span> span;
};

Span::Span(std::string_view name, SpanKind kind, std::string_view parent_traceparent) {
    const bool has_parent = valid_traceparent(parent_traceparent);
    if (!enabled()) {
        if (has_parent) {
            traceparent_ = parent_traceparent;
        }
        return;
    }
    TracerPtr tracer;
    {
        auto& state = provider();
        const std::lock_guard lock(state.mutex);
        tracer = state.tracer;
    }
    if (!tracer) {
        return;
    }
    otel_trace::StartSpanOptions options;
    options.kind = to_otel(kind);
    if (has_parent) {
        options.parent = context_of(parent_traceparent);
    }
    state_ = std::make_unique<State>();
    state_->span = tracer->StartSpan(view(name), options);
    traceparent_ = traceparent_of(state_->span->GetContext());
}

Span::~Span() {
    if (state_) {
        state_->span->End();
    }
}

void Span::set(std::string_view key, std::string_view value) {
    if (state_) {
        state_->span->SetAttribute(view(key), view(value));
    }
}

void Span::set(std::string_view key, std::int64_t value) {
    if (state_) {
        state_->span->SetAttribute(view(key), value);
    }
}

void Span::fail(std::string_view code) {
    if (state_) {
        state_->span->SetAttribute("error.type", view(code));
        state_->span->SetStatus(otel_trace::StatusCode::kError);
    }
}

}  // namespace syncline::telemetry::trace
