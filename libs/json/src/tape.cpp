#include "syncline/json/detail/tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace syncline::json {
namespace {

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
