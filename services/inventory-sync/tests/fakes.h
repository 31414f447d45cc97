// A shop that behaves like Shopify where stock is concerned: compare-and-set, all or nothing, keys that are remembered.
#pragma once

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <map>
#include <set>
#include <sstream>

#include "app/ports.h"

namespace inventory_sync::testing {

struct FakeLevel {
    std::int64_t available = 0;
    std::int64_t on_hand = 0;
    std::int64_t committed = 0;
};

enum class Trouble : std::uint8_t { none, lost_answer, refused_before, throttled, previous_failed };

class FakeShops final : public ShopStock {
public:
    using Key = std::pair<std::string, PairId>;
    std::map<Key, FakeLevel> levels;
    std::map<std::pair<std::string, std::string>, std::vector<FoundItem>> items;
    std::map<OrderKey, std::vector<PlacedLine>> order_places;
    std::set<PairId> bad;             // Refused, without Shopify saying which.
    std::deque<Trouble> troubles;     // Of the next writing calls.
    std::vector<std::string> bodies;  // Of every writing call.
    std::vector<std::size_t> sizes;   // Pairs of every writing call.
    std::size_t reads = 0;
    std::map<std::string, std::vector<ShopLocation>> shop_locations;
    std::size_t location_reads = 0;
    std::int64_t written = 0;
    std::function<void(const std::string& shop, PairId, QuantityName, std::int64_t quantity)> on_write;
    std::function<void()> before_write;

    core::Result<std::string> form(const std::string&, QuantityName name, const std::vector<Write>& writes) override {
        std::string body = core::uuid_v4() + (name == QuantityName::on_hand ? " h" : " a");
        for (const auto& write : writes) {
            body += " " + std::to_string(write.pair.item) + " " + std::to_string(write.pair.location) + " " +
                    std::to_string(write.quantity) + " " + std::to_string(write.change_from);
        }
        return body;
    }

    Sent send(const std::string& shop, const std::string& body, const core::Deadline&) override {
        bodies.push_back(body);
        std::istringstream text(body);
        std::string key;
        std::string name;
        text >> key >> name;
        std::vector<Write> writes;
        for (Write write; text >> write.pair.item >> write.pair.location >> write.quantity >> write.change_from;) {
            writes.push_back(write);
        }
        sizes.push_back(writes.size());
        auto trouble = Trouble::none;
        if (!troubles.empty()) {
            trouble = troubles.front();
            troubles.pop_front();
        }
        if (trouble == Trouble::throttled) {
            return {.fate = SendFate::not_done, .retry_after = std::chrono::milliseconds{50}, .code = "throttled"};
        }
        if (trouble == Trouble::previous_failed) {
            return {.fate = SendFate::form_anew, .code = "previous_attempt_failed"};
        }
        if (before_write) {
            std::exchange(before_write, nullptr)();
        }
        if (const auto known = by_key_.find(key); known != by_key_.end()) {
            return known->second;
        }
        Sent sent;
        for (std::size_t i = 0; i < writes.size(); ++i) {
            const auto& write = writes[i];
            const auto level = levels.find({shop, write.pair});
            if (level == levels.end() || bad.contains(write.pair)) {
                sent.fate = SendFate::refused;
                continue;
            }
            if ((name == "h" ? level->second.on_hand : level->second.available) != write.change_from) {
                sent.fate = SendFate::refused;
                sent.problems.push_back({.index = i, .kind = ProblemKind::stale, .code = "change_from_quantity_stale"});
            }
        }
        if (sent.fate == SendFate::applied) {
            for (const auto& write : writes) {
                auto& level = levels.at({shop, write.pair});
                if (name == "h") {
                    level.available += write.quantity - level.on_hand;
                    level.on_hand = write.quantity;
                } else {
                    level.on_hand += write.quantity - level.available;
                    level.available = write.quantity;
                }
                ++written;
                if (on_write) {
                    on_write(shop, write.pair, name == "h" ? QuantityName::on_hand : QuantityName::available, write.quantity);
                }
            }
        }
        by_key_[key] = sent;
        if (trouble == Trouble::lost_answer) {
            return {.fate = SendFate::again, .code = "unknown_outcome"};
        }
        return sent;
    }

    core::Result<std::vector<ShopLevel>> read(const std::string& shop, const std::vector<Look>& looks,
                                              const core::Deadline&) override {
        ++reads;
        std::vector<ShopLevel> found;
        for (const auto& look : looks) {
            const auto level = levels.find({shop, look.pair});
            if (level == levels.end()) {
                found.push_back({});
            } else {
                found.push_back({.stocked = true,
                                 .quantity = look.name == QuantityName::on_hand ? level->second.on_hand : level->second.available,
                                 .committed = look.counts_committed ? level->second.committed : 0});
            }
        }
        return found;
    }

    core::Result<std::vector<FoundItem>> find_items(const std::string& shop, const std::vector<std::string>& skus,
                                                    const core::Deadline&) override {
        std::vector<FoundItem> found;
        for (const auto& sku : skus) {
            const auto known = items.find({shop, sku});
            if (known != items.end()) {
                found.insert(found.end(), known->second.begin(), known->second.end());
            }
        }
        return found;
    }

    core::Result<std::vector<ShopLocation>> locations(const std::string& shop, const core::Deadline&) override {
        ++location_reads;
        const auto known = shop_locations.find(shop);
        return known == shop_locations.end() ? std::vector<ShopLocation>{} : known->second;
    }

    core::Result<std::optional<std::vector<PlacedLine>>> places(const std::string& shop, std::int64_t order,
                                                                const core::Deadline&) override {
        const auto known = order_places.find({.shop = shop, .order = order});
        return known == order_places.end() ? std::optional<std::vector<PlacedLine>>{} : std::optional(known->second);
    }

private:
    std::map<std::string, Sent> by_key_;
};

}  // namespace inventory_sync::testing
