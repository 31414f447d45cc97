#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "syncline/core/assert.h"
#include "syncline/core/hash.h"

namespace syncline::core {
namespace {

constexpr std::size_t kUuidBytes = 16;

std::string uuid_text(std::string bytes, unsigned version) {
    const auto set = [&](std::size_t at, unsigned keep, unsigned value) {
        bytes[at] = static_cast<char>((static_cast<unsigned char>(bytes[at]) & keep) | value);
    };
    set(6, 0x0FU, version << 4U);
    set(8, 0x3FU, 0x80U);
    std::string text = hex_encode(bytes);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
        text.insert(dash, 1, '-');
    }
    return text;
}

}  // namespace

std::string uuid_v5(std::string_view name_space, std::string_view name) {
    std::string digits(name_space);
    std::erase(digits, '-');
    auto data = hex_decode(digits);
    SYNCLINE_ASSERT(data && data->size() == kUuidBytes);
    data->append(name);
    static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    SYNCLINE_ASSERT(EVP_Digest(data->data(), data->size(), digest.data(), nullptr, sha1, nullptr) == 1);
    return uuid_text({digest.begin(), digest.begin() + kUuidBytes}, 5);
}

std::string uuid_v4() {
    return uuid_text(random_bytes(kUuidBytes), 4);
}

}  // namespace syncline::core
