#include "domain/signature.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace ingress;

namespace {
const std::string kBody = R"({"id":820982911946154508,"total_price":"404.95"})";
const std::vector<std::string> kSecrets{"hush"};
}  // namespace

TEST_CASE("signature: what is no signature is told from what is a wrong one", "[ingress][unit]") {
    CHECK(check_signature("", kBody, kSecrets) == Signature::missing);
    CHECK(check_signature("YWJj", kBody, kSecrets) == Signature::malformed);
    CHECK(check_signature(std::string(44, '!'), kBody, kSecrets) == Signature::malformed);
    CHECK(check_signature(std::string(64, 'a'), kBody, kSecrets) == Signature::malformed);
    CHECK(check_signature(std::string(44, 'A'), kBody, kSecrets) == Signature::malformed);
    CHECK(check_signature(std::string(43, 'A') + "=", kBody, kSecrets) == Signature::wrong);
}

TEST_CASE("signature: one bit of body, secret or signature decides", "[ingress][unit]") {
    const auto good = sign(kBody, "hush");
    REQUIRE(check_signature(good, kBody, kSecrets) == Signature::good);
    auto body = kBody;
    body[10] = static_cast<char>(body[10] ^ 1);
    CHECK(check_signature(good, body, kSecrets) == Signature::wrong);
    CHECK(check_signature(good, kBody + " ", kSecrets) == Signature::wrong);
    CHECK(check_signature(good, kBody, std::vector<std::string>{"husi"}) == Signature::wrong);
    auto altered = good;
    altered[3] = altered[3] == 'A' ? 'B' : 'A';
    CHECK(check_signature(altered, kBody, kSecrets) == Signature::wrong);
    CHECK(check_signature(good.substr(0, 40), kBody, kSecrets) == Signature::malformed);
}

TEST_CASE("signature: it is the one Shopify's documentation describes", "[ingress][unit]") {
    // echo -n '{"id":1}' | openssl dgst -sha256 -hmac hush -binary | base64
    CHECK(sign(R"({"id":1})", "hush") == "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=");
}

TEST_CASE("signature: while a secret is rotated either one is good", "[ingress][unit]") {
    const std::vector<std::string> both{"old", "new"};
    CHECK(check_signature(sign(kBody, "old"), kBody, both) == Signature::good);
    CHECK(check_signature(sign(kBody, "new"), kBody, both) == Signature::good);
    CHECK(check_signature(sign(kBody, "older"), kBody, both) == Signature::wrong);
}

TEST_CASE("signature: a secret that could not be read signs nothing", "[ingress][unit]") {
    CHECK(check_signature(sign(kBody, ""), kBody, std::vector<std::string>{""}) == Signature::wrong);
    CHECK(check_signature(sign(kBody, ""), kBody, {}) == Signature::wrong);
}
