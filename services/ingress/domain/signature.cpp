#include "domain/signature.h"

#include <syncline/core/hash.h>

namespace ingress {
namespace {
// 32 bytes in base64: 43 digits and one '='.
constexpr std::size_t kHeaderBytes = 44;
}  // namespace

Signature signature_form(std::string_view header) noexcept {
    if (header.empty()) {
        return Signature::missing;
    }
    return header.size() == kHeaderBytes ? Signature::good : Signature::malformed;
}

Signature check_signature(std::string_view header, std::string_view body, std::span<const std::string> secrets) {
    if (const auto form = signature_form(header); form != Signature::good) {
        return form;
    }
    const auto claimed = syncline::core::base64_decode(header);
    if (!claimed || claimed->size() != sizeof(syncline::core::Digest)) {
        return Signature::malformed;
    }
    for (const auto& secret : secrets) {
        if (secret.empty()) {
            continue;
        }
        const auto digest = syncline::core::hmac_sha256(secret, body);
        if (syncline::core::constant_time_equal(syncline::core::bytes_of(digest), *claimed)) {
            return Signature::good;
        }
    }
    return Signature::wrong;
}

std::string sign(std::string_view body, std::string_view secret) {
    const auto digest = syncline::core::hmac_sha256(secret, body);
    return syncline::core::base64_encode(syncline::core::bytes_of(digest));
}

}  // namespace ingress
