#include "src/processing/relay.h"

#include <syncline/telemetry/log.h>
#include <algorithm>
#include <set>

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;

constexpr int kRowsMax = 500;
constexpr std::int64_t kBytesMax = std::int64_t{16} * 1024 * 1024;

std::string aggregate_of(const store::OutboxRow& row) {
    return row.aggregate_type + '/' + row.aggregate_id;
}

}  // namespace

Relay::Relay(Database& database, RecordSink& sink, core::Clock& clock, RelayOptions options)
    : database_(database), sink_(sink), clock_(clock), options_(std::move(options)) {}

Relay::~Relay() {
    stop(core::Deadline(core::system_clock(), 0s));
}

void Relay::start() {
    thread_ = std::thread([this] { run(); });
}

void Relay::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    wake_.notify_one();
}

bool Relay::stop(core::Deadline deadline) {
    if (!thread_.joinable()) {
        return empty_;
    }
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        stop_at_ = deadline.at();
    }
    wake_.notify_one();
    thread_.join();
    return empty_;
}

void Relay::run() {
    while (true) {
        {
            std::unique_lock lock(mutex_);
            clock_.wait_until(lock, wake_, clock_.steady() + options_.sweep_every, [&] { return woken_ || stopping_; });
            woken_ = false;
        }
        bool more = true;
        while (more) {
            more = pass();
            const std::lock_guard lock(mutex_);
            if (stopping_ && core::system_clock().steady() >= stop_at_) {
                more = false;
            }
        }
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            break;
        }
    }
    if (!buckets_.empty()) {
        // Else the lease runs out by itself.
        const core::Deadline deadline(core::system_clock(), 2s);
        if (const auto given = store::give_back_buckets(database_.pool(), deadline, options_.owner); !given) {
            telemetry::log::failure(telemetry::log::Level::warn, "outbox_buckets_kept", given.error());
        }
    }
}

bool Relay::pass() {
    const core::Deadline deadline(core::system_clock(), 10s);
    const auto now = clock_.steady();
    if (buckets_.empty() || now - lease_renewed_ >= options_.lease / 3) {
        auto leased =
            store::lease_buckets(database_.pool(), deadline, options_.owner, clock_.now(), clock_.now() + options_.lease);
        if (!leased) {
            if (database_is_away(leased.error())) {
                database_.available(false);
            }
            if (now - lease_renewed_ >= options_.lease) {
                buckets_.clear();
            }
            return false;
        }
        buckets_ = std::move(*leased);
        lease_renewed_ = now;
    }
    if (buckets_.empty()) {
        return false;
    }
    std::vector<std::string> besides;
    for (auto blocked = blocked_.begin(); blocked != blocked_.end(); ++blocked) {
        if (blocked->second.first > now) {
            besides.push_back(blocked->first);
        }
    }
    auto rows = store::read_outbox(database_.pool(), deadline, buckets_, besides, kRowsMax, kBytesMax);
    if (!rows) {
        telemetry::log::failure(telemetry::log::Level::warn, "outbox_not_read", rows.error());
        return false;
    }
    empty_ = rows->empty() && besides.empty();
    if (rows->empty()) {
        return false;
    }
    const bool full = rows->size() > 1;
    auto sent = send(std::move(*rows));
    if (sent.empty()) {
        return false;
    }
    const auto deleted = database_.persist(
        [&] {
            const std::lock_guard lock(mutex_);
            return stopping_ && core::system_clock().steady() >= stop_at_;
        },
        true, [&] { return store::delete_outbox(database_.pool(), database_.deadline(), sent); });
    if (!deleted) {
        telemetry::log::failure(telemetry::log::Level::warn, "outbox_not_deleted", deleted.error());
        return false;
    }
    return full || !empty_;
}

std::vector<std::string> Relay::send(std::vector<store::OutboxRow> rows) {
    struct Answers {
        std::mutex mutex;
        std::condition_variable all;
        std::size_t missing = 0;
        std::vector<std::optional<core::Result<void>>> results;
    };
    // Shared with the callbacks: one that comes after we have stopped waiting still has a place to write to.
    const auto answers = std::make_shared<Answers>();
    std::set<std::string> aggregates;
    std::vector<store::OutboxRow> first_ones;
    for (auto& row : rows) {
        if (aggregates.insert(aggregate_of(row)).second) {
            first_ones.push_back(std::move(row));
        }
    }
    answers->missing = first_ones.size();
    answers->results.resize(first_ones.size());
    for (std::size_t i = 0; i < first_ones.size(); ++i) {
        sink_.send(std::move(first_ones[i].record), [answers, i](core::Result<void> result) {
            const std::lock_guard lock(answers->mutex);
            answers->results[i] = std::move(result);
            --answers->missing;
            answers->all.notify_one();
        });
    }
    std::unique_lock lock(answers->mutex);
    core::system_clock().wait_until(lock, answers->all, core::system_clock().steady() + 40s,
                                    [&] { return answers->missing == 0; });
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < first_ones.size(); ++i) {
        const auto aggregate = aggregate_of(first_ones[i]);
        const auto& result = answers->results[i];
        if (result && *result) {
            sent.push_back(std::move(first_ones[i].id));
            blocked_.erase(aggregate);
            options_.sent.add();
            continue;
        }
        options_.failed.add();
        auto& [until, failures] = blocked_[aggregate];
        until = clock_.steady() + std::min<std::chrono::milliseconds>(500ms * (1 << std::min(failures, 6)), 30s);
        ++failures;
        if (result) {
            telemetry::log::failure(telemetry::log::Level::warn, "outbox_send_failed", result->error());
        }
    }
    return sent;
}

}  // namespace syncline::kit
