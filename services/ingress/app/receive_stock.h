// Stock comes in from a push source: proven, validated as a whole, published record by record, and answered only when the broker
// has every one of them.
//
// Stateless but for the answers that wait and the count of records under way; lives as long as the service. run() may be called
// from any thread and never blocks. A batch that is cut short by the broker is answered 503: the source sends all of it again,
// and equal records are equal events.
//
//   proven, every record right          → published               accepted after the last acknowledgement
//   proven, one record wrong            → nothing published       refused, with the first faults: our own API, a sender can mend
//   it not proven                                                    not_proven the source, or all together, have too many
//   records under way  over_share: so that no source fills the producer's queue, which
//                                                                 the webhooks of the shops go through as well
//   no acknowledgement within the limit, queue full, …            unavailable
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/pending_answers.h"
#include "app/ports.h"
#include "app/stock_ports.h"

namespace ingress {

struct StockLimits {
    std::chrono::milliseconds acknowledge_limit{10'000};
    std::size_t records_in_flight_max = 40'000;  // Handed to the broker and not acknowledged, of all sources.
    unsigned source_share_percent = 50;          // Of that number, for one source.
};

struct ReceivedStock {
    std::shared_ptr<const KnownSource> source;
    std::string api_key;         // What was presented; empty: nothing.
    std::string signature;       // Likewise.
    std::string correlation_id;  // As sent; may be anything.
    std::string traceparent;
    syncline::core::SystemTime received_at{};
    std::string body;
};

struct StockAnswer {
    enum class Outcome : std::uint8_t { accepted, refused, not_proven, over_share, unavailable };
    Outcome outcome = Outcome::unavailable;
    std::string code;  // Why, unless accepted; stable and bounded.
    std::size_t reports = 0;
    std::size_t adjustments = 0;
    std::shared_ptr<const StockRefusal> refusal;  // Of refused.
};
inline constexpr std::size_t kStockOutcomes = 5;
[[nodiscard]] std::string_view to_string(StockAnswer::Outcome outcome) noexcept;

class ReceiveStock {
public:
    using Done = std::move_only_function<void(StockAnswer)>;

    ReceiveStock(const StockSources& sources, const StockMapping& mapping, EventPublisher& publisher,
                 syncline::core::Clock& clock, StockLimits limits);

    // Empty if what was presented proves the source; else "api_key_missing", "api_key_wrong", "signature_missing",
    // "signature_malformed", "signature_wrong". An API key is judged from the head alone, a signature needs the body.
    [[nodiscard]] std::string_view judge_api_key(const KnownSource& source, std::string_view presented) const;

    // `done` runs exactly once.
    void run(ReceivedStock stock, Done done);

    [[nodiscard]] std::size_t records_in_flight() const;

private:
    class Flight;  // Records under way, by source; outlives this where acknowledgements come late.
    struct Batch;

    [[nodiscard]] std::string_view prove(const ReceivedStock& stock) const;
    void publish(MappedStock mapped, const ReceivedStock& stock, Done done);

    const StockSources& sources_;
    const StockMapping& mapping_;
    EventPublisher& publisher_;
    syncline::core::Clock& clock_;
    std::shared_ptr<Flight> flight_;
    PendingAnswers<StockAnswer> pending_;
};

}  // namespace ingress
