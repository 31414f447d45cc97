#include "adapters/kit_shop_directory.h"

#include <map>

namespace ingress {

namespace kit = syncline::kit;

struct KitShopDirectory::Index {
    std::shared_ptr<const kit::ShopsSnapshot> snapshot;
    std::map<std::string, std::shared_ptr<const KnownShop>, std::less<>> by_alias;
};

std::shared_ptr<const KitShopDirectory::Index> KitShopDirectory::index() const {
    const auto snapshot = shops_.current();
    {
        const std::lock_guard lock(mutex_);
        if (index_ && index_->snapshot == snapshot) {
            return index_;
        }
    }
    auto index = std::make_shared<Index>();
    index->snapshot = snapshot;
    for (const auto& [alias, shop] : snapshot->by_alias) {
        if (!shop.enabled) {
            continue;
        }
        auto known = std::make_shared<KnownShop>();
        known->alias = alias;
        known->domain = shop.domain;
        known->currency = shop.currency;
        known->label = snapshot->label_of(alias);
        known->keep = snapshot;
        for (const auto& [other_alias, other] : snapshot->by_alias) {
            if (other_alias != alias) {
                known->other_domains.emplace_back(other.domain);
            }
        }
        index->by_alias.emplace(alias, std::move(known));
    }
    const std::lock_guard lock(mutex_);
    index_ = index;
    return index;
}

std::shared_ptr<const KnownShop> KitShopDirectory::by_alias(std::string_view alias) const {
    const auto all = index();
    const auto found = all->by_alias.find(alias);
    return found == all->by_alias.end() ? nullptr : found->second;
}

std::shared_ptr<const KnownShop> KitShopDirectory::by_domain(std::string_view domain) const {
    const auto all = index();
    const auto* shop = all->snapshot->find_by_domain(domain);
    if (shop == nullptr) {
        return nullptr;
    }
    const auto found = all->by_alias.find(shop->alias);
    return found == all->by_alias.end() ? nullptr : found->second;
}

const kit::ShopApp* KitShopDirectory::app_of(const Index& index, const KnownShop& shop) const {
    const auto* entry = index.snapshot->find(shop.alias);
    return entry == nullptr ? nullptr : index.snapshot->app_of(*entry);
}

std::vector<std::string> KitShopDirectory::secrets(const KnownShop& shop) const {
    std::vector<std::string> secrets;
    const auto all = index();
    if (const auto* app = app_of(*all, shop)) {
        secrets.reserve(app->secrets.size());
        for (const auto& file : app->secrets) {
            secrets.push_back(file.current());
        }
    }
    return secrets;
}

bool KitShopDirectory::refresh_secrets(const KnownShop& shop) const {
    bool changed = false;
    const auto all = index();
    if (const auto* app = app_of(*all, shop)) {
        for (const auto& file : app->secrets) {
            changed = file.refresh() || changed;
        }
    }
    return changed;
}

}  // namespace ingress
