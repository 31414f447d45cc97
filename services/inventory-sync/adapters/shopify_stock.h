// The stock of the shops through the Admin API (libs/shopify). Any thread; blocks to the deadline at most.
#pragma once

#include <syncline/shopify/admin.h>

#include "app/ports.h"

namespace inventory_sync {

class ShopifyStock final : public ShopStock {
public:
    explicit ShopifyStock(syncline::shopify::Admins& admins) : admins_(admins) {}

    core::Result<std::string> form(const std::string& shop, QuantityName name, const std::vector<Write>& writes) override;
    Sent send(const std::string& shop, const std::string& body, const core::Deadline& deadline) override;
    core::Result<std::vector<ShopLevel>> read(const std::string& shop, const std::vector<Look>& looks,
                                              const core::Deadline& deadline) override;
    core::Result<std::vector<FoundItem>> find_items(const std::string& shop, const std::vector<std::string>& skus,
                                                    const core::Deadline& deadline) override;
    core::Result<std::vector<ShopLocation>> locations(const std::string& shop, const core::Deadline& deadline) override;
    core::Result<std::optional<std::vector<PlacedLine>>> places(const std::string& shop, std::int64_t order,
                                                                const core::Deadline& deadline) override;

private:
    syncline::shopify::Admins& admins_;
};

}  // namespace inventory_sync
