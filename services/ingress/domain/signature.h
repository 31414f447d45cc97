// Whether a body was signed with one of its sender's secrets, base64(HMAC-SHA256(secret, raw body)), or a secret itself shown.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ingress {

enum class Signature : unsigned char {
    good,
    missing,    // No header.
    malformed,  // Not 44 characters of base64 for 32 bytes: cannot be a signature.
    wrong,
};

// The form of the header alone; good means "may be one". Cheap: for the moment before a body is read.
[[nodiscard]] Signature signature_form(std::string_view header) noexcept;

// `body` is what came over the wire, byte for byte. Each secret is tried, and compared in constant time; an empty one never
// fits. Any thread.
[[nodiscard]] Signature check_signature(std::string_view header, std::string_view body, std::span<const std::string> secrets);

// Empty for good; else "signature_missing", "signature_malformed", "signature_wrong".
[[nodiscard]] std::string_view code_of(Signature signature) noexcept;

// Whether `presented` is one of the secrets. Takes the same time wherever and however they differ, and whichever of them fits;
// an empty one never does.
[[nodiscard]] bool is_one_of(std::string_view presented, std::span<const std::string> secrets);

// The header a sender makes; for tests and tools.
[[nodiscard]] std::string sign(std::string_view body, std::string_view secret);

}  // namespace ingress
