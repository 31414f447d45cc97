#include <fmt/format.h>
#include <utility>
#include <vector>

#include "src/admin_parts.h"
#include "syncline/shopify/version.h"

namespace syncline::shopify {

struct Admins::Shared {
    struct Entry {
        std::string snapshot;  // Version of shops.yaml the settings were compared with.
        std::shared_ptr<Admin> admin;
        kit::ShopAdmin settings;
        std::string label;
        std::shared_ptr<PointsBudget> points;
        std::shared_ptr<CostBook> costs;
    };
    std::shared_ptr<AdminMeters> meters;
    std::mutex mutex;
    std::map<std::string, Entry, std::less<>> entries;
};

namespace {

// For the days that versions have left; read at each scrape, also after the Admins are gone.
struct VersionsInUse {
    std::mutex mutex;
    std::map<std::string, std::string> by_label;
};

bool same(const kit::ShopAdmin& a, const kit::ShopAdmin& b) {
    return a.url == b.url && a.api_version == b.api_version && a.grant == b.grant && a.token.path() == b.token.path() &&
           a.client_id == b.client_id && a.client_secret.path() == b.client_secret.path() && a.store == b.store;
}

}  // namespace

Admins::Admins(AdminOptions options, kit::Shops& shops) : options_(options), shops_(shops), shared_(std::make_shared<Shared>()) {
    shared_->meters = std::make_shared<AdminMeters>(options_.metrics);
    const auto versions = std::make_shared<VersionsInUse>();
    const auto note = [versions](const kit::ShopsSnapshot& snapshot) {
        const std::lock_guard lock(versions->mutex);
        versions->by_label.clear();
        for (const auto& [alias, shop] : snapshot.by_alias) {
            if (shop.admin && shop.enabled) {
                versions->by_label[std::string(snapshot.label_of(alias))] =
                    shop.admin->api_version.empty() ? std::string(kApiVersion) : shop.admin->api_version;
            }
        }
    };
    shops_.on_change(note);
    note(*shops_.current());
    options_.metrics.gauge("syncline_shopify_api_version_days_left",
                           "Days until Shopify's promise of support for the API version in use ends; negative afterwards.",
                           {"shop"}, [versions, &clock = options_.clock] {
                               std::vector<telemetry::Sample> samples;
                               const std::lock_guard lock(versions->mutex);
                               for (const auto& [label, version] : versions->by_label) {
                                   if (const auto days = days_left(version, clock.now())) {
                                       samples.push_back({.label_values = {label}, .value = *days});
                                   }
                               }
                               return samples;
                           });
}

Admins::~Admins() = default;

core::Result<std::shared_ptr<Admin>> Admins::of(std::string_view alias) {
    const auto snapshot = shops_.current();
    const auto* const shop = snapshot->find(alias);
    if (shop == nullptr || !shop->enabled) {
        return core::fail(core::ErrorKind::rejected, "shop_unknown", fmt::format("there is no shop {} in shops.yaml", alias));
    }
    if (!shop->admin) {
        return core::fail(core::ErrorKind::rejected, "admin_not_configured",
                          fmt::format("shop {} has no admin: section in shops.yaml", alias),
                          "add one with token_file, client_credentials or expiring");
    }
    const std::lock_guard lock(shared_->mutex);
    auto& entry = shared_->entries[shop->alias];
    const auto label = snapshot->label_of(alias);
    if (entry.admin && (entry.snapshot == snapshot->version || (same(entry.settings, *shop->admin) && entry.label == label))) {
        entry.snapshot = snapshot->version;
        return entry.admin;
    }
    if (!entry.points) {
        entry.points = std::make_shared<PointsBudget>(options_.clock, shop->admin->points_per_second);
        entry.costs = std::make_shared<CostBook>();
    }
    entry.snapshot = snapshot->version;
    entry.settings = *shop->admin;
    entry.label = std::string(label);
    auto parts = std::make_unique<Admin::Parts>(options_.http, options_.clock);
    parts->alias = shop->alias;
    parts->label = entry.label;
    parts->settings = entry.settings;
    parts->version = entry.settings.api_version.empty() ? std::string(kApiVersion) : entry.settings.api_version;
    parts->meters = shared_->meters;
    parts->points = entry.points;
    parts->costs = entry.costs;
    parts->token = make_access_token(entry.settings, options_.http, options_.clock,
                                     [meters = shared_->meters, shop_label = entry.label](std::string_view outcome) {
                                         meters->token_renewals.with({shop_label, outcome}).add();
                                     });
    entry.admin = std::make_shared<Admin>(std::move(parts));
    return entry.admin;
}

}  // namespace syncline::shopify
