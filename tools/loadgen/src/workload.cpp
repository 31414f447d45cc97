#include "src/workload.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>

#include <algorithm>
#include <array>
#include <map>

namespace loadgen {
namespace {

namespace core = syncline::core;
using std::chrono::milliseconds;

constexpr std::uint64_t kPoisonOrders = 900'000'000ULL;  // Ids far from those of the orders.

std::uint64_t customers_of(const WorkloadOptions& options) {
    constexpr std::uint64_t kFewest = 20;
    return options.customers != 0 ? options.customers : std::max(options.orders / options.shops.size() / 5, kFewest);
}

// Bodies that no mapping can read, each in its own way. {} is the order's id.
constexpr std::array<std::string_view, 4> kPoison{
    R"({{"id":{},"name":"#9","line_items":[{{"id":1,"quantity":)",
    R"({{"id":{},"name":"#9","currency":"EUR","updated_at":"yesterday","line_items":"none"}})",
    R"({{"id":"{}","currency":"EUR","total_price":"1e400","line_items":[]}})",
    R"([[[[{}]]]])",
};

}  // namespace

Story story_of(const WorkloadOptions& options, std::uint64_t order) {
    const auto& shop = options.shops[order % options.shops.size()];
    const auto index = options.first_order + order / options.shops.size();
    Random random(options.seed, index, shop.alias + "/kind");
    const Curve curve(options.shape, options.orders, options.duration);
    const auto placed = options.start + curve.arrival(order);
    auto built = build_order(shop, options.shares.pick(random),
                             {.seed = options.seed, .index = index, .customers = customers_of(options), .placed = placed});
    return tell(std::move(built), index,
                {.mix = options.mix, .step = options.step, .seed = options.seed, .start = options.start});
}

Webhook poison_of(const WorkloadOptions& options, std::uint64_t number) {
    const Curve curve(options.shape, options.poison, options.duration);
    const auto& shop = options.shops[number % options.shops.size()];
    const auto at = curve.arrival(number);
    Webhook webhook;
    webhook.at = std::chrono::duration_cast<milliseconds>(at);
    webhook.shop = shop.alias;
    webhook.domain = shop.domain;
    webhook.topic = "orders/create";
    const auto id = order_id_of(kPoisonOrders + options.first_order + number);
    webhook.key = fmt::format("{}/{}", shop.alias, id);
    webhook.webhook_id = core::uuid_v5(core::kSynclineNamespace, fmt::format("{}/poison/{}", options.seed, webhook.key));
    webhook.event_id = core::uuid_v5(core::kSynclineNamespace, webhook.webhook_id);
    webhook.triggered_at = core::format_rfc3339_utc(options.start + at);
    webhook.body = fmt::format(fmt::runtime(kPoison[number % kPoison.size()]), id);
    return webhook;
}

struct Workload::State {
    struct Entry {
        Webhook webhook;
        std::uint64_t number = 0;  // Ties leave in the order in which they were made.
    };
    struct Later {
        bool operator()(const Entry& a, const Entry& b) const {
            return a.webhook.at != b.webhook.at ? a.webhook.at > b.webhook.at : a.number > b.number;
        }
    };

    WorkloadOptions options;
    Random random;
    std::uint64_t orders_told = 0;
    std::uint64_t poison_told = 0;
    std::uint64_t entries = 0;
    std::vector<Entry> heap;

