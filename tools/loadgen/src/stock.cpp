#include "src/stock.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/core/decimal.h>
#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>

#include <algorithm>
#include <set>

#include "src/random.h"

namespace loadgen {
namespace {

namespace core = syncline::core;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t kThousand = 1'000;  // Levels are kept in thousandths.
constexpr std::uint64_t kWeighedEvery = 10;
constexpr std::int64_t kLevelMax = 200;
constexpr std::int64_t kSoldMax = 3;
constexpr std::int64_t kDeliveredMax = 40;
constexpr std::uint64_t kDeliveries = 150'000;  // Of a million adjustments; the others are sales.

bool weighed(std::uint64_t sku) {
    return sku % kWeighedEvery == kWeighedEvery - 1;
}

std::string thousandths(std::int64_t value) {
    const auto whole = core::Decimal::from_scaled(value, 3);
    return whole.value().to_string();
}

}  // namespace

std::string location_name(std::uint64_t number) {
    return fmt::format("HAL-{}", number + 1);
}
std::string sku_name(std::uint64_t number) {
    return fmt::format("SKU-{:04}", number + 1);
}

struct StockWorkload::State {
    struct Entry {
        Webhook body;
        std::uint64_t number = 0;  // Ties leave in the order in which they were made.
    };
    struct Later {
        bool operator()(const Entry& a, const Entry& b) const {
            return a.body.at != b.body.at ? a.body.at > b.body.at : a.number > b.number;
        }
    };
    struct Position {
        std::int64_t level = 0;
        std::int64_t observed_ns = 0;  // After the start, of the newest record.
    };

    explicit State(StockOptions given)
        : options(std::move(given)),
          random(options.seed, 0, "stock"),
          delivery(options.seed, 0, "stock/delivery"),
          per_source(options.locations * options.skus),
          levels(per_source * options.sources.size()),
          snapshots(options.snapshot ? levels.size() : 0) {}

    const StockOptions options;
    Random random;
    Random delivery;
    const std::uint64_t per_source;
    std::vector<Position> levels;
    const std::uint64_t snapshots;  // Records of all snapshots.
    std::uint64_t told = 0;         // Records, snapshots included.
    std::uint64_t bodies = 0;
    std::uint64_t entries = 0;
    std::vector<Entry> heap;

    [[nodiscard]] std::uint64_t records() const { return snapshots + options.changes; }
    [[nodiscard]] nanoseconds moment(std::uint64_t record) const {
        // 128 bits: a billion records over a year would not fit 64.
        const auto whole = core::Int128{nanoseconds(options.duration).count()} * static_cast<std::int64_t>(record);
        return nanoseconds(static_cast<std::int64_t>(whole / static_cast<std::int64_t>(records())));
    }
    [[nodiscard]] milliseconds at_of(std::uint64_t record) const {
        return std::chrono::duration_cast<milliseconds>(moment(record));
    }

    void push(Webhook body) {
        heap.push_back({std::move(body), entries++});
        std::ranges::push_heap(heap, Later{});
    }
    milliseconds some_delay() { return milliseconds(delivery.between(1, std::max<std::int64_t>(options.delay_max.count(), 1))); }

    // The time at which the source saw it: never twice the same for one position.
    std::string observed(Position& position, std::uint64_t record) {
        constexpr std::int64_t kStep = 1'000;  // A microsecond.
        position.observed_ns = std::max<std::int64_t>(moment(record).count() / kStep * kStep, position.observed_ns + kStep);
        return core::format_rfc3339_utc(options.start + nanoseconds(position.observed_ns));
    }

    void position_members(syncline::json::Writer& out, std::uint64_t place) const {
        const auto sku = place % options.skus;
        out.member("location", location_name(place / options.skus)).member("sku", sku_name(sku));
        if (weighed(sku)) {
            out.member("unit", "kg");
        }
    }
    // Counted quantities are numbers, weighed ones texts: sources write both.
    static void quantity(syncline::json::Writer& out, std::string_view name, std::int64_t value, std::uint64_t sku) {
        out.key(name);
        weighed(sku) ? out.string(thousandths(value)) : out.number(thousandths(value));
    }

    void report(syncline::json::Writer& out, std::size_t source, std::uint64_t place, std::uint64_t record, bool of_snapshot) {
        auto& position = levels[source * per_source + place];
        out.begin_object();
        position_members(out, place);
        quantity(out, "quantity", position.level, place % options.skus);
        out.member("observed_at", observed(position, record)).member("epoch", "e1");
        if (of_snapshot) {
            out.member("snapshot_id", fmt::format("s-{}", options.seed));
        }
        out.end_object();
    }
    void adjustment(syncline::json::Writer& out, std::size_t source, std::uint64_t place, std::uint64_t record,
                    std::int64_t delta) {
        auto& position = levels[source * per_source + place];
        out.begin_object().member("id", fmt::format("{}-m{}", options.sources[source], record));
        position_members(out, place);
        quantity(out, "delta", delta, place % options.skus);
        out.member("observed_at", observed(position, record)).member("epoch", "e1").end_object();
    }

