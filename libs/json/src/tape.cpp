#include "tape.h"

#include "rapidjson.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>

#include "syncline/core/utf8.h"

namespace syncline::json {
namespace {

using core::ErrorKind;

// Why the handler stopped the reader.
enum class Stop : std::uint8_t { none, too_deep, utf8 };

// Writes nodes as RapidJSON reads them. Its names are RapidJSON's.
class TapeHandler {
public:
    TapeHandler(Tape& tape, const Limits& limits, bool check_texts)
        : nodes_(tape.nodes), depth_max_(limits.depth_max), check_texts_(check_texts) {}

    // NOLINTBEGIN(readability-identifier-naming)
    bool Null() { return add(Kind::null, nullptr, 0); }
    bool Bool(bool value) { return add(Kind::boolean, nullptr, value ? 1 : 0); }
    bool RawNumber(const char* text, unsigned size, bool /*copy*/) { return add(Kind::number, text, size); }
    bool String(const char* text, unsigned size, bool /*copy*/) { return add_text(text, size); }
    bool Key(const char* text, unsigned size, bool /*copy*/) { return add_text(text, size); }
    bool StartObject() { return open(Kind::object); }
    bool StartArray() { return open(Kind::array); }
    bool EndObject(unsigned members) { return close(members); }
    bool EndArray(unsigned elements) { return close(elements); }
    // Numbers come as text only; the reader's template still names these.
    bool Int(int /*value*/) { return false; }
    bool Uint(unsigned /*value*/) { return false; }
    bool Int64(std::int64_t /*value*/) { return false; }
    bool Uint64(std::uint64_t /*value*/) { return false; }
    bool Double(double /*value*/) { return false; }
    // NOLINTEND(readability-identifier-naming)

    [[nodiscard]] Stop stop() const { return stop_; }

private:
    bool add(Kind kind, const char* text, unsigned size) {
        auto& node = nodes_.emplace_back();
        node.text = text;
        node.size = size;
        node.kind = static_cast<std::uint32_t>(kind) & 7U;
        return true;
    }
    bool add_text(const char* text, unsigned size) {
        if (check_texts_ && !core::valid_utf8({text, size})) {
            stop_ = Stop::utf8;
            return false;
        }
        return add(Kind::string, text, size);
    }
    bool open(Kind kind) {
        if (static_cast<int>(open_.size()) >= depth_max_) {
            stop_ = Stop::too_deep;
            return false;
        }
        open_.push_back(static_cast<std::uint32_t>(nodes_.size()));
        return add(kind, nullptr, 0);
    }
    bool close(unsigned children) {
        auto& node = nodes_[open_.back()];
        open_.pop_back();
        node.size = children;
        node.end = static_cast<std::uint32_t>(nodes_.size()) & 0x1FFF'FFFFU;
        return true;
    }

    std::vector<Node>& nodes_;
    const int depth_max_;
    const bool check_texts_;
    std::vector<std::uint32_t> open_;
    Stop stop_ = Stop::none;
};

// A lone low surrogate ("\udc00") passes the reader and would decode to what is not UTF-8.
bool has_surrogate_escapes(std::string_view text) {
    for (auto at = text.find("\\u"); at != std::string_view::npos; at = text.find("\\u", at + 2)) {
        if (at + 2 < text.size() && (text[at + 2] == 'd' || text[at + 2] == 'D')) {
            return true;
        }
    }
    return false;
}

std::unexpected<core::Error> malformed(std::string code, std::string message) {
    return core::fail(ErrorKind::malformed, std::move(code), std::move(message));
}

// Keys of one object, open addressing for the usual few, sorting for hostile many: never quadratic.
class KeySet {
public:
    // The index among `keys` of the first that came before, or keys.size().
    std::size_t first_repeated(const std::vector<std::string_view>& keys) {
        if (keys.size() <= kFew) {
            return first_repeated_of_few(keys);
        }
        if (keys.size() > kSmall) {
            return first_repeated_sorted(keys);
        }
        std::array<std::uint8_t, kSlots> slots{};  // Index + 1.
        for (std::size_t i = 0; i < keys.size(); ++i) {
            std::size_t slot = hash(keys[i]) % kSlots;
            for (; slots[slot] != 0; slot = (slot + 1) % kSlots) {
                if (keys[slots[slot] - 1U] == keys[i]) {
                    return i;
                }
            }
            slots[slot] = static_cast<std::uint8_t>(i + 1);
        }
        return keys.size();
    }

private:
    static constexpr std::size_t kFew = 10;
    static constexpr std::size_t kSmall = 128;
    static constexpr std::size_t kSlots = 512;

