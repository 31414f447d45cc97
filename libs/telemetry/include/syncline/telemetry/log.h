// Structured logs: one JSON object a line on stdout.
//
//   log::warn("consumer_paused", {{"topic", topic}, {"partition", 3}, {"reason", "circuit_open"}});
//   {"ts":"2026-11-20T08:15:30.123Z","level":"warn","service":"order-export","event":"consumer_paused","topic":"orders.v1",…}
//
// `event` is a stable snake_case word to grep for. Fields never carry personal data or secrets; ids, keys, codes and numbers do.
// Every text is escaped, so no value can begin a new line or forge a field; a field named like a fixed one gets a "_" behind it.
// While a log::Scope lives, lines of its thread carry its event_id, correlation_id and trace_id.
// Any thread; a line is written whole. Blocks only as long as stdout does.
#pragma once

#include <syncline/core/error.h>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace syncline::telemetry::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };

// "debug", "info", "warn", "error", "off"; anything else is an Error, code "log_level_unknown".
[[nodiscard]] core::Result<Level> parse_level(std::string_view text);

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, bool v) : key(k), value(v) {}
    Field(std::string_view k, double v) : key(k), value(v) {}
    template <std::signed_integral T>
    Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
};
// Lives only for the call: fields borrow their texts.
using Fields = std::initializer_list<Field>;

// Once, at the start of the process; before that lines carry service "unknown" at level info.
void start(std::string service, Level level);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view event, Fields fields = {});
inline void debug(std::string_view event, Fields fields = {}) {
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
    write(Level::info, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) {
    write(Level::warn, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
    write(Level::error, event, fields);
}
// With kind, code, message, hint and place of the error.
void failure(Level level, std::string_view event, const core::Error& error, Fields fields = {});

// What a thread is working on. Nests: the inner one wins until it ends. Copies its texts.
class Scope {
public:
    Scope(std::string_view event_id, std::string_view correlation_id, std::string_view trace_id);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

private:
    std::string event_id_;
    std::string correlation_id_;
    std::string trace_id_;
    const Scope* outer_;
    friend struct ScopeReader;
};

// Tests: lines go to `sink` instead of stdout while the object lives. One at a time.
class Capture {
public:
    explicit Capture(std::function<void(std::string_view line)> sink);
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture();
};

}  // namespace syncline::telemetry::log
