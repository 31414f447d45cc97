// Which network addresses may call, and whose word about the caller's address is believed.
#pragma once

#include <syncline/core/error.h>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingress {

// Networks in CIDR notation, IPv4 and IPv6; an IPv4 address and its IPv6-mapped form are the same. A plain value.
class AddressList {
public:
    AddressList() = default;
    // "192.0.2.0/24", "2001:db8::/32", "192.0.2.7". Error: kind malformed, code "bad_network".
    [[nodiscard]] static syncline::core::Result<AddressList> parse(const std::vector<std::string>& networks);
    // False for a text that is no address.
    [[nodiscard]] bool contains(std::string_view address) const;
    [[nodiscard]] bool empty() const { return networks_.empty(); }

private:
    struct Network {
        std::array<std::uint8_t, 16> address{};
        int bits = 0;
    };
    std::vector<Network> networks_;
};

// The address a request comes from: the peer's, or, if that is a trusted proxy, the last one in `forwarded`
// ("203.0.113.7, 10.0.0.4") that is no trusted proxy. What stands before it was written by the caller itself.
[[nodiscard]] std::string_view caller_address(std::string_view peer, std::string_view forwarded,
                                              const AddressList& trusted_proxies);

}  // namespace ingress
