// Digests, signatures, identifiers and their text forms, over OpenSSL. Any thread; nothing blocks but random_bytes at boot.
//
// A failure of OpenSSL itself (out of memory, a broken provider) is a bug: it asserts.
#pragma once

#include <syncline/core/error.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::core {

using Digest = std::array<std::uint8_t, 32>;

// The bytes of a digest as text, for the encoders below and for constant_time_equal.
[[nodiscard]] inline std::string_view bytes_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

[[nodiscard]] Digest sha256(std::string_view data);
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view message);

// SHA-256 of data that comes in pieces. Movable; one thread at a time; finish() once.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();
    void update(std::string_view data);
    [[nodiscard]] Digest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Takes the same time wherever the texts differ; texts of different length are unequal at once.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

// RFC 4648 with padding.
[[nodiscard]] std::string base64_encode(std::string_view data);
// Strict: the standard alphabet, full padding, no white space, unused bits zero. Kind malformed, code "base64_malformed".
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

[[nodiscard]] std::string hex_encode(std::string_view data);
// Either case; kind malformed, code "hex_malformed".
[[nodiscard]] Result<std::string> hex_decode(std::string_view text);

// Cryptographically strong.
[[nodiscard]] std::string random_bytes(std::size_t count);

// Lower-case text form. `name_space` must be a UUID in text form (asserted: it is a constant of ours).
[[nodiscard]] std::string uuid_v5(std::string_view name_space, std::string_view name);
[[nodiscard]] std::string uuid_v4();

// The name space of every UUIDv5 that Syncline makes. A contract: changing it changes every ce_id.
inline constexpr std::string_view kSynclineNamespace = "7b0d5f0e-6f0c-5c57-9a3f-3d1f5c8a9e21";

}  // namespace syncline::core
