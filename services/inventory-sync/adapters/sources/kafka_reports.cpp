#include "adapters/sources/kafka_reports.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kafka/producer.h>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace inventory_sync {
namespace {

namespace kafka = syncline::kafka;
namespace inventory_v1 = syncline::inventory::v1;

constexpr std::chrono::seconds kQueueTimeout{60};
constexpr std::chrono::milliseconds kQueuePause{20};

inventory_v1::StockBasis basis_of(Basis basis) {
    switch (basis) {
        case Basis::physical:
            return inventory_v1::STOCK_BASIS_PHYSICAL;
        case Basis::net_of_own:
            return inventory_v1::STOCK_BASIS_NET_OF_OWN;
        case Basis::net_of_all:
            return inventory_v1::STOCK_BASIS_NET_OF_ALL;
    }
    return inventory_v1::STOCK_BASIS_UNSPECIFIED;
}

kafka::OutgoingRecord record_of(const ReadLevel& read, const std::string& topic, core::SystemTime now) {
    inventory_v1::StockReported event;
    auto& position = *event.mutable_position();
    position.set_source(read.position.place.source);
    position.set_location(read.position.place.location);
    position.set_sku(read.position.sku);
    position.set_unit(read.unit);
    position.set_basis(basis_of(read.basis));
    event.mutable_quantity()->set_value(read.level.quantity.to_string());
    const auto nanos = core::nanos_since_epoch(read.level.observed);
    event.mutable_observed_at()->set_seconds(nanos / 1'000'000'000);
    event.mutable_observed_at()->set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
    event.set_epoch(read.level.epoch);
    event.set_sequence(read.level.sequence);
    event.set_snapshot_id(read.level.snapshot);
    kafka::OutgoingRecord record;
    record.topic = topic;
    record.key = read.position.place.source + "/" + read.position.place.location + "/" + read.position.sku;
    record.value = event.SerializeAsString();
    // Follows from the content alone: the same report read again is the same event.
    auto id = core::uuid_v5(core::kSynclineNamespace, "syncline.inventory.v1.StockReported\n" + *record.value);
    record.headers = {{"content-type", "application/protobuf"},
                      {"ce_specversion", "1.0"},
                      {"ce_type", "syncline.inventory.v1.StockReported"},
                      {"ce_source", "/inventory-sync/" + read.position.place.source},
                      {"ce_subject", read.position.place.location + "/" + read.position.sku},
                      {"ce_time", core::format_rfc3339_utc(read.level.observed)},
                      {"ce_correlationid", id},
                      {"syncline-received-at", core::format_rfc3339_utc(now)},
                      {"ce_id", id}};
    return record;
}

class Run final : public StockReports {
public:
    Run(kafka::Producer& producer, core::Clock& clock, const std::string& topic)
        : producer_(producer), clock_(clock), topic_(topic), shared_(std::make_shared<Shared>()) {}

    core::Result<void> put(const ReadLevel& level) override {
        const auto record = record_of(level, topic_, clock_.now());
        const core::Deadline deadline(clock_, kQueueTimeout);
        for (;;) {
            {
                const std::lock_guard lock(shared_->mutex);
                if (shared_->failed) {
                    return std::unexpected(*shared_->failed);
                }
                ++shared_->waiting;
            }
            auto accepted = producer_.produce(record, [shared = shared_](core::Result<kafka::Position> at) {
                const std::lock_guard lock(shared->mutex);
                --shared->waiting;
                if (!at && !shared->failed) {
                    shared->failed = std::move(at.error());
                }
                shared->changed.notify_all();
            });
            if (accepted) {
                return {};
            }
            {
                const std::lock_guard lock(shared_->mutex);
                --shared_->waiting;
            }
            if (deadline.passed() ||
                (accepted.error().code != "producer_queue_full" && accepted.error().code != "producer_rebuilding")) {
                return accepted;
            }
            // An acknowledgement makes room.
            std::unique_lock lock(shared_->mutex);
            clock_.wait_until(lock, shared_->changed, clock_.steady() + kQueuePause,
                              [this, before = shared_->waiting] { return shared_->waiting < before; });
        }
    }

    core::Result<void> done(const core::Deadline& deadline) override {
        std::unique_lock lock(shared_->mutex);
        const bool all = clock_.wait_until(lock, shared_->changed, deadline.at(),
                                           [this] { return shared_->waiting == 0 || shared_->failed.has_value(); });
        if (shared_->failed) {
            return std::unexpected(*shared_->failed);
        }
        if (!all) {
            return core::fail(core::ErrorKind::transient, "reports_not_acknowledged", "the brokers did not acknowledge in time");
        }
        return {};
    }

private:
    // Callbacks may come after the run has gone.
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t waiting = 0;
        std::optional<core::Error> failed;
    };
    kafka::Producer& producer_;
    core::Clock& clock_;
    const std::string topic_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<StockReports> KafkaReports::begin() {
    return std::make_unique<Run>(producer_, clock_, topic_);
}

}  // namespace inventory_sync
