// Items of shop eu at location 1 that are all shown as 10, and what may happen to them.
#pragma once

#include <string>
#include <vector>

#include "tests/rig.h"

namespace inventory_sync::testing {

struct ShownRig : Rig {
    int second = 0;
    std::vector<std::string> skus;
    Place north{"wms", "N"};

    explicit ShownRig(int items, Basis basis = Basis::net_of_own) {
        rules->sources["wms"].basis = basis;
        rules->shops["eu"].locations = {{.location = 1, .from = {north}}};
        for (int i = 0; i < items; ++i) {
            skus.push_back("SKU-" + std::to_string(1000 + i));
            shops.items[{"eu", skus.back()}] = {{.item = 1000 + i, .sku = skus.back(), .tracked = true}};
            shops.levels[{"eu", {.item = 1000 + i, .location = 1}}] = {.available = 10, .on_hand = 10};
        }
        for (const auto& sku : skus) {
            report(sku, 10);
        }
        settle({"eu"});
    }
    void report(const std::string& sku, std::int64_t quantity) {
        ++second;
        stock({level_of(north, sku, quantity, clock.now() + std::chrono::seconds(second), rules->sources["wms"].basis)});
    }
    FakeLevel& level(int item) { return shops.levels.at({"eu", {.item = item, .location = 1}}); }
    std::string column(const std::string& name, int item) {
        return database.value("SELECT " + name + "::text FROM pairs WHERE item_id = " + std::to_string(item));
    }
    [[nodiscard]] OrderSnapshot order(std::int64_t id, const std::string& sku, std::int64_t open, std::int64_t ordered,
                                      int updated = 1) const {
        return {.key = {.shop = "eu", .order = id},
                .version = {.updated_ns = updated},
                .placed = clock.now(),
                .lines = {{.line = id * 10, .sku = sku, .open = open, .ordered = ordered}},
                .fulfillments = {}};
    }
};

}  // namespace inventory_sync::testing
