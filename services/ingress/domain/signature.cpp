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

std::string_view code_of(Signature signature) noexcept {
    switch (signature) {
        case Signature::good:
            return {};
        case Signature::missing:
            return "signature_missing";
        case Signature::malformed:
            return "signature_malformed";
        case Signature::wrong:
            break;
    }
    return "signature_wrong";
}

bool is_one_of(std::string_view presented, std::span<const std::string> secrets) {
    // Digests are of one length: not even that of a secret shows in the time.
    const auto shown = syncline::core::sha256(presented);
    bool found = false;
    for (const auto& secret : secrets) {
        const auto digest = syncline::core::sha256(secret);
        const bool equal = syncline::core::constant_time_equal(syncline::core::bytes_of(shown), syncline::core::bytes_of(digest));
        found = (equal && !secret.empty()) || found;
    }
    return found;
}

std::string sign(std::string_view body, std::string_view secret) {
    const auto digest = syncline::core::hmac_sha256(secret, body);
    return syncline::core::base64_encode(syncline::core::bytes_of(digest));
}

}  // namespace ingress
