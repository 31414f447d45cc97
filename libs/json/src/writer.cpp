#include "syncline/json/writer.h"

#include "rapidjson.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "syncline/core/assert.h"
#include "syncline/core/utf8.h"
#include "tape.h"

namespace syncline::json {
namespace {

unsigned length_of(std::string_view text) {
    SYNCLINE_ASSERT(text.size() <= kBytesLimit);
    return static_cast<unsigned>(text.size());
}

bool digit(char c) {
    return c >= '0' && c <= '9';
}

// The number grammar of RFC 8259.
bool valid_number(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const auto from = at;
        while (at < text.size() && digit(text[at])) {
            ++at;
        }
        return at > from;
    };
    const auto take = [&](std::string_view one_of) {
        const bool taken = at < text.size() && one_of.find(text[at]) != std::string_view::npos;
        at += taken ? 1 : 0;
        return taken;
    };
    take("-");
    const bool zero = at < text.size() && text[at] == '0';
    if (!digits() || (zero && at > (text.front() == '-' ? 2U : 1U))) {
        return false;
    }
    if (take(".") && !digits()) {
        return false;
    }
    if (take("eE")) {
        take("+-");
        if (!digits()) {
            return false;
        }
    }
    return at == text.size();
}

}  // namespace

struct Writer::State {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
};

Writer::Writer() : state_(std::make_unique<State>()) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Writer& Writer::begin_object() {
    SYNCLINE_ASSERT(state_->writer.StartObject());
    return *this;
}
Writer& Writer::end_object() {
    SYNCLINE_ASSERT(state_->writer.EndObject());
    return *this;
}
Writer& Writer::begin_array() {
    SYNCLINE_ASSERT(state_->writer.StartArray());
    return *this;
}
Writer& Writer::end_array() {
    SYNCLINE_ASSERT(state_->writer.EndArray());
    return *this;
}
Writer& Writer::key(std::string_view name) {
    return string(name);
}

Writer& Writer::string(std::string_view text) {
    if (core::valid_utf8(text)) {
        // An empty view may have a null address, which RapidJSON refuses.
        SYNCLINE_ASSERT(state_->writer.String(text.empty() ? "" : text.data(), length_of(text)));
    } else {
        const auto clean = core::replace_invalid_utf8(text);
        SYNCLINE_ASSERT(state_->writer.String(clean.data(), length_of(clean)));
    }
    return *this;
}
Writer& Writer::integer(std::int64_t value) {
    SYNCLINE_ASSERT(state_->writer.Int64(value));
    return *this;
}
Writer& Writer::unsigned_integer(std::uint64_t value) {
    SYNCLINE_ASSERT(state_->writer.Uint64(value));
    return *this;
}
Writer& Writer::boolean(bool value) {
    SYNCLINE_ASSERT(state_->writer.Bool(value));
    return *this;
}
Writer& Writer::null() {
    SYNCLINE_ASSERT(state_->writer.Null());
    return *this;
}
Writer& Writer::decimal(const core::Decimal& value) {
    const auto text = value.to_string();
    SYNCLINE_ASSERT(state_->writer.RawValue(text.data(), text.size(), rapidjson::kNumberType));
    return *this;
}
Writer& Writer::number(std::string_view text) {
    SYNCLINE_ASSERT(valid_number(text));
    SYNCLINE_ASSERT(state_->writer.RawValue(text.data(), text.size(), rapidjson::kNumberType));
    return *this;
}
Writer& Writer::raw(std::string_view json) {
    SYNCLINE_ASSERT(!json.empty());
    SYNCLINE_ASSERT(state_->writer.RawValue(json.data(), json.size(), rapidjson::kObjectType));
    return *this;
}

// Recursion ends at the depth that the document's limit let in.
// NOLINTNEXTLINE(misc-no-recursion)
Writer& Writer::value(const Value& value) {
    switch (value.kind()) {
        case Kind::null:
            return null();
        case Kind::boolean:
            return boolean(*value.boolean());
        case Kind::number:
            return number(*value.number_text());
        case Kind::string:
            return string(*value.string());
        case Kind::array:
            begin_array();
            for (const Value element : value.elements()) {
                this->value(element);
            }
            return end_array();
        case Kind::object:
            begin_object();
            for (const Member member : value.members()) {
                key(member.name).value(member.value);
            }
            return end_object();
    }
    return *this;
}

std::string_view Writer::view() const {
    return {state_->buffer.GetString(), state_->buffer.GetSize()};
}

std::string Writer::take() && {
    SYNCLINE_ASSERT(state_->writer.IsComplete());
    return std::string(view());
}

}  // namespace syncline::json
