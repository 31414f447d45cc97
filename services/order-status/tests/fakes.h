// Shops that remember what was written to their orders, and can be away, refuse or forget.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "app/ports.h"

namespace order_status::testing {

class FakeShops final : public ShopOrders {
public:
    struct Order {
        std::map<std::string, std::string> fields;
        std::set<std::string> tags;
        std::map<std::string, std::vector<std::string>> written;  // Every write of each field, also of what stood there already.
        int updates = 0;  // orders/updated that Shopify would have sent: writes that changed something.
    };

    [[nodiscard]] bool serves(const core::ShopAlias& shop) const override { return shop.value() != "closed"; }

    [[nodiscard]] std::string label_of(const std::string& shop) const override { return shop; }
    [[nodiscard]] core::Result<void> set_fields(const OrderKey& key, std::span<const FieldChange> fields,
                                                const core::Deadline&) override {
        return write(key, [&](Order& order) -> core::Result<bool> {
            if (differing_type) {
                return core::fail(core::ErrorKind::needs_decision, "metafield_type_differs", "another type");
            }
            bool changed = false;
            for (const auto& field : fields) {
                auto& value = order.fields[field.key];
                changed = changed || value != field.value;
                value = field.value;
                order.written[field.key].push_back(field.value);
            }
            return changed;
        });
    }
    [[nodiscard]] core::Result<void> add_tags(const OrderKey& key, std::span<const std::string> tags,
                                              const core::Deadline&) override {
        return write(key, [&](Order& order) -> core::Result<bool> {
            const auto before = order.tags.size();
            order.tags.insert(tags.begin(), tags.end());
            return order.tags.size() != before;
        });
    }
    [[nodiscard]] core::Result<void> remove_tags(const OrderKey& key, std::span<const std::string> tags,
                                                 const core::Deadline&) override {
        return write(key, [&](Order& order) -> core::Result<bool> {
            bool changed = false;
            for (const auto& tag : tags) {
                changed = order.tags.erase(tag) > 0 || changed;
            }
            return changed;
        });
    }

    [[nodiscard]] Order order(const std::string& shop, std::uint64_t id) const {
        const std::lock_guard lock(mutex_);
        const auto found = orders_.find({core::ShopAlias(shop), core::OrderId(id)});
        return found == orders_.end() ? Order{} : found->second;
    }
    [[nodiscard]] int calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    void away(const std::string& shop, std::optional<core::ErrorKind> kind) {
        const std::lock_guard lock(mutex_);
        away_.erase(shop);
        if (kind) {
            away_.emplace(shop, *kind);
        }
    }
    void remove(const std::string& shop, std::uint64_t id) {
        const std::lock_guard lock(mutex_);
        gone_.insert({core::ShopAlias(shop), core::OrderId(id)});
    }
    std::atomic<bool> differing_type = false;
    std::atomic<int> lost_answers = 0;  // So many calls are carried out and told of to nobody.

private:
    core::Result<void> write(const OrderKey& key, const std::function<core::Result<bool>(Order&)>& change) {
        const std::lock_guard lock(mutex_);
        ++calls_;
        if (const auto found = away_.find(key.shop.value()); found != away_.end()) {
            return core::fail(found->second, "http_503", "away");
        }
        if (gone_.contains(key)) {
            return core::fail(core::ErrorKind::rejected, "order_not_found", "gone");
        }
        auto& order = orders_[key];
        const auto changed = change(order);
        if (!changed) {
            return std::unexpected(changed.error());
        }
        order.updates += *changed ? 1 : 0;
        if (lost_answers > 0) {
            --lost_answers;
            return core::fail(core::ErrorKind::unknown_outcome, "timeout", "no answer");
        }
        return {};
    }

    mutable std::mutex mutex_;
    std::map<OrderKey, Order> orders_;
    std::map<std::string, core::ErrorKind> away_;
    std::set<OrderKey> gone_;
    int calls_ = 0;
};

}  // namespace order_status::testing
