// JSON text, written front to back.
//
//   json::Writer out;
//   out.begin_object().key("id").integer(42).key("tags").begin_array().string("a").end_array().end_object();
//   send(std::move(out).take());
//
// Texts are escaped; bytes that are not UTF-8 become U+FFFD, so the result is always valid JSON on one line. Calls in an order
// that is not JSON (a value without its key, two roots) assert. Not thread-safe; movable.
#pragma once

#include <syncline/core/decimal.h>
#include <syncline/json/document.h>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::json {

class Writer {
public:
    Writer();
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) noexcept;
    ~Writer();

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);
    Writer& string(std::string_view text);
    Writer& integer(std::int64_t value);
    Writer& unsigned_integer(std::uint64_t value);
    Writer& boolean(bool value);
    Writer& null();
    // The exact digits, as a JSON number.
    Writer& decimal(const core::Decimal& value);
    // A JSON number in text form, as number_text() gives it; asserts if it is not one.
    Writer& number(std::string_view text);
    // A whole value copied from a document.
    Writer& value(const Value& value);
    // A whole value that is known to be JSON already (our own writer's result).
    Writer& raw(std::string_view json);

    // key + value.
    Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
    Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
    Writer& member(std::string_view name, const std::string& text) { return key(name).string(text); }
    Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
    Writer& member(std::string_view name, std::int64_t value) { return key(name).integer(value); }
    Writer& member(std::string_view name, int value) { return key(name).integer(value); }
    Writer& member(std::string_view name, std::uint64_t value) { return key(name).unsigned_integer(value); }
    Writer& member(std::string_view name, const core::Decimal& value) { return key(name).decimal(value); }

    // The text so far.
    [[nodiscard]] std::string_view view() const;
    // The finished text; the root must be complete (asserted).
    [[nodiscard]] std::string take() &&;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace syncline::json
