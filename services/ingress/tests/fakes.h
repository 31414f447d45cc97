// The world of ingress without network and files, with its bad days.
#pragma once

#include <syncline/core/error.h>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "app/ports.h"

namespace ingress::testing {

// Two shops that share nothing but their order ids.
class FakeShops final : public ShopDirectory {
public:
    FakeShops() {
        add("eu", "acme-eu.myshopify.com", "EUR", "eu-secret");
        add("us", "acme-us.myshopify.com", "USD", "us-secret");
    }
    void add(const std::string& alias, const std::string& domain, const std::string& currency, const std::string& secret) {
        auto shop = std::make_shared<KnownShop>();
        shop->alias = alias;
        shop->domain = domain;
        shop->currency = currency;
        shop->label = alias;
        shops_[alias] = std::move(shop);
        secrets_[alias] = {secret};
    }
    void remove(const std::string& alias) { shops_.erase(alias); }
    void set_secrets(const std::string& alias, std::vector<std::string> secrets) { secrets_[alias] = std::move(secrets); }
    // What the files say by now; seen when somebody looks again.
    void rotate(const std::string& alias, std::vector<std::string> secrets) { rotated_[alias] = std::move(secrets); }

    [[nodiscard]] std::shared_ptr<const KnownShop> by_domain(std::string_view domain) const override {
        for (const auto& [alias, shop] : shops_) {
            if (shop->domain == domain) {
                return shop;
            }
        }
        return nullptr;
    }
    [[nodiscard]] std::shared_ptr<const KnownShop> by_alias(std::string_view alias) const override {
        const auto found = shops_.find(std::string(alias));
        return found == shops_.end() ? nullptr : found->second;
    }
    [[nodiscard]] std::vector<std::string> secrets(const KnownShop& shop) const override { return secrets_.at(shop.alias); }
    [[nodiscard]] bool refresh_secrets(const KnownShop& shop) const override {
        const auto found = rotated_.find(shop.alias);
        if (found == rotated_.end()) {
            return false;
        }
        secrets_[shop.alias] = found->second;
        rotated_.erase(found);
        return true;
    }

private:
    std::map<std::string, std::shared_ptr<const KnownShop>> shops_;
    mutable std::map<std::string, std::vector<std::string>> secrets_;
    mutable std::map<std::string, std::vector<std::string>> rotated_;
};

// Keeps what is published; acknowledges at once, later, or never. Publishing: any thread.
class FakePublisher final : public EventPublisher {
public:
    enum class Mood : std::uint8_t { acknowledges, silent, queue_full, fails };
    struct Published {
        MappedEvent event;
        EventContext context;
        Done done;
    };

    std::atomic<Mood> mood = Mood::acknowledges;

    // To be looked at while nobody publishes.
    [[nodiscard]] std::vector<Published>& published() {
        const std::lock_guard lock(mutex_);
        return published_;
    }
    [[nodiscard]] syncline::core::Result<void> publish(MappedEvent event, EventContext context, Done done) override {
        const Mood now = mood;
        if (now == Mood::queue_full) {
            return syncline::core::fail(syncline::core::ErrorKind::throttled, "producer_queue_full", "the queue is full");
        }
        RecordPlace at{.partition = 1};
        {
            const std::lock_guard lock(mutex_);
            published_.push_back({std::move(event), std::move(context), now == Mood::silent ? std::move(done) : Done()});
            at.offset = static_cast<std::int64_t>(published_.size());
        }
        if (now == Mood::acknowledges) {
            done(at);
        } else if (now == Mood::fails) {
            done(
                syncline::core::fail(syncline::core::ErrorKind::unknown_outcome, "delivery_unknown", "the producer was rebuilt"));
        }
        return {};
    }

private:
    std::mutex mutex_;
    std::vector<Published> published_;
};

class FakeDeadLetterLog final : public DeadLetterLog {
public:
    std::vector<DeadWebhook> records;
    std::vector<DeadWebhookAction> noted;
    bool broken = false;

    [[nodiscard]] syncline::core::Result<DeadWebhook> read(RecordPlace at,
                                                           const syncline::core::Deadline& /*deadline*/) override {
        for (const auto& record : records) {
            if (record.at == at) {
                return record;
            }
        }
        return syncline::core::fail(syncline::core::ErrorKind::not_ready, "no_such_dead_letter", "none");
    }
    [[nodiscard]] syncline::core::Result<std::vector<DeadWebhook>> list(int /*records_max*/,
                                                                        const syncline::core::Deadline& /*deadline*/) override {
        return records;
    }
    [[nodiscard]] syncline::core::Result<std::vector<DeadWebhookAction>> actions(
        int /*records_max*/, const syncline::core::Deadline& /*deadline*/) override {
        return noted;
    }
    [[nodiscard]] syncline::core::Result<void> record(const DeadWebhookAction& action, std::string_view /*key*/,
                                                      const syncline::core::Deadline& /*deadline*/) override {
        if (broken) {
            return syncline::core::fail(syncline::core::ErrorKind::transient, "kafka_unavailable", "no broker");
        }
        noted.push_back(action);
        return {};
    }
};

}  // namespace ingress::testing
