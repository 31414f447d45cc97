#include "syncline/telemetry/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>

#include "syncline/core/assert.h"
#include "syncline/core/clock.h"
#include "syncline/core/time.h"
#include "syncline/json/writer.h"

namespace syncline::telemetry::log {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 7> kFixedFields{"ts",       "level",          "service", "event",
                                                       "event_id", "correlation_id", "trace_id"};

thread_local const Scope* current_scope = nullptr;

std::string_view name_of(Level level) {
    return kLevelNames[static_cast<std::size_t>(level)];
}

// What the process logs with. Never destroyed: threads may log until the very end.
struct Output {
    std::atomic<Level> level{Level::info};
    std::mutex mutex;
    std::shared_ptr<const std::string> service = std::make_shared<const std::string>("unknown");
    std::function<void(std::string_view)> capture;
    std::shared_ptr<spdlog::logger> logger;

    Output() {
        logger = std::make_shared<spdlog::logger>("syncline", std::make_shared<spdlog::sinks::stdout_sink_mt>());
        logger->set_pattern("%v");
        logger->set_level(spdlog::level::trace);
        // A broken stdout must not turn into a flood on stderr.
        logger->set_error_handler([](const std::string&) {});
    }
};

Output& output() {
    static auto& output = *new Output;
    return output;
}

void write_value(json::Writer& out, const Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        out.string(*text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
        out.integer(*integer);
    } else if (const auto* natural = std::get_if<std::uint64_t>(&field.value)) {
        out.unsigned_integer(*natural);
    } else if (const auto* flag = std::get_if<bool>(&field.value)) {
        out.boolean(*flag);
    } else {
        const double number = std::get<double>(field.value);
        // JSON has no word for infinity.
        std::isfinite(number) ? out.number(fmt::format("{}", number)) : out.string(fmt::format("{}", number));
    }
}

void write_field(json::Writer& out, const Field& field) {
    if (std::ranges::find(kFixedFields, field.key) != kFixedFields.end()) {
        out.key(std::string(field.key) + "_");
    } else {
        out.key(field.key);
    }
    write_value(out, field);
}

}  // namespace

struct ScopeReader {
    static void write(json::Writer& out) {
        if (current_scope == nullptr) {
            return;
        }
        const auto member = [&](std::string_view name, const std::string& value) {
            if (!value.empty()) {
                out.member(name, value);
            }
        };
        member("event_id", current_scope->event_id_);
        member("correlation_id", current_scope->correlation_id_);
        member("trace_id", current_scope->trace_id_);
    }
};

core::Result<Level> parse_level(std::string_view text) {
    const auto* const found = std::ranges::find(kLevelNames, text);
    if (found == kLevelNames.end()) {
        return core::fail(core::ErrorKind::malformed, "log_level_unknown", "not a log level", "debug, info, warn, error or off");
    }
    return static_cast<Level>(found - kLevelNames.begin());
}

void start(std::string service, Level level) {
    auto& out = output();
    const std::lock_guard lock(out.mutex);
    out.service = std::make_shared<const std::string>(std::move(service));
    out.level = level;
}

void set_level(Level level) {
    output().level = level;
}

bool enabled(Level level) {
    return level != Level::off && level >= output().level.load(std::memory_order_relaxed);
}

namespace {

void write_line(Level level, std::string_view event, Fields fields, Fields more) {
    auto& out = output();
    std::shared_ptr<const std::string> service;
    std::function<void(std::string_view)> capture;
    {
        const std::lock_guard lock(out.mutex);
        service = out.service;
        capture = out.capture;
    }
    json::Writer line;
    line.begin_object()
        .member("ts", core::format_rfc3339_utc_millis(core::system_clock().now()))
        .member("level", name_of(level))
        .member("service", *service)
        .member("event", event);
    ScopeReader::write(line);
    for (const auto& field : fields) {
        write_field(line, field);
    }
    for (const auto& field : more) {
        write_field(line, field);
    }
    line.end_object();
    if (capture) {
        capture(line.view());
    } else {
        const auto text = line.view();
        out.logger->log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
    }
}

}  // namespace

void write(Level level, std::string_view event, Fields fields) {
    if (enabled(level)) {
        write_line(level, event, fields, {});
    }
}

void failure(Level level, std::string_view event, const core::Error& error, Fields fields) {
    if (!enabled(level)) {
        return;
    }
    const auto where = fmt::format("{}:{}", error.where.file_name(), error.where.line());
    write_line(level, event, fields,
               {{"error_kind", core::to_string(error.kind)},
                {"error_code", error.code},
                {"error_message", error.message},
                {"error_hint", error.hint},
                {"error_where", where}});
}

Scope::Scope(std::string_view event_id, std::string_view correlation_id, std::string_view trace_id)
    : event_id_(event_id), correlation_id_(correlation_id), trace_id_(trace_id), outer_(current_scope) {
    current_scope = this;
}

Scope::~Scope() {
    current_scope = outer_;
}

Capture::Capture(std::function<void(std::string_view)> sink) {
    auto& out = output();
    const std::lock_guard lock(out.mutex);
    SYNCLINE_ASSERT(!out.capture);
    out.capture = std::move(sink);
}

Capture::~Capture() {
    auto& out = output();
    const std::lock_guard lock(out.mutex);
    out.capture = nullptr;
}

}  // namespace syncline::telemetry::log
