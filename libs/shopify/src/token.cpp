#include "syncline/shopify/token.h"

#include <syncline/telemetry/log.h>
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "src/form.h"
#include "src/token_grant.h"

namespace syncline::shopify {
namespace {

using core::ErrorKind;
using namespace std::chrono_literals;

constexpr auto kRenewEarly = 10min;     // Before the end, at most a fifth of the lifetime.
constexpr auto kAfterFailure = 5s;      // Between two failed attempts to get a token.
constexpr auto kRefusalBelieved = 10s;  // A token younger than this that is refused is not the token's fault.

std::chrono::nanoseconds renew_early(std::chrono::nanoseconds lifetime) {
    return std::min<std::chrono::nanoseconds>(kRenewEarly, lifetime / 5);
}

class FixedToken final : public AccessToken {
public:
    explicit FixedToken(kit::SecretFile file) : file_(std::move(file)) {}

    core::Result<std::string> current(const core::Deadline&) override {
        auto token = file_.current();
        if (token.empty()) {
            return core::fail(ErrorKind::unauthorized, "token_missing", "there is no access token in " + file_.path(),
                              "mount the token of the app at this path");
        }
        return token;
    }

    bool refused(const std::string& token) override {
        file_.refresh();
        const auto now = file_.current();
        return !now.empty() && now != token;
    }

private:
    kit::SecretFile file_;
};

// Tokens that end: who finds the token near its end renews it, the others wait only if it is over.
class RenewedToken : public AccessToken {
public:
    RenewedToken(core::Clock& clock, std::function<void(std::string_view)> on_renewal)
        : clock_(clock), on_renewal_(std::move(on_renewal)) {}

    core::Result<std::string> current(const core::Deadline& deadline) final {
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto now = clock_.steady();
            const bool usable = !held_.token.empty() && now < held_.expires_at;
            if (usable && now < held_.renew_at) {
                return held_.token;
            }
            const bool may_ask = !renewing_ && now >= ask_again_at_;
            if (!may_ask) {
                if (usable) {
                    return held_.token;
                }
                if (!renewing_) {
                    return std::unexpected(failure_);
                }
                if (deadline.passed()) {
                    return core::fail(ErrorKind::transient, "token_awaited", "no access token before the deadline");
                }
                clock_.wait_until(lock, changed_, deadline.at(), [&] { return !renewing_; });
                continue;
            }
            renewing_ = true;
            const auto refused = refused_;
            lock.unlock();
            auto renewed = renew(refused, deadline);
            if (on_renewal_) {
                on_renewal_(renewed ? std::string_view("ok") : std::string_view(renewed.error().code));
            }
            lock.lock();
            renewing_ = false;
            changed_.notify_all();
            if (renewed) {
                held_ = std::move(*renewed);
                refused_.clear();
                ask_again_at_ = {};
                return held_.token;
            }
            telemetry::log::warn("shopify_token_not_renewed", {{"code", renewed.error().code}, {"still_valid", usable}});
            ask_again_at_ = clock_.steady() + kAfterFailure;
            failure_ = std::move(renewed.error());
        }
    }

    bool refused(const std::string& token) final {
        const std::lock_guard lock(mutex_);
        if (token != held_.token) {
            return true;  // Renewed meanwhile.
        }
        if (clock_.steady() < held_.obtained_at + kRefusalBelieved) {
            return false;
        }
        refused_ = token;
        held_.expires_at = {};
        held_.token.clear();
        return true;
    }

protected:
    struct Held {
        std::string token;
        core::SteadyTime obtained_at{};
        core::SteadyTime renew_at{};
        core::SteadyTime expires_at{};
    };
    // One at a time. `refused`: what the API did not take, or empty.
    virtual core::Result<Held> renew(const std::string& refused, const core::Deadline& deadline) = 0;

