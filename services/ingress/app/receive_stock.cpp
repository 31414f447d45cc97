#include "app/receive_stock.h"

#include <syncline/core/fault.h>
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "app/receive_webhook.h"
#include "domain/signature.h"

namespace ingress {

namespace core = syncline::core;
using Outcome = StockAnswer::Outcome;

std::string_view to_string(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::accepted:
            return "accepted";
        case Outcome::refused:
            return "refused";
        case Outcome::not_proven:
            return "not_proven";
        case Outcome::over_share:
            return "over_share";
        case Outcome::unavailable:
            return "unavailable";
    }
    return "unavailable";
}

class ReceiveStock::Flight {
public:
    explicit Flight(const StockLimits& limits)
        : all_max_(limits.records_in_flight_max),
          source_max_(std::max<std::size_t>(limits.records_in_flight_max * limits.source_share_percent / 100, 1)) {}

    // A batch that is larger than the share alone passes while its source has nothing else under way.
    [[nodiscard]] bool take(const std::string& source, std::size_t records) {
        const std::lock_guard lock(mutex_);
        auto& mine = by_source_[source];
        if ((mine > 0 && mine + records > source_max_) || (all_ > 0 && all_ + records > all_max_)) {
            return false;
        }
        mine += records;
        all_ += records;
        return true;
    }

    void give_back(const std::string& source, std::size_t records) {
        const std::lock_guard lock(mutex_);
        const auto mine = by_source_.find(source);
        mine->second -= records;
        all_ -= records;
        if (mine->second == 0) {
            by_source_.erase(mine);
        }
    }

    [[nodiscard]] std::size_t all() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }

private:
    const std::size_t all_max_;
    const std::size_t source_max_;
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t> by_source_;
    std::size_t all_ = 0;
};

// One request's records: the last acknowledgement gives the answer.
struct ReceiveStock::Batch {
    std::shared_ptr<Flight> flight;
    std::string source;
    PendingAnswers<StockAnswer>::Ticket wait;
    StockAnswer accepted;
    std::atomic<std::size_t> left;  // Records without their acknowledgement.
    std::atomic<bool> failed{false};

    void fail(std::string code) {
        failed.store(true, std::memory_order_release);
        PendingAnswers<StockAnswer>::settle(wait, {.outcome = Outcome::unavailable, .code = std::move(code), .refusal = nullptr});
    }
    void ended(std::size_t records) {
        flight->give_back(source, records);
        if (left.fetch_sub(records, std::memory_order_acq_rel) == records && !failed.load(std::memory_order_acquire)) {
            SYNCLINE_FAULT_POINT("stock_produced");
            PendingAnswers<StockAnswer>::settle(wait, accepted);
        }
    }
};

ReceiveStock::ReceiveStock(const StockSources& sources, const StockMapping& mapping, EventPublisher& publisher,
                           core::Clock& clock, StockLimits limits)
    : sources_(sources),
      mapping_(mapping),
      publisher_(publisher),
      clock_(clock),
      flight_(std::make_shared<Flight>(limits)),
      pending_(clock, limits.acknowledge_limit,
               {.outcome = Outcome::unavailable, .code = "acknowledge_timeout", .refusal = nullptr}) {}

std::size_t ReceiveStock::records_in_flight() const {
    return flight_->all();
}

std::string_view ReceiveStock::judge_api_key(const KnownSource& source, std::string_view presented) const {
    if (presented.empty()) {
        return "api_key_missing";
    }
    if (is_one_of(presented, sources_.secrets(source))) {
        return {};
    }
    // Rotated a moment ago: nothing valid may be refused.
    return sources_.refresh_secrets(source) && is_one_of(presented, sources_.secrets(source)) ? std::string_view{}
                                                                                              : "api_key_wrong";
}

std::string_view ReceiveStock::prove(const ReceivedStock& stock) const {
    if (stock.source->proof == StockProof::api_key) {
        return judge_api_key(*stock.source, stock.api_key);
    }
    auto result = check_signature(stock.signature, stock.body, sources_.secrets(*stock.source));
    if (result == Signature::wrong && sources_.refresh_secrets(*stock.source)) {
        result = check_signature(stock.signature, stock.body, sources_.secrets(*stock.source));
    }
    return code_of(result);
}

void ReceiveStock::run(ReceivedStock stock, Done done) {
    if (const auto code = prove(stock); !code.empty()) {
        done({.outcome = Outcome::not_proven, .code = std::string(code), .refusal = nullptr});
        return;
    }
    auto mapped = mapping_.map(*stock.source, std::move(stock.body), clock_.now());
    if (!mapped) {
        auto code = mapped.error().faults.front().code;
        done({.outcome = Outcome::refused,
              .code = std::move(code),
              .refusal = std::make_shared<const StockRefusal>(std::move(mapped.error()))});
        return;
    }
    publish(std::move(*mapped), stock, std::move(done));
}

void ReceiveStock::publish(MappedStock mapped, const ReceivedStock& stock, Done done) {
    const auto records = mapped.events.size();
    StockAnswer accepted{.outcome = Outcome::accepted,
                         .code = {},
                         .reports = mapped.reports,
                         .adjustments = mapped.adjustments,
                         .refusal = nullptr};
    if (!flight_->take(stock.source->name, records)) {
        done({.outcome = Outcome::over_share, .code = "source_over_share", .refusal = nullptr});
        return;
    }
    const auto batch = std::make_shared<Batch>();
    batch->flight = flight_;
    batch->source = stock.source->name;
    batch->wait = pending_.add(std::move(done));
    batch->accepted = std::move(accepted);
    batch->left.store(records, std::memory_order_relaxed);
    const auto source = "/stock/" + stock.source->name;
    std::size_t handed = 0;
    for (auto& event : mapped.events) {
        if (batch->failed.load(std::memory_order_acquire)) {
            break;
        }
        EventContext context{.correlation_id = correlation_id_of(stock.correlation_id, event.id),
                             .traceparent = stock.traceparent,
                             .source = source,
                             .received_at = stock.received_at};
        const auto taken = publisher_.publish(std::move(event), std::move(context), [batch](core::Result<RecordPlace> at) {
            if (!at) {
                batch->fail(std::move(at.error().code));
            }
            batch->ended(1);
        });
        if (!taken) {
            batch->fail(taken.error().code);
            break;
        }
        ++handed;
    }
    if (handed < records) {
        // What was handed over stays with the broker; the whole comes again.
        batch->ended(records - handed);
    }
}

}  // namespace ingress
