// simdjson's On-Demand reader into the tape: one walk over the document that looks at everything (docs/adr/0007).
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "syncline/core/utf8.h"
#include "tape.h"

namespace syncline::json {
namespace {

namespace ondemand = simdjson::ondemand;
using core::ErrorKind;

enum class Flaw : std::uint8_t { none, empty, malformed, too_deep, half_surrogate, trailing_text };

// Whether the first flaw of this text is an escape of a lower half ("\udc00") without its upper one. `at` is behind the quote.
bool lower_half_alone(const char* at) {
    enum class Half : std::uint8_t { none, upper, lower };
    const auto half_at = [](const char* escape) {
        if (escape[0] != '\\' || escape[1] != 'u' || (escape[2] != 'd' && escape[2] != 'D')) {
            return Half::none;
        }
        constexpr std::string_view kUpper = "89abAB";
        constexpr std::string_view kLower = "cdefCDEF";
        return kUpper.find(escape[3]) != std::string_view::npos   ? Half::upper
               : kLower.find(escape[3]) != std::string_view::npos ? Half::lower
                                                                  : Half::none;
    };
    constexpr std::ptrdiff_t kEscape = 6;  // "\udc00"
    const char* paired = nullptr;          // The lower half that belongs to an upper one.
    for (; *at != '"'; at += *at == '\\' ? 2 : 1) {
        const Half half = half_at(at);
        if (half == Half::lower && at != paired) {
            return true;
        }
        if (half == Half::upper) {
            paired = at + kEscape;  // Perhaps behind the quote, where there still are zeros.
            if (half_at(paired) != Half::lower) {
                return false;
            }
        }
    }
    return false;
}

// Reads `[` + text + `]`: so the end of the text is an end like any other, and a number or a text alone needs nothing of its own.
class Walk {
public:
    Walk(Tape& tape, ondemand::parser& parser, int depth_max)
        : tape_(tape), parser_(parser), depth_max_(depth_max), text_at_(tape.texts.get()) {}

    Flaw run(std::size_t size) {
        if (succeeded(parser_.iterate(tape_.body.data(), size, tape_.body.size()).get(document_))) {
            begun_ = true;
            whole(tape_.body.data() + size - 1);
        }
        return flaw_;
    }

    [[nodiscard]] std::string_view reason() const { return simdjson::error_message(error_); }
    // Where the reader stopped, without the bracket in front; nullopt if it had not begun.
    [[nodiscard]] std::optional<std::size_t> offset() {
        const char* at = nullptr;
        if (!begun_ || document_.current_location().get(at) != simdjson::SUCCESS || at <= tape_.body.data()) {
            return std::nullopt;
        }
        return static_cast<std::size_t>(at - tape_.body.data()) - 1;
    }

private:
    void whole(const char* end) {
        ondemand::array around;
        if (!succeeded(document_.get_array().get(around))) {
            return;
        }
        for (auto element : around) {
            ondemand::value root;
            if (succeeded(std::move(element).get(root)) && value(root, 0)) {
                end_at(end);
            }
            return;
        }
        // Else the bracket that ended it is one of the text.
        flaw_ = at_end() ? Flaw::empty : Flaw::malformed;
    }

    [[nodiscard]] bool at_end() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }
    // Behind the value comes the bracket at `end`, and nothing else.
    void end_at(const char* end) {
        const char* at = nullptr;
        if (document_.current_location().get(at) != simdjson::SUCCESS) {
            flaw_ = Flaw::malformed;  // An array of the text has no other end than that bracket.
        } else if (at != end) {
            flaw_ = Flaw::trailing_text;
        }
    }

    bool fail(Flaw flaw) {
        flaw_ = flaw;
        return false;
    }
    bool succeeded(simdjson::error_code error) {
        if (error == simdjson::SUCCESS) {
            return true;
        }
        if (error == simdjson::MEMALLOC) {
            throw std::bad_alloc();
        }
        error_ = error;
        return fail(Flaw::malformed);
    }

    std::uint32_t add(Kind kind, std::string_view text, std::size_t size) {
        const auto index = static_cast<std::uint32_t>(tape_.nodes.size());
        tape_.nodes.push_back(
            {.text = text.data(), .size = static_cast<std::uint32_t>(size), .kind = static_cast<std::uint32_t>(kind) & 7U});
        return index;
    }
    void close(std::uint32_t index, std::uint32_t children) {
        auto& node = tape_.nodes[index];
        node.size = children;
        node.end = static_cast<std::uint32_t>(tape_.nodes.size()) & 0x1FFF'FFFFU;
    }

