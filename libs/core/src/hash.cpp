#include "syncline/core/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>

#include "syncline/core/assert.h"

namespace syncline::core {
namespace {

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<&EVP_MAC_CTX_free>>;

// Fetching an algorithm costs a microsecond and a lock in OpenSSL 3, so it is done once for the process.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    SYNCLINE_ASSERT(algorithm != nullptr);
    return algorithm;
}

MacContext new_hmac_context() {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    SYNCLINE_ASSERT(algorithm != nullptr);
    MacContext context(EVP_MAC_CTX_new(algorithm));
    SYNCLINE_ASSERT(context != nullptr);
    std::string name = "SHA256";
    const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0), OSSL_PARAM_construct_end()};
    SYNCLINE_ASSERT(EVP_MAC_CTX_set_params(context.get(), params.data()) == 1);
    return context;
}

const unsigned char* bytes(std::string_view data) {
    return reinterpret_cast<const unsigned char*>(data.data());
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr auto kSextets = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}();

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

}  // namespace

struct Sha256::State {
    DigestContext context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    SYNCLINE_ASSERT(state_->context != nullptr);
    SYNCLINE_ASSERT(EVP_DigestInit_ex2(state_->context.get(), sha256_algorithm(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view data) {
    SYNCLINE_ASSERT(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

Digest Sha256::finish() {
    Digest digest;
    SYNCLINE_ASSERT(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
    return digest;
}

Digest sha256(std::string_view data) {
    Digest digest;
    SYNCLINE_ASSERT(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, sha256_algorithm(), nullptr) == 1);
    return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view message) {
    thread_local const MacContext context = new_hmac_context();
    // A null key means "keep the last one" to OpenSSL: an empty key still needs an address.
    static constexpr unsigned char kEmptyKey = 0;
    const unsigned char* const key_bytes = key.empty() ? &kEmptyKey : bytes(key);
    Digest digest;
    std::size_t length = 0;
    SYNCLINE_ASSERT(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1);
    SYNCLINE_ASSERT(EVP_MAC_update(context.get(), bytes(message), message.size()) == 1);
    SYNCLINE_ASSERT(EVP_MAC_final(context.get(), digest.data(), &length, digest.size()) == 1 && length == digest.size());
    return digest;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64_encode(std::string_view data) {
    std::string text;
    text.reserve((data.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < data.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, data.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8U | (j < count ? static_cast<unsigned char>(data[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text.push_back(j <= count ? kAlphabet[group >> (18U - 6U * j) & 63U] : '=');
        }
    }
    return text;
}

Result<std::string> base64_decode(std::string_view text) {
    const auto malformed = [] {
        return fail(ErrorKind::malformed, "base64_malformed", "not base64");
    };
    if (text.size() % 4 != 0) {
        return malformed();
    }
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    std::string data;
    data.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const std::size_t pads = i + 4 == text.size() ? padding : 0;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const int sextet = j < 4 - pads ? kSextets[static_cast<unsigned char>(text[i + j])] : 0;
            if (sextet < 0) {
                return malformed();
            }
            group = group << 6U | static_cast<std::uint32_t>(sextet);
        }
        for (std::size_t j = 0; j < 3; ++j) {
            const auto byte = static_cast<unsigned char>(group >> (16U - 8U * j) & 255U);
            if (j < 3 - pads) {
                data.push_back(static_cast<char>(byte));
            } else if (byte != 0) {
                return malformed();  // Two texts would decode to one value.
            }
        }
    }
    return data;
}

std::string hex_encode(std::string_view data) {
    std::string text;
    text.reserve(data.size() * 2);
    for (const char c : data) {
        const auto byte = static_cast<unsigned char>(c);
        text.push_back(kHexDigits[byte >> 4U]);
        text.push_back(kHexDigits[byte & 15U]);
    }
    return text;
}

Result<std::string> hex_decode(std::string_view text) {
    std::string data;
    data.reserve(text.size() / 2);
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return fail(ErrorKind::malformed, "hex_malformed", "not hexadecimal");
        }
        data.push_back(static_cast<char>(high * 16 + low));
    }
    if (text.size() % 2 != 0) {
        return fail(ErrorKind::malformed, "hex_malformed", "an odd number of hexadecimal digits");
    }
    return data;
}

std::string random_bytes(std::size_t count) {
    SYNCLINE_ASSERT(count <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    std::string data(count, '\0');
    SYNCLINE_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(data.data()), static_cast<int>(count)) == 1);
    return data;
}

}  // namespace syncline::core
