// The shops of shops.yaml as requests see them.
#pragma once

#include <syncline/kit/shops.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/ports.h"

namespace ingress {

// Keeps one index for each snapshot of the file, so that a request costs two look-ups. Any thread.
class KitShopDirectory final : public ShopDirectory {
public:
    explicit KitShopDirectory(const syncline::kit::Shops& shops) : shops_(shops) {}

    [[nodiscard]] std::shared_ptr<const KnownShop> by_domain(std::string_view domain) const override;
    [[nodiscard]] std::shared_ptr<const KnownShop> by_alias(std::string_view alias) const override;
    [[nodiscard]] std::vector<std::string> secrets(const KnownShop& shop) const override;
    [[nodiscard]] bool refresh_secrets(const KnownShop& shop) const override;

private:
    struct Index;
    [[nodiscard]] std::shared_ptr<const Index> index() const;
    [[nodiscard]] const syncline::kit::ShopApp* app_of(const Index& index, const KnownShop& shop) const;

    const syncline::kit::Shops& shops_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const Index> index_;
};

}  // namespace ingress