    void push(Webhook webhook) {
        heap.push_back({std::move(webhook), entries++});
        std::ranges::push_heap(heap, Later{});
    }
    Webhook pop() {
        std::ranges::pop_heap(heap, Later{});
        auto webhook = std::move(heap.back().webhook);
        heap.pop_back();
        return webhook;
    }
    milliseconds some_delay() {
        return milliseconds(1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(options.delay_max.count()))));
    }

    void tell(Webhook webhook, bool ordered) {
        if (random.chance(options.duplicates_per_million)) {
            auto again = webhook;
            again.duplicate = true;
            again.at += some_delay();
            push(std::move(again));
        }
        if (random.chance(options.reordered_per_million) && !ordered) {
            webhook.at += some_delay();
        }
        push(std::move(webhook));
    }

    // Tells orders until nothing that is still untold can come before the first of the heap.
    void prepare() {
        while (orders_told < options.orders || poison_told < options.poison) {
            const auto order_at = orders_told < options.orders ? arrival(options.orders, orders_told) : milliseconds::max();
            const auto poison_at = poison_told < options.poison ? arrival(options.poison, poison_told) : milliseconds::max();
            if (!heap.empty() && heap.front().webhook.at < std::min(order_at, poison_at)) {
                return;
            }
            if (poison_at < order_at) {
                push(poison_of(options, poison_told++));
                continue;
            }
            auto story = story_of(options, orders_told++);
            for (auto& webhook : story.webhooks) {
                tell(std::move(webhook), story.ordered);
            }
        }
    }

    [[nodiscard]] milliseconds arrival(std::uint64_t count, std::uint64_t number) const {
        return std::chrono::duration_cast<milliseconds>(Curve(options.shape, count, options.duration).arrival(number));
    }
};

Workload::Workload(WorkloadOptions options) {
    SYNCLINE_ASSERT(!options.shops.empty());
    const auto seed = options.seed;
    state_ = std::make_unique<State>(State{.options = std::move(options), .random = Random(seed, 0, "delivery"), .heap = {}});
}
Workload::~Workload() = default;

std::optional<Webhook> Workload::next() {
    state_->prepare();
    if (state_->heap.empty()) {
        return std::nullopt;
    }
    return state_->pop();
}

namespace {

using Counts = std::map<std::string, std::int64_t>;

void write_counts(syncline::json::Writer& out, std::string_view name, const Counts& counts) {
    out.key(name).begin_object();
    for (const auto& [key, count] : counts) {
        out.member(key, count);
    }
    out.end_object();
}

}  // namespace

void write_expectations(const WorkloadOptions& options, const std::function<void(const std::string& line)>& write) {
    Counts kinds;
    Counts fates;
    Counts states;
    Counts skipped;
    Counts held;
    Counts waits_for;
    Counts credit_notes;
    Counts held_refunds;
    for (std::uint64_t order = 0; order < options.orders; ++order) {
        const auto story = story_of(options, order);
        ++kinds[std::string(to_string(story.order.kind))];
        ++fates[story.ending.fate];
        ++states[story.ending.state.empty() ? "none" : story.ending.state];
        if (story.ending.fate == "skipped") {
            ++skipped[story.ending.reason];
        }
        if (story.ending.fate == "held") {
            ++held[story.ending.reason];
        }
        if (!story.ending.waits_for.empty()) {
            ++waits_for[story.ending.waits_for];
        }
        for (std::size_t i = 0; i < story.order.refunds.size(); ++i) {
            const auto& reason = story.ending.held_refunds[i];
            if (!reason.empty()) {
                ++held_refunds[reason];
            } else if (amount_of(story.order, story.order.refunds[i]).shop != 0) {
                ++credit_notes[story.ending.absent_allowed ? "of_cancelled_orders" : "of_standing_orders"];
            }
        }
        write(expectation(story));
    }
    // What is sent is counted by sending it to nobody: duplicates are chosen as deliveries leave.
    Counts topics;
    std::int64_t deliveries = 0;
    std::int64_t duplicates = 0;
    Workload workload(options);
    while (const auto webhook = workload.next()) {
        ++deliveries;
        ++topics[webhook->topic];
        duplicates += webhook->duplicate ? 1 : 0;
    }
    syncline::json::Writer out;
    out.begin_object().key("summary").begin_object().member("orders", static_cast<std::int64_t>(options.orders));
    out.member("deliveries", deliveries)
        .member("duplicates", duplicates)
        .member("poison", static_cast<std::int64_t>(options.poison));
    write_counts(out, "kinds", kinds);
    write_counts(out, "fates", fates);
    write_counts(out, "states", states);
    write_counts(out, "skipped", skipped);
    write_counts(out, "held", held);
    write_counts(out, "waits_for", waits_for);
    write_counts(out, "credit_notes", credit_notes);
    write_counts(out, "held_refunds", held_refunds);
    write_counts(out, "topics", topics);
    out.end_object().end_object();
    write(std::move(out).take());
}

}  // namespace loadgen
