#include "src/store/rows.h"

#include <syncline/core/hash.h>
#include <syncline/core/utf8.h>
#include <array>

namespace syncline::kit::store {
namespace {

void put_size(std::string& out, std::size_t size) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((size >> shift) & 0xFFU));
    }
}

std::string_view take_sized(std::string_view& bytes) {
    if (bytes.size() < 4) {
        bytes = {};
        return {};
    }
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i) {
        size = size << 8U | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    }
    bytes.remove_prefix(4);
    const auto part = bytes.substr(0, size);
    bytes.remove_prefix(part.size());
    return part;
}

constexpr std::array<std::string_view, 5> kInboxStates{"done", "skipped", "parked", "held", "dead"};
constexpr std::array<std::string_view, 4> kModes{"normal", "timer", "verify", "redrive"};

}  // namespace

std::int32_t group_number(std::string_view group) {
    const auto digest = core::sha256(group);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = number << 8U | digest.at(i);
    }
    return static_cast<std::int32_t>(number);
}

std::string_view to_string(InboxState state) noexcept {
    return kInboxStates[static_cast<std::size_t>(state)];
}
std::string_view to_string(Mode mode) noexcept {
    return kModes[static_cast<std::size_t>(mode)];
}

Mode mode_from(std::string_view text) noexcept {
    for (std::size_t i = 0; i < kModes.size(); ++i) {
        if (kModes[i] == text) {
            return static_cast<Mode>(i);
        }
    }
    return Mode::normal;
}

std::string pack_headers(const RecordHeaders& headers) {
    std::string out;
    for (const auto& [name, value] : headers) {
        put_size(out, name.size());
        out += name;
        put_size(out, value.size());
        out += value;
    }
    return out;
}

RecordHeaders unpack_headers(std::string_view bytes) {
    RecordHeaders headers;
    while (!bytes.empty()) {
        const auto name = take_sized(bytes);
        const auto value = take_sized(bytes);
        headers.emplace_back(name, value);
    }
    return headers;
}

std::string storable(std::string_view text) {
    if (text.find('\0') == std::string_view::npos && core::valid_utf8(text)) {
        return std::string(text);
    }
    return "hex:" + core::hex_encode(text);
}

}  // namespace syncline::kit::store
