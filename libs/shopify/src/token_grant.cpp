#include "src/token_grant.h"

#include <fmt/format.h>
#include <syncline/json/document.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "src/form.h"

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr std::size_t kReplyBytesMax = 64U << 10U;
// A token that says no lifetime: ask again soon rather than trust it for ever.
constexpr std::int64_t kLifetimeDefault = 3600;
constexpr std::int64_t kLifetimeMax = 400LL * 86'400;

// The codes Shopify answers with, as a bounded label.
std::string refusal_code(std::string_view body) {
    static constexpr std::array<std::string_view, 8> kKnown{"invalid_request",        "invalid_client",
                                                            "invalid_grant",          "unauthorized_client",
                                                            "unsupported_grant_type", "application_cannot_be_found",
                                                            "shop_not_permitted",     "invalid_subject_token"};
    const auto document = json::Document::parse(std::string(body));
    const auto error = document ? document->root().string_of("error") : core::Result<std::string_view>(std::string_view());
    const auto* const known = error ? std::ranges::find(kKnown, *error) : kKnown.end();
    return known == kKnown.end() ? "token_not_granted" : std::string(*known);
}

std::chrono::seconds lifetime_of(const json::Value& root, std::string_view name) {
    const auto seconds = root.int64_of(name);
    return std::chrono::seconds{seconds ? std::clamp<std::int64_t>(*seconds, 1, kLifetimeMax) : kLifetimeDefault};
}

}  // namespace

std::string form_body(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    std::string body;
    const auto encode = [&](std::string_view text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
                body += c;
            } else {
                body += fmt::format("%{:02X}", byte);
            }
        }
    };
    for (const auto& [name, value] : members) {
        body += body.empty() ? "" : "&";
        encode(name);
        body += '=';
        encode(value);
    }
    return body;
}

core::Result<Granted> ask_for_token(http::Client& http, const std::string& url, std::string form,
                                    const core::Deadline& deadline) {
    auto response = http.send({.method = "POST",
                               .url = url + "/admin/oauth/access_token",
                               .headers = {{"accept", "application/json"}},
                               .body = std::move(form),
                               .content_type = "application/x-www-form-urlencoded",
                               .reply_bytes_max = kReplyBytesMax},
                              deadline);
    if (!response) {
        return core::fail(ErrorKind::transient, "token_door_unreachable", response.error().message);
    }
    const int status = response->status;
    if (status == 429) {
        return core::fail(ErrorKind::throttled, "token_door_busy", "Shopify grants no token now: too many requests");
    }
    if (status >= 500) {
        return core::fail(ErrorKind::transient, "token_door_failed", fmt::format("Shopify grants no token: HTTP {}", status));
    }
    if (status != 200) {
        return core::fail(ErrorKind::unauthorized, refusal_code(response->body),
                          fmt::format("Shopify grants no token: HTTP {}", status),
                          "check client id and secret of this shop, and that the app is installed there");
    }
    const auto document = json::Document::parse(std::move(response->body));
    const auto token = document ? document->root().string_of("access_token") : core::Result<std::string_view>(std::string_view());
    if (!document || !token || token->empty()) {
        return core::fail(ErrorKind::transient, "token_door_failed", "Shopify's answer holds no token");
    }
    const auto root = document->root();
    Granted granted{.access_token = std::string(*token), .lifetime = lifetime_of(root, "expires_in")};
    if (const auto refresh = root.string_of("refresh_token")) {
        granted.refresh_token = std::string(*refresh);
        granted.refresh_lifetime = lifetime_of(root, "refresh_token_expires_in");
    }
    return granted;
}

}  // namespace syncline::shopify
