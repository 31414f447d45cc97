// The shops this installation serves: shops.yaml, re-read while running, so that a shop is added without a restart.
//
//   apps:
//     main: {secret_files: [/secrets/shopify-main, /secrets/shopify-main-next]}   # relative paths: from the folder of this file
//   shops:
//     eu: {domain: acme-eu.myshopify.com, app: main, currency: EUR, timezone: Europe/Berlin, enabled: true,
//          admin: {token_file: /secrets/eu-token}}
//
// admin: is how services call the shop's Admin API; without it they do not. Exactly one of
//   token_file: FILE                                              a token that does not expire
//   client_credentials: {client_id: ID, client_secret_file: FILE}   a token asked for every day
//   expiring: {client_id: ID, client_secret_file: FILE, store: FILE}   renewed by its refresh token; `store` holds both, writable
// and optionally url (default https://<domain>), api_version (default: the one this release is written for), points_per_second
// (assumed until Shopify's first answer tells).
//
// Owned by the Service, lives as long as it. current() from any thread, never blocks: take the snapshot once for each piece of
// work. A file is validated whole; a bad one keeps the last good snapshot, is logged and sets
// syncline_config_reload_failed{file}.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/secret_file.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::kit {

// Several secrets at once make a rotation refuse nothing valid: a signature is good if any of them made it.
struct ShopApp {
    std::string name;
    std::vector<SecretFile> secrets;
};

// How the Admin API of a shop is called.
struct ShopAdmin {
    enum class Grant : std::uint8_t { fixed, client_credentials, expiring };
    std::string url;          // Without a slash at the end.
    std::string api_version;  // "2026-10" or "unstable"; empty: the release's own.
    Grant grant = Grant::fixed;
    SecretFile token;           // fixed
    std::string client_id;      // client_credentials, expiring
    SecretFile client_secret;   // client_credentials, expiring
    std::string store;          // expiring: path of the file that holds the tokens.
    int points_per_second = 0;  // 0: unknown.
};

struct Shop {
    std::string alias;   // [a-z0-9-], fixed for ever: part of keys and external ids.
    std::string domain;  // Lower case; may change.
    std::string app;
    std::string currency;  // ISO 4217.
    std::string timezone;  // IANA name.
    bool enabled = true;   // false: its webhooks are refused as from an unknown shop.
    std::optional<ShopAdmin> admin;
};

struct ShopsSnapshot {
    std::map<std::string, ShopApp, std::less<>> apps;
    std::map<std::string, Shop, std::less<>> by_alias;
    std::map<std::string, std::string, std::less<>> alias_by_domain;
    std::string version;  // SHA-256 of the file, hex.
    core::SystemTime loaded_at;

    [[nodiscard]] const Shop* find(std::string_view alias) const;
    // Any case. nullptr for an unknown domain.
    [[nodiscard]] const Shop* find_by_domain(std::string_view domain) const;
    // The app of a shop; never nullptr for a shop of this snapshot.
    [[nodiscard]] const ShopApp* app_of(const Shop& shop) const;
    // The alias as a metric label: "other" for unknown ones and from the 101st shop on (by name).
    [[nodiscard]] std::string_view label_of(std::string_view alias) const;
};

class Shops {
public:
    static constexpr std::size_t kLabelsMax = 100;

    // Before the first load: a snapshot without shops, never nullptr.
    Shops();
    Shops(const Shops&) = delete;
    Shops& operator=(const Shops&) = delete;

    [[nodiscard]] std::shared_ptr<const ShopsSnapshot> current() const;
    // Replaces the snapshot if `yaml` is right as a whole; else an error (kind rejected, code bad_shops_file, the line in the
    // message). Called by the kit's file watch and by tests. `folder` is where relative secret files start.
    core::Result<void> load(std::string_view yaml, const std::string& folder, core::SystemTime now);
    // Called after each successful load on the loading thread; must not block.
    void on_change(std::function<void(const ShopsSnapshot&)> listener);

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const ShopsSnapshot> current_;
    std::vector<std::function<void(const ShopsSnapshot&)>> listeners_;
};

}  // namespace syncline::kit
