// Makes the order of a kind as it was placed: paid or not yet, before anything happened to it.
#pragma once

#include "src/order.h"

namespace loadgen {

struct OrderSeed {
    std::uint64_t seed = 1;
    std::uint64_t index = 0;      // Of the order in its shop: with it come its ids, which every shop has alike.
    std::uint64_t customers = 0;  // How many customers a shop has.
    SystemTime placed;
};

[[nodiscard]] Order build_order(const Shop& shop, Kind kind, const OrderSeed& seed);

// Ids by what they belong to; all but those of orders are above 2^53, where a double loses digits.
[[nodiscard]] std::uint64_t order_id_of(std::uint64_t index);
[[nodiscard]] std::uint64_t part_id_of(std::uint64_t index, std::uint64_t part);  // Lines, shipping, groups, duties.
[[nodiscard]] std::uint64_t transaction_id_of(std::uint64_t index, std::uint64_t part);
[[nodiscard]] std::uint64_t refund_id_of(std::uint64_t index, std::uint64_t part);

}  // namespace loadgen
