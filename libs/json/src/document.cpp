#include "syncline/json/document.h"

#include <fmt/format.h>

#include "syncline/core/parse.h"
#include "tape.h"

namespace syncline::json {
namespace {

std::string_view article(Kind kind) {
    switch (kind) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "a boolean";
        case Kind::number:
            return "a number";
        case Kind::string:
            return "a string";
        case Kind::array:
            return "an array";
        case Kind::object:
            return "an object";
    }
    return "nothing";
}

template <typename Int>
core::Result<Int> to_int(const Value& value, std::string_view text) {
    auto number = core::parse_int<Int>(text);
    if (number) {
        return number;
    }
    const bool range = number.error().code == "integer_out_of_range";
    return std::unexpected(value.malformed(range ? "number_out_of_range" : "number_malformed",
                                           range ? "the number does not fit" : "expected a whole number"));
}

template <typename T>
core::Result<T> member(const Value& object, std::string_view name, core::Result<T> (Value::*convert)() const) {
    const auto value = object.required(name);
    if (!value) {
        return std::unexpected(value.error());
    }
    return ((*value).*convert)();
}

}  // namespace

std::unexpected<core::Error> Value::wrong_type(std::string_view expected) const {
    return std::unexpected(malformed("wrong_type", fmt::format("expected {}, found {}", expected, article(kind()))));
}

std::optional<Value> Value::get(std::string_view name) const {
    if (!is_object()) {
        return std::nullopt;
    }
    const Node& object = tape_->at(index_);
    for (std::uint32_t key = index_ + 1; key < object.end; key = tape_->after(key + 1)) {
        if (tape_->at(key).view() == name) {
            return Value(tape_, key + 1);
        }
    }
    return std::nullopt;
}

std::optional<Value> Value::get_present(std::string_view name) const {
    auto value = get(name);
    return value && !value->is_null() ? value : std::nullopt;
}

core::Result<Value> Value::required(std::string_view name) const {
    if (!is_object()) {
        return wrong_type("an object");
    }
    if (const auto value = get_present(name)) {
        return *value;
    }
    return std::unexpected(malformed("member_missing", fmt::format("member \"{}\" is missing", name)));
}

core::Result<std::int64_t> Value::int64() const {
    if (!is_number()) {
        return wrong_type("a number");
    }
    return to_int<std::int64_t>(*this, tape_->at(index_).view());
}

core::Result<std::uint64_t> Value::uint64() const {
    if (!is_number()) {
        return wrong_type("a number");
    }
    return to_int<std::uint64_t>(*this, tape_->at(index_).view());
}

core::Result<core::Decimal> Value::decimal() const {
    if (!is_number() && !is_string()) {
        return wrong_type("a decimal number");
    }
    auto number = core::Decimal::parse(tape_->at(index_).view());
    if (number) {
        return number;
    }
    const bool range = number.error().code == "decimal_out_of_range";
    return std::unexpected(malformed(range ? "number_out_of_range" : "number_malformed",
                                     range ? "the number has too many digits" : "expected a decimal number"));
}

core::Result<std::string_view> Value::string_of(std::string_view name) const {
    return member(*this, name, &Value::string);
}
core::Result<bool> Value::boolean_of(std::string_view name) const {
    return member(*this, name, &Value::boolean);
}
core::Result<std::int64_t> Value::int64_of(std::string_view name) const {
    return member(*this, name, &Value::int64);
}
core::Result<std::uint64_t> Value::uint64_of(std::string_view name) const {
    return member(*this, name, &Value::uint64);
}
core::Result<core::Decimal> Value::decimal_of(std::string_view name) const {
    return member(*this, name, &Value::decimal);
}

std::string Value::path() const {
    return tape_->path(index_);
}

core::Error Value::malformed(std::string code, std::string_view what) const {
    return core::Error{
        .kind = core::ErrorKind::malformed, .code = std::move(code), .message = fmt::format("{}: {}", path(), what)};
}

core::Result<Document> Document::parse(std::string body, const Limits& limits) {
    // The texts point into the body, so it gets its final place before it is parsed.
    auto tape = std::make_unique<Tape>();
    tape->body = std::move(body);
    if (auto parsed = json::parse(*tape, limits); !parsed) {
        return std::unexpected(std::move(parsed).error());
    }
    return Document(std::move(tape));
}

Document::Document(std::unique_ptr<Tape> tape) : tape_(std::move(tape)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::root() const {
    return {tape_.get(), 0};
}

std::optional<std::string> Document::find_duplicate_key() const {
    const auto key = tape_->duplicate_key();
    return key ? std::optional(tape_->path(*key)) : std::nullopt;
}

}  // namespace syncline::json