    core::Clock& clock_;

private:
    const std::function<void(std::string_view)> on_renewal_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Held held_;
    std::string refused_;
    bool renewing_ = false;
    core::SteadyTime ask_again_at_{};
    core::Error failure_;
};

class ClientCredentials final : public RenewedToken {
public:
    ClientCredentials(const kit::ShopAdmin& settings, http::Client& http, core::Clock& clock,
                      std::function<void(std::string_view)> on_renewal)
        : RenewedToken(clock, std::move(on_renewal)), http_(http), settings_(settings) {}

protected:
    core::Result<Held> renew(const std::string&, const core::Deadline& deadline) override {
        const auto secret = settings_.client_secret.current();
        if (secret.empty()) {
            return core::fail(ErrorKind::unauthorized, "client_secret_missing",
                              "there is no client secret in " + settings_.client_secret.path());
        }
        // The lifetime counts from Shopify's answer; from before the request is on the safe side.
        const auto asked = clock_.steady();
        auto granted = ask_for_token(
            http_, settings_.url,
            form_body({{"grant_type", "client_credentials"}, {"client_id", settings_.client_id}, {"client_secret", secret}}),
            deadline);
        if (!granted) {
            return std::unexpected(std::move(granted.error()));
        }
        const std::chrono::nanoseconds lifetime = granted->lifetime;
        return Held{.token = std::move(granted->access_token),
                    .obtained_at = asked,
                    .renew_at = asked + lifetime - renew_early(lifetime),
                    .expires_at = asked + lifetime};
    }

private:
    http::Client& http_;
    const kit::ShopAdmin settings_;
};

class ExpiringToken final : public RenewedToken {
public:
    ExpiringToken(const kit::ShopAdmin& settings, std::unique_ptr<TokenStore> store, http::Client& http, core::Clock& clock,
                  std::function<void(std::string_view)> on_renewal)
        : RenewedToken(clock, std::move(on_renewal)), http_(http), settings_(settings), store_(std::move(store)) {}

protected:
    core::Result<Held> renew(const std::string& refused, const core::Deadline& deadline) override {
        // Another process may have renewed it: its token serves as well, and there may be only one renewer.
        auto stored = store_->read();
        if (!stored) {
            return std::unexpected(std::move(stored.error()));
        }
        if (!good(*stored, refused)) {
            stored = store_->update(deadline, [&](const StoredToken& now) -> core::Result<std::optional<StoredToken>> {
                if (good(now, refused)) {
                    return std::nullopt;
                }
                auto fresh = refresh(now, deadline);
                if (!fresh) {
                    return std::unexpected(std::move(fresh.error()));
                }
                return std::optional(std::move(*fresh));
            });
            if (!stored) {
                return std::unexpected(std::move(stored.error()));
            }
        }
        const auto now = clock_.steady();
        const std::chrono::nanoseconds left = stored->expires_at - clock_.now();
        return Held{.token = std::move(stored->access_token),
                    .obtained_at = now,
                    .renew_at = now + left - renew_early(std::chrono::hours{1}),
                    .expires_at = now + left};
    }

private:
    [[nodiscard]] bool good(const StoredToken& token, const std::string& refused) const {
        return !token.access_token.empty() && token.access_token != refused &&
               token.expires_at > clock_.now() + renew_early(std::chrono::hours{1});
    }

    core::Result<StoredToken> refresh(const StoredToken& now, const core::Deadline& deadline) {
        const auto secret = settings_.client_secret.current();
        if (now.refresh_token.empty() || secret.empty()) {
            return core::fail(ErrorKind::unauthorized, "refresh_token_missing", "there is nothing to renew the token with",
                              "install the app anew and write its tokens into the store");
        }
        const auto asked = clock_.now();
        auto granted = ask_for_token(http_, settings_.url,
                                     form_body({{"grant_type", "refresh_token"},
                                                {"refresh_token", now.refresh_token},
                                                {"client_id", settings_.client_id},
                                                {"client_secret", secret}}),
                                     deadline);
        if (!granted) {
            return std::unexpected(std::move(granted.error()));
        }
        if (granted->refresh_token.empty()) {
            return core::fail(ErrorKind::transient, "token_door_failed", "Shopify's answer holds no refresh token");
        }
        return StoredToken{.access_token = std::move(granted->access_token),
                           .refresh_token = std::move(granted->refresh_token),
                           .expires_at = asked + granted->lifetime,
                           .refresh_expires_at = asked + granted->refresh_lifetime};
    }

    http::Client& http_;
    const kit::ShopAdmin settings_;
    const std::unique_ptr<TokenStore> store_;
};

}  // namespace

std::unique_ptr<AccessToken> make_expiring_token(const kit::ShopAdmin& settings, std::unique_ptr<TokenStore> store,
                                                 http::Client& http, core::Clock& clock,
                                                 std::function<void(std::string_view)> on_renewal) {
    return std::make_unique<ExpiringToken>(settings, std::move(store), http, clock, std::move(on_renewal));
}

std::unique_ptr<AccessToken> make_access_token(const kit::ShopAdmin& settings, http::Client& http, core::Clock& clock,
                                               std::function<void(std::string_view)> on_renewal) {
    switch (settings.grant) {
        case kit::ShopAdmin::Grant::client_credentials:
            return std::make_unique<ClientCredentials>(settings, http, clock, std::move(on_renewal));
        case kit::ShopAdmin::Grant::expiring:
            return make_expiring_token(settings, make_file_token_store(settings.store, clock), http, clock,
                                       std::move(on_renewal));
        case kit::ShopAdmin::Grant::fixed:
            break;
    }
    return std::make_unique<FixedToken>(settings.token);
}

}  // namespace syncline::shopify
