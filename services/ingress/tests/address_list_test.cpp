#include "adapters/address_list.h"

#include <catch2/catch_test_macros.hpp>

using namespace ingress;

namespace {
AddressList list(std::vector<std::string> networks) {
    return AddressList::parse(networks).value();
}
}  // namespace

TEST_CASE("address list: what is no network is an error", "[ingress][unit]") {
    for (const auto* text :
         {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "host.example", "10.0.0.0/", "10.0.0.0/8/8"}) {
        INFO(text);
        CHECK_FALSE(AddressList::parse({text}));
    }
}

TEST_CASE("address list: an address is in a network or it is not", "[ingress][unit]") {
    const auto networks = list({"192.0.2.0/25", "2001:db8::/33", "198.51.100.7"});
    for (const auto* in : {"192.0.2.0", "192.0.2.127", "::ffff:192.0.2.9", "2001:db8:7fff::1", "198.51.100.7"}) {
        INFO(in);
        CHECK(networks.contains(in));
    }
    for (const auto* out : {"192.0.2.128", "192.0.3.1", "2001:db8:8000::1", "198.51.100.8", "nonsense", ""}) {
        INFO(out);
        CHECK_FALSE(networks.contains(out));
    }
    CHECK(list({"0.0.0.0/0"}).contains("203.0.113.1"));
    CHECK_FALSE(list({"0.0.0.0/0"}).contains("2001:db8::1"));
    CHECK(AddressList().empty());
}

TEST_CASE("caller address: only what trusted proxies have added is believed", "[ingress][unit]") {
    const auto proxies = list({"10.0.0.0/8"});
    CHECK(caller_address("203.0.113.5", "198.51.100.1", proxies) == "203.0.113.5");
    CHECK(caller_address("10.1.1.1", "198.51.100.1", proxies) == "198.51.100.1");
    CHECK(caller_address("10.1.1.1", "198.51.100.1, 203.0.113.9", proxies) == "203.0.113.9");
    CHECK(caller_address("10.1.1.1", "198.51.100.1, 203.0.113.9 , 10.2.2.2", proxies) == "203.0.113.9");
    CHECK(caller_address("10.1.1.1", "", proxies) == "10.1.1.1");
    CHECK(caller_address("10.1.1.1", "10.3.3.3", proxies) == "10.3.3.3");
    CHECK(caller_address("10.1.1.1", "garbage", proxies) == "garbage");
    CHECK(caller_address("10.1.1.1", "198.51.100.1", AddressList()) == "10.1.1.1");
}