    // A sale, or a delivery where nothing is left to sell.
    std::int64_t change(const Position& position, std::uint64_t sku) {
        const auto unit = weighed(sku) ? random.between(1, kThousand) : kThousand;
        const auto sold = random.between(1, kSoldMax) * unit;
        if (random.chance(kDeliveries) || position.level < sold) {
            return random.between(1, kDeliveredMax) * unit;
        }
        return -sold;
    }

    void make_body() {
        const bool of_snapshot = told < snapshots;
        const auto first = told;
        const auto source = of_snapshot ? static_cast<std::size_t>(told / per_source)
                                        : static_cast<std::size_t>(random.below(options.sources.size()));
        const auto left = of_snapshot ? (source + 1) * per_source - told : records() - told;
        const auto count = std::min<std::uint64_t>(options.batch, left);
        syncline::json::Writer reports;
        syncline::json::Writer adjustments;
        reports.begin_array();
        adjustments.begin_array();
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto record = told++;
            if (of_snapshot) {
                const auto place = record % per_source;
                levels[source * per_source + place].level = random.between(0, kLevelMax) * kThousand;
                report(reports, source, place, record, true);
                continue;
            }
            const auto place = random.below(per_source);
            auto& position = levels[source * per_source + place];
            const auto delta = change(position, place % options.skus);
            position.level += delta;
            if (random.chance(options.reports_per_million)) {
                report(reports, source, place, record, false);
            } else {
                adjustment(adjustments, source, place, record, delta);
            }
        }
        syncline::json::Writer out;
        out.begin_object().key("reports").raw(std::move(reports.end_array()).take());
        out.key("adjustments").raw(std::move(adjustments.end_array()).take()).end_object();
        tell(body_of(source, told - 1, first, std::move(out).take()));
    }

    Webhook body_of(std::size_t source, std::uint64_t last, std::uint64_t first, std::string text) {
        Webhook body;
        // It leaves when its last record was seen, so no time in it is ahead of the sending.
        body.at = at_of(last) + milliseconds(1);
        body.shop = options.sources[source];
        body.topic = kStockTopic;
        body.key = fmt::format("{}/{}", body.shop, bodies++);
        body.webhook_id = core::uuid_v5(core::kSynclineNamespace, fmt::format("{}/stock/{}/{}", options.seed, body.shop, first));
        body.event_id = body.webhook_id;
        body.body = std::move(text);
        return body;
    }

    void tell(Webhook body) {
        if (delivery.chance(options.duplicates_per_million)) {
            auto again = body;
            again.duplicate = true;
            again.at += some_delay();
            push(std::move(again));
        }
        if (delivery.chance(options.reordered_per_million)) {
            body.at += some_delay();
        }
        push(std::move(body));
    }
};

StockWorkload::StockWorkload(StockOptions options) {
    SYNCLINE_ASSERT(!options.sources.empty() && options.locations > 0 && options.skus > 0 && options.batch > 0);
    SYNCLINE_ASSERT(std::set(options.sources.begin(), options.sources.end()).size() == options.sources.size());
    state_ = std::make_unique<State>(std::move(options));
}
StockWorkload::~StockWorkload() = default;

std::optional<Webhook> StockWorkload::next() {
    auto& state = *state_;
    // Until nothing that is still untold can come before the first of the heap.
    while (state.told < state.records() && (state.heap.empty() || state.heap.front().body.at >= state.at_of(state.told))) {
        state.make_body();
    }
    if (state.heap.empty()) {
        return std::nullopt;
    }
    std::ranges::pop_heap(state.heap, State::Later{});
    auto body = std::move(state.heap.back().body);
    state.heap.pop_back();
    return body;
}

std::string StockWorkload::level_of(std::size_t source, std::uint64_t location, std::uint64_t sku) const {
    const auto& state = *state_;
    return thousandths(state.levels.at(source * state.per_source + location * state.options.skus + sku).level);
}

void write_stock_expectations(const StockOptions& options, const std::function<void(const std::string& line)>& write) {
    StockWorkload workload(options);
    std::uint64_t bodies = 0;
    std::uint64_t duplicates = 0;
    while (const auto body = workload.next()) {
        ++bodies;
        duplicates += body->duplicate ? 1U : 0U;
    }
    for (std::size_t source = 0; source < options.sources.size(); ++source) {
        for (std::uint64_t location = 0; location < options.locations; ++location) {
            for (std::uint64_t sku = 0; sku < options.skus; ++sku) {
                syncline::json::Writer out;
                out.begin_object().member("source", options.sources[source]).member("location", location_name(location));
                out.member("sku", sku_name(sku)).member("quantity", workload.level_of(source, location, sku)).end_object();
                write(std::move(out).take());
            }
        }
    }
    syncline::json::Writer out;
    const auto positions = options.sources.size() * options.locations * options.skus;
    out.begin_object().key("summary").begin_object().member("positions", static_cast<std::uint64_t>(positions));
    out.member("records", static_cast<std::uint64_t>(options.snapshot ? positions : 0) + options.changes);
    out.member("bodies", bodies).member("duplicates", duplicates).end_object().end_object();
    write(std::move(out).take());
}

}  // namespace loadgen
