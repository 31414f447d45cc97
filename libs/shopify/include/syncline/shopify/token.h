// Access tokens of the Admin API: fixed, granted to the app for a day, or expiring and renewed by a refresh token.
//
// Each object belongs to one shop, lives as long as its Admin and may be used from any thread. At most one thread renews; the
// others go on with the old token while it is valid and wait for the new one when it is not.
//
// Errors: kind unauthorized (no token, or Shopify refuses to grant one; a person has to act), transient and throttled (Shopify's
// door for tokens cannot be reached now). Tokens and secrets are never in a message.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/kit/shops.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace syncline::shopify {

class AccessToken {
public:
    virtual ~AccessToken() = default;
    // Blocks while one has to be asked for, at most to the deadline.
    [[nodiscard]] virtual core::Result<std::string> current(const core::Deadline& deadline) = 0;
    // The API refused this token (401). True if asking current() again may give another one.
    [[nodiscard]] virtual bool refused(const std::string& token) = 0;
};

// What an expiring token needs to outlive the process.
struct StoredToken {
    std::string access_token;
    std::string refresh_token;
    core::SystemTime expires_at{};
    core::SystemTime refresh_expires_at{};
    friend bool operator==(const StoredToken&, const StoredToken&) = default;
};

// Where expiring tokens live. All processes of a shop share one store: Shopify keeps one current token for an app and shop.
class TokenStore {
public:
    virtual ~TokenStore() = default;
    [[nodiscard]] virtual core::Result<StoredToken> read() = 0;
    // Runs `renew` with what is stored while no other process can, and keeps what it returns, durably, before anybody can use it;
    // nullopt leaves it as it is. Gives what is stored afterwards.
    using Renew = std::function<core::Result<std::optional<StoredToken>>(const StoredToken&)>;
    [[nodiscard]] virtual core::Result<StoredToken> update(const core::Deadline& deadline, const Renew& renew) = 0;
};

// A file of JSON beside a lock file, for processes that share a folder. Members: access_token, refresh_token, expires_at and
// refresh_token_expires_at (RFC 3339); whoever installs the app writes the first one. Replaced by rename, mode 600.
[[nodiscard]] std::unique_ptr<TokenStore> make_file_token_store(std::string path, core::Clock& clock);

// The way shops.yaml chose. `on_renewal` hears of each renewal with "ok" or the code of its error; may be empty.
[[nodiscard]] std::unique_ptr<AccessToken> make_access_token(const kit::ShopAdmin& settings, http::Client& http,
                                                             core::Clock& clock,
                                                             std::function<void(std::string_view)> on_renewal = {});
// Expiring, over another store than a file.
[[nodiscard]] std::unique_ptr<AccessToken> make_expiring_token(const kit::ShopAdmin& settings, std::unique_ptr<TokenStore> store,
                                                               http::Client& http, core::Clock& clock,
                                                               std::function<void(std::string_view)> on_renewal = {});

}  // namespace syncline::shopify
