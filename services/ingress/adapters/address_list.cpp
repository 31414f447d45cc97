#include "adapters/address_list.h"

#include <arpa/inet.h>

#include <syncline/core/parse.h>
#include <algorithm>
#include <cstring>
#include <optional>

namespace ingress {

namespace core = syncline::core;

namespace {

constexpr int kBitsOfByte = 8;
constexpr int kV4InV6Bits = 96;

struct Parsed {
    std::array<std::uint8_t, 16> bytes{};
    bool v4 = false;
};

std::optional<Parsed> parse_address(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (text.empty() || text.size() >= buffer.size()) {
        return std::nullopt;
    }
    std::memcpy(buffer.data(), text.data(), text.size());
    Parsed parsed;
    in_addr v4{};
    if (inet_pton(AF_INET, buffer.data(), &v4) == 1) {
        parsed.v4 = true;
        parsed.bytes[10] = 0xFF;
        parsed.bytes[11] = 0xFF;
        std::memcpy(parsed.bytes.data() + 12, &v4, sizeof(v4));
        return parsed;
    }
    if (inet_pton(AF_INET6, buffer.data(), parsed.bytes.data()) == 1) {
        return parsed;
    }
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

core::Result<AddressList> AddressList::parse(const std::vector<std::string>& networks) {
    AddressList list;
    for (const auto& text : networks) {
        const std::string_view whole = text;
        const auto slash = whole.find('/');
        const auto address = parse_address(whole.substr(0, slash));
        if (!address) {
            return core::fail(core::ErrorKind::malformed, "bad_network", "\"" + text + "\" is no network in CIDR notation");
        }
        const int longest = address->v4 ? 32 : 128;
        int bits = longest;
        if (slash != std::string_view::npos) {
            const auto given = core::parse_int<int>(whole.substr(slash + 1));
            if (!given || *given < 0 || *given > longest) {
                return core::fail(core::ErrorKind::malformed, "bad_network", "\"" + text + "\" has no such prefix length");
            }
            bits = *given;
        }
        list.networks_.push_back({.address = address->bytes, .bits = bits + (address->v4 ? kV4InV6Bits : 0)});
    }
    return list;
}

bool AddressList::contains(std::string_view address) const {
    if (networks_.empty()) {
        return false;
    }
    const auto parsed = parse_address(address);
    if (!parsed) {
        return false;
    }
    return std::ranges::any_of(networks_, [&](const Network& network) {
        const auto whole = static_cast<std::size_t>(network.bits / kBitsOfByte);
        if (!std::equal(network.address.begin(), network.address.begin() + static_cast<std::ptrdiff_t>(whole),
                        parsed->bytes.begin())) {
            return false;
        }
        const int rest = network.bits % kBitsOfByte;
        return rest == 0 || ((network.address[whole] ^ parsed->bytes[whole]) >> (kBitsOfByte - rest)) == 0;
    });
}

std::string_view caller_address(std::string_view peer, std::string_view forwarded, const AddressList& trusted_proxies) {
    std::string_view address = peer;
    while (trusted_proxies.contains(address) && !forwarded.empty()) {
        const auto comma = forwarded.rfind(',');
        address = trimmed(forwarded.substr(comma == std::string_view::npos ? 0 : comma + 1));
        forwarded = comma == std::string_view::npos ? std::string_view{} : forwarded.substr(0, comma);
    }
    return address;
}

}  // namespace ingress