    // Most objects of an order are amounts of two members: comparing their lengths settles nearly all of them.
    static std::size_t first_repeated_of_few(const std::vector<std::string_view>& keys) {
        for (std::size_t i = 1; i < keys.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (keys[i] == keys[j]) {
                    return i;
                }
            }
        }
        return keys.size();
    }

    static std::uint32_t hash(std::string_view key) {
        std::uint32_t value = 2166136261U;
        for (const char c : key) {
            value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
        }
        return value ^ (value >> 15U);
    }

    std::size_t first_repeated_sorted(const std::vector<std::string_view>& keys) {
        order_.resize(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            order_[i] = i;
        }
        std::ranges::sort(order_, [&](std::size_t a, std::size_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
        std::size_t first = keys.size();
        for (std::size_t i = 1; i < order_.size(); ++i) {
            if (keys[order_[i]] == keys[order_[i - 1]]) {
                first = std::min(first, order_[i]);
            }
        }
        return first;
    }

    std::vector<std::size_t> order_;
};

// Names from outside go into error texts only if they look like names.
std::string_view plain_name(std::string_view name) {
    constexpr std::size_t kNameBytesMax = 64;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, plain) ? name : std::string_view("?");
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
    TapeHandler handler(tape, limits, has_surrogate_escapes(tape.body));
    rapidjson::InsituStringStream stream(tape.body.data());
    rapidjson::Reader reader;
    // Parsing in place with a separate check of UTF-8 is twice as fast as the reader's own validation and gives the same.
    constexpr unsigned kFlags =
        rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    const auto result = reader.Parse<kFlags>(stream, handler);
    if (result.IsError()) {
        if (handler.stop() == Stop::too_deep) {
            return malformed("json_too_deep", fmt::format("more than {} arrays and objects within each other", limits.depth_max));
        }
        if (handler.stop() == Stop::utf8) {
            return malformed("utf8_invalid", "a text has an escape that is half a surrogate pair");
        }
        if (result.Code() == rapidjson::kParseErrorDocumentEmpty) {
            return malformed("body_empty", "the text is empty");
        }
        if (result.Code() == rapidjson::kParseErrorDocumentRootNotSingular) {
            return malformed("json_trailing_text", fmt::format("text behind the value at byte {}", result.Offset()));
        }
        return malformed("json_malformed",
                         fmt::format("not JSON at byte {}: {}", result.Offset(), rapidjson::GetParseError_En(result.Code())));
    }
    // The reader takes a NUL for the end.
    if (stream.Tell() != tape.body.size()) {
        return malformed("json_trailing_text", fmt::format("text behind the value at byte {}", stream.Tell()));
    }
    if (limits.reject_duplicate_keys) {
        if (const auto key = tape.duplicate_key()) {
            return malformed("duplicate_key", fmt::format("{}: the key comes twice", tape.path(*key)));
        }
    }
    return {};
}

std::optional<std::uint32_t> Tape::duplicate_key() const {
    KeySet set;
    std::vector<std::string_view> keys;
    std::vector<std::uint32_t> places;
    for (std::uint32_t index = 0; index < nodes.size(); ++index) {
        if (kind(index) != Kind::object || nodes[index].size < 2) {
            continue;
        }
        keys.clear();
        places.clear();
        for (std::uint32_t key = index + 1; key < nodes[index].end; key = after(key + 1)) {
            keys.push_back(nodes[key].view());
            places.push_back(key);
        }
        if (const auto repeated = set.first_repeated(keys); repeated != keys.size()) {
            return places[repeated];
        }
    }
    return std::nullopt;
}

std::string Tape::path(std::uint32_t index) const {
    std::string path;
    std::uint32_t at = 0;
    while (at != index && container(at) && index < nodes[at].end) {
        const bool object = kind(at) == Kind::object;
        std::uint32_t child = at + 1;
        for (std::size_t position = 0;; ++position) {
            const std::uint32_t value = object ? child + 1 : child;
            if (index < after(value)) {
                if (object) {
                    path += path.empty() ? "" : ".";
                    path += plain_name(nodes[child].view());
                } else {
                    path += fmt::format("[{}]", position);
                }
                if (index == child) {
                    return path;
                }
                at = value;
                break;
            }
            child = after(value);
        }
    }
    return path.empty() ? "$" : path;
}

}  // namespace syncline::json