    // `open` containers are around it. NOLINTNEXTLINE(misc-no-recursion): as deep as the limit.
    bool value(ondemand::value& value, int open) {
        ondemand::json_type type{};
        if (!succeeded(value.type().get(type))) {
            return false;
        }
        switch (type) {
            case ondemand::json_type::object:
                return open < depth_max_ ? object(value, open + 1) : fail(Flaw::too_deep);
            case ondemand::json_type::array:
                return open < depth_max_ ? array(value, open + 1) : fail(Flaw::too_deep);
            case ondemand::json_type::string: {
                ondemand::raw_json_string raw;
                return succeeded(value.get_raw_json_string().get(raw)) && text(raw);
            }
            case ondemand::json_type::number:
                return number(value);
            case ondemand::json_type::boolean: {
                bool is = false;
                if (!succeeded(value.get_bool().get(is))) {
                    return false;
                }
                add(Kind::boolean, {}, is ? 1 : 0);
                return true;
            }
            case ondemand::json_type::null: {
                // Later versions have a result here, this one the answer itself.
                bool is = false;
                if (!succeeded(simdjson::simdjson_result<bool>(value.is_null()).get(is)) || !is) {
                    return fail(Flaw::malformed);
                }
                add(Kind::null, {}, 0);
                return true;
            }
            default:  // Later versions tell what is no value at all.
                return fail(Flaw::malformed);
        }
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    bool array(ondemand::value& from, int open) {
        ondemand::array elements;
        if (!succeeded(from.get_array().get(elements))) {
            return false;
        }
        const auto index = add(Kind::array, {}, 0);
        std::uint32_t count = 0;
        for (auto element : elements) {
            ondemand::value child;
            if (!succeeded(std::move(element).get(child)) || !value(child, open)) {
                return false;
            }
            ++count;
        }
        close(index, count);
        return true;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    bool object(ondemand::value& from, int open) {
        ondemand::object members;
        if (!succeeded(from.get_object().get(members))) {
            return false;
        }
        const auto index = add(Kind::object, {}, 0);
        std::uint32_t count = 0;
        for (auto member : members) {
            ondemand::field field;
            if (!succeeded(std::move(member).get(field)) || !text(field.key()) || !value(field.value(), open)) {
                return false;
            }
            ++count;
        }
        close(index, count);
        return true;
    }

    bool text(ondemand::raw_json_string raw) {
        const char* const from = raw.raw();
        std::string_view decoded;
        if (!succeeded(parser_.unescape(raw, text_at_).get(decoded))) {
            return lower_half_alone(from) ? fail(Flaw::half_surrogate) : false;
        }
        add(Kind::string, decoded, decoded.size());
        return true;
    }

    // Kept as it was sent; the double only says that it is a number.
    bool number(ondemand::value& from) {
        constexpr std::string_view kSpace = " \n\r\t";
        std::string_view token = from.raw_json_token();
        double ignored = 0;
        if (!succeeded(from.get_double().get(ignored))) {
            return false;
        }
        token = token.substr(0, token.find_last_not_of(kSpace) + 1);
        add(Kind::number, token, token.size());
        return true;
    }

    Tape& tape_;
    ondemand::parser& parser_;
    const int depth_max_;
    std::uint8_t* text_at_;
    ondemand::document document_;
    bool begun_ = false;  // The document is one.
    Flaw flaw_ = Flaw::none;
    simdjson::error_code error_ = simdjson::TAPE_ERROR;
};

std::unexpected<core::Error> malformed(std::string code, std::string message) {
    return core::fail(ErrorKind::malformed, std::move(code), std::move(message));
}

std::string placed(std::string_view what, std::optional<std::size_t> offset) {
    return offset ? fmt::format("{} at byte {}", what, *offset) : std::string(what);
}

core::Result<void> walk(Tape& tape, ondemand::parser& parser, std::size_t size, int depth_max) {
    Walk walk(tape, parser, depth_max);
    switch (walk.run(size)) {
        case Flaw::none:
            return {};
        case Flaw::empty:
            return malformed("body_empty", "the text is empty");
        case Flaw::too_deep:
            return malformed("json_too_deep", fmt::format("more than {} arrays and objects within each other", depth_max));
        case Flaw::half_surrogate:
            return malformed("utf8_invalid", "a text has an escape that is half a surrogate pair");
        case Flaw::trailing_text:
            return malformed("json_trailing_text", placed("text behind the value", walk.offset()));
        case Flaw::malformed:
            break;
    }
    return malformed("json_malformed", fmt::format("{}: {}", placed("not JSON", walk.offset()), walk.reason()));
}

}  // namespace

core::Result<void> parse(Tape& tape, const Limits& limits) {
    if (tape.body.size() > std::min(limits.bytes_max, kBytesLimit)) {
        return malformed("body_too_large", fmt::format("the text has {} bytes, at most {} are read", tape.body.size(),
                                                       std::min(limits.bytes_max, kBytesLimit)));
    }
    if (!core::valid_utf8(tape.body)) {
        return malformed("utf8_invalid", "the text is not UTF-8");
    }
    constexpr std::size_t kBytesPerNode = 8;  // Of real orders; only saves growing.
    tape.nodes.reserve(tape.body.size() / kBytesPerNode + 1);
    // Zeros behind the text, so that running over its end is an error too.
    tape.body.reserve(tape.body.size() + 2 + simdjson::SIMDJSON_PADDING);
    tape.body.insert(0, 1, '[');
    tape.body.push_back(']');
    const auto size = tape.body.size();
    tape.body.append(simdjson::SIMDJSON_PADDING, '\0');
    tape.texts = std::make_unique_for_overwrite<std::uint8_t[]>(tape.body.size());

    // A parser keeps what it allocated for the longest text it had: per thread for the usual ones, for others only as long as
    // they are read.
    constexpr std::size_t kUsualBytes = 128 * std::size_t{1024};
    thread_local ondemand::parser usual;
    std::optional<ondemand::parser> large;
    auto& parser = size <= kUsualBytes ? usual : large.emplace();
    if (parser.capacity() == 0 && parser.allocate(std::max(size, kUsualBytes)) != simdjson::SUCCESS) {
        throw std::bad_alloc();
    }
    if (auto walked = walk(tape, parser, size, std::min(limits.depth_max, kDepthLimit)); !walked) {
        return walked;
    }
    if (limits.reject_duplicate_keys) {
        if (const auto key = tape.duplicate_key()) {
            return malformed("duplicate_key", fmt::format("{}: the key comes twice", tape.path(*key)));
        }
    }
    return {};
}

}  // namespace syncline::json
