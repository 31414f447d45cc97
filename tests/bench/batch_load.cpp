// Fills the stock topic: batch_load BROKERS SKUS [PASS [FIRST [mixed]]]. One report of each of so many SKUs from number FIRST on,
// in an order that has nothing to do with theirs; every pass (1, 2, …) tells of all of them once more, later and with other
// quantities. `mixed`: also a change after the report of every third SKU, every seventh record twice, and after every fifth
// report once more what the pass before told. Prints how many records were acknowledged.
#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kafka/producer.h>

#include <array>
#include <atomic>
#include <span>
#include <string>
#include <string_view>

using namespace syncline;
using namespace std::chrono_literals;

namespace {

// figures/stock_instances.py knows these rules too.
constexpr std::int64_t kBegin = 1'760'000'000;
constexpr std::int64_t kSecondsOfPass = 10;

inventory::v1::StockPosition position_of(std::int64_t number) {
    inventory::v1::StockPosition position;
    position.set_source("wms-north");
    position.set_location("main");
    position.set_sku(fmt::format("SKU-{:09}", number));
    position.set_basis(inventory::v1::STOCK_BASIS_PHYSICAL);
    return position;
}

class Load {
public:
    explicit Load(kafka::Producer& producer) : producer_(producer) {}

    void report(std::int64_t number, std::int64_t pass) {
        inventory::v1::StockReported event;
        *event.mutable_position() = position_of(number);
        event.mutable_quantity()->set_value(std::to_string((number - 1 + 7 * pass) % 1000));
        event.mutable_observed_at()->set_seconds(kBegin + kSecondsOfPass * pass);
        send(event);
    }
    void change(std::int64_t number, std::int64_t pass) {
        inventory::v1::StockAdjusted event;
        *event.mutable_position() = position_of(number);
        event.mutable_delta()->set_value(std::to_string(number % 5 - 2));
        event.mutable_observed_at()->set_seconds(kBegin + kSecondsOfPass * pass + 1);
        event.set_adjustment_id(fmt::format("{}/{}", pass, number));
        send(event);
    }
    void repeat_every(int records) { repeat_ = records; }
    [[nodiscard]] bool finish() {
        const auto flushed = producer_.flush(core::Deadline(clock_, 60s));
        fmt::print("{}\n", acknowledged_.load());
        return flushed && acknowledged_ == sent_;
    }

private:
    template <typename Event>
    void send(const Event& event) {
        const kafka::OutgoingRecord record{.topic = "syncline.inventory.v1",
                                           .key = "wms-north/main/" + event.position().sku(),
                                           .value = event.SerializeAsString(),
                                           .headers = {{"content-type", "application/protobuf"},
                                                       {"ce_specversion", "1.0"},
                                                       {"ce_id", core::uuid_v4()},
                                                       {"ce_type", event.GetTypeName()},
                                                       {"ce_source", "syncline/bench"},
                                                       {"ce_subject", event.position().sku()},
                                                       {"ce_time", now_},
                                                       {"ce_correlationid", "bench"},
                                                       {"syncline-received-at", now_}}};
        const bool twice = repeat_ > 0 && ++turn_ % repeat_ == 0;
        for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
            ++sent_;
            while (!producer_.produce(record, [this](core::Result<kafka::Position> at) { acknowledged_ += at ? 1 : 0; })) {
                clock_.sleep_for(5ms);  // The queue is full.
            }
        }
    }

    kafka::Producer& producer_;
    core::Clock& clock_ = core::system_clock();
    const std::string now_ = core::format_rfc3339_utc(clock_.now());
    int repeat_ = 0;
    int turn_ = 0;
    std::int64_t sent_ = 0;
    std::atomic<std::int64_t> acknowledged_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const std::span words(argv, static_cast<std::size_t>(argc));
    std::array<std::int64_t, 3> given{0, 1, 1};  // SKUS, PASS, FIRST.
    bool good = argc >= 3 && argc <= 6;
    for (std::size_t i = 0; good && i < given.size() && i + 2 < words.size(); ++i) {
        const auto number = core::parse_int<std::int64_t>(words[i + 2]);
        good = number && *number > 0;
        given.at(i) = number.value_or(0);
    }
    const auto [skus, pass, first] = given;
    const bool mixed = argc == 6;
    if (!good || pass > 1'000 || (mixed && std::string_view(words[5]) != "mixed")) {
        fmt::print(stderr, "batch_load BROKERS SKUS [PASS [FIRST [mixed]]]\n");
        return 2;
    }
    auto producer = kafka::Producer::create({.client = {.brokers = words[1]}});
    if (!producer) {
        fmt::print(stderr, "{}\n", producer.error().message);
        return 2;
    }
    Load load(**producer);
    load.repeat_every(mixed ? 7 : 0);
    constexpr std::int64_t kStride = 1'000'003;  // A prime: every SKU comes once.
    for (std::int64_t turn = 0; turn < skus; ++turn) {
        const auto n = skus % kStride == 0 ? turn : turn % skus * kStride % skus;
        const auto number = first + n;
        load.report(number, pass);
        if (mixed && number % 3 == 0) {
            load.change(number, pass);
        }
        if (mixed && number % 5 == 0 && pass > 1) {
            load.report(number, pass - 1);
        }
    }
    return load.finish() ? 0 : 1;
}
