#include <syncline/kit/testing/memory_transport.h>

#include <algorithm>
#include <functional>

namespace syncline::kit::testing {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kBatchMax = 200;

}  // namespace

std::int32_t MemoryBroker::partition_of(const std::optional<std::string>& key) const {
    return static_cast<std::int32_t>(std::hash<std::string>{}(key.value_or("")) % static_cast<std::size_t>(partitions_));
}

MemoryBroker::Log& MemoryBroker::log_of(const std::string& topic, std::int32_t partition) {
    return logs_[{topic, partition}];
}

Position MemoryBroker::publish(const std::string& topic, std::optional<std::string> key, std::string value,
                               RecordHeaders headers) {
    const auto partition = partition_of(key);
    Position position;
    {
        const std::lock_guard lock(mutex_);
        auto& log = log_of(topic, partition);
        position = {topic, partition, log.first + static_cast<std::int64_t>(log.records.size())};
        log.records.push_back(
            {.position = position, .key = std::move(key), .value = std::move(value), .headers = std::move(headers)});
    }
    changed_.notify_all();
    return position;
}

std::vector<TransportRecord> MemoryBroker::records(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    std::vector<TransportRecord> all;
    for (const auto& [where, log] : logs_) {
        if (where.topic == topic) {
            all.insert(all.end(), log.records.begin(), log.records.end());
        }
    }
    return all;
}

std::int64_t MemoryBroker::committed(const std::string& group, const TopicPartition& partition) const {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(group);
    if (found == groups_.end()) {
        return -1;
    }
    const auto offset = found->second.committed.find(partition);
    return offset == found->second.committed.end() ? -1 : offset->second;
}

void MemoryBroker::set_committed(const std::string& group, const Position& next) {
    const std::lock_guard lock(mutex_);
    groups_[group].committed[{next.topic, next.partition}] = next.offset;
}

void MemoryBroker::trim(const TopicPartition& partition, std::int64_t before) {
    const std::lock_guard lock(mutex_);
    auto& log = logs_[partition];
    const auto gone = std::clamp<std::int64_t>(before - log.first, 0, static_cast<std::int64_t>(log.records.size()));
    log.records.erase(log.records.begin(), log.records.begin() + gone);
    log.first += gone;
}

void MemoryBroker::fail_sends(int count) {
    const std::lock_guard lock(mutex_);
    failing_sends_ = count;
}

bool MemoryBroker::all_paused(const std::string& group) const {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(group);
    if (found == groups_.end()) {
        return false;
    }
    return std::ranges::all_of(found->second.members, [](const auto* member) {
        return !member->next_.empty() &&
               std::ranges::all_of(member->next_, [&](const auto& entry) { return member->paused_.contains(entry.first); });
    });
}

std::unique_ptr<MemorySource> MemoryBroker::join(std::string group) {
    return std::unique_ptr<MemorySource>(new MemorySource(*this, std::move(group)));
}

void MemoryBroker::send(OutgoingRecord record, Sent sent) {
    {
        const std::lock_guard lock(mutex_);
        if (failing_sends_ > 0) {
            --failing_sends_;
            sent(core::fail(core::ErrorKind::unknown_outcome, "delivery_unknown", "made to fail"));
            return;
        }
    }
    publish(record.topic, std::move(record.key), std::move(record.value), std::move(record.headers));
    sent({});
}

std::vector<core::Result<TransportRecord>> MemoryBroker::read(std::span<const Position> positions, core::Deadline /*deadline*/) {
    std::vector<core::Result<TransportRecord>> answers;
    const std::lock_guard lock(mutex_);
    for (const auto& position : positions) {
        const auto& log = log_of(position.topic, position.partition);
        const auto index = position.offset - log.first;
        if (index < 0) {
            answers.emplace_back(core::fail(core::ErrorKind::rejected, "record_gone", "retention has taken it"));
        } else if (index >= static_cast<std::int64_t>(log.records.size())) {
            answers.emplace_back(core::fail(core::ErrorKind::not_ready, "offset_not_written", "beyond the end"));
        } else {
            answers.emplace_back(log.records[static_cast<std::size_t>(index)]);
        }
    }
    return answers;
}

// As Kafka's range assignor over members in the order in which they joined.
std::vector<TopicPartition> MemoryBroker::share_of(const Group& group, const MemorySource* member) const {
    std::vector<TopicPartition> share;
    const auto self = static_cast<int>(std::ranges::find(group.members, member) - group.members.begin());
    const auto members = static_cast<int>(group.members.size());
    for (const auto& topic : member->topics_) {
        const int each = partitions_ / members;
        const int more = partitions_ % members;
        const int first = self * each + std::min(self, more);
        const int count = each + (self < more ? 1 : 0);
        for (int partition = first; partition < first + count; ++partition) {
            share.push_back({topic, partition});
        }
    }
    return share;
}

MemorySource::~MemorySource() {
    stop(core::Deadline(core::system_clock(), 30s));
}

core::Result<void> MemorySource::start(std::vector<std::string> topics, Listener listener) {
    topics_ = std::move(topics);
    listener_ = std::move(listener);
    {
        const std::lock_guard lock(broker_.mutex_);
        progress_ = core::system_clock().steady();
        auto& group = broker_.groups_[group_];
        group.members.push_back(this);
        ++group.generation;
        group.released.clear();
        member_ = true;
    }
    broker_.changed_.notify_all();
    thread_ = std::thread([this] { run(); });
    return {};
}

void MemorySource::pause(const std::vector<TopicPartition>& partitions) {
    const std::lock_guard lock(broker_.mutex_);
    paused_.insert(partitions.begin(), partitions.end());
}

void MemorySource::resume(const std::vector<TopicPartition>& partitions) {
    {
        const std::lock_guard lock(broker_.mutex_);
        for (const auto& partition : partitions) {
            paused_.erase(partition);
        }
    }
    broker_.changed_.notify_all();
}

void MemorySource::commit(const std::vector<Position>& next) {
    (void)commit_now(next, core::Deadline(core::system_clock(), 1s));
}

core::Result<void> MemorySource::commit_now(const std::vector<Position>& next, core::Deadline /*deadline*/) {
    const std::lock_guard lock(broker_.mutex_);
    if (!member_) {
        return core::fail(core::ErrorKind::transient, "kafka_error", "UNKNOWN_MEMBER_ID");
    }
    for (const auto& position : next) {
        broker_.groups_[group_].committed[{position.topic, position.partition}] = position.offset;
    }
    return {};
}

core::SteadyTime MemorySource::last_progress() const {
    const std::lock_guard lock(broker_.mutex_);
    return progress_;
}

std::vector<RecordSource::Lag> MemorySource::lag() const {
    const std::lock_guard lock(broker_.mutex_);
    std::vector<Lag> lags;
    for (const auto& [where, next] : next_) {
        const auto& log = broker_.log_of(where.topic, where.partition);
        lags.push_back({where, log.first + static_cast<std::int64_t>(log.records.size()) - next});
    }
    // Records on their way into on_records are nobody's yet.
    if (!lags.empty()) {
        lags.front().records += static_cast<std::int64_t>(handing_over_);
    }
    return lags;
}

void MemorySource::stop(core::Deadline /*deadline*/) {
    {
        const std::lock_guard lock(broker_.mutex_);
        stopping_ = true;
        frozen_ = false;
    }
    broker_.changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void MemorySource::freeze() {
    {
        const std::lock_guard lock(broker_.mutex_);
        frozen_ = true;
        auto& group = broker_.groups_[group_];
        std::erase(group.members, this);
        ++group.generation;
        group.released.clear();
        member_ = false;
    }
    broker_.changed_.notify_all();
}

void MemorySource::thaw() {
    {
        const std::lock_guard lock(broker_.mutex_);
        frozen_ = false;
    }
    broker_.changed_.notify_all();
}

void MemorySource::leave(std::unique_lock<std::mutex>& lock, bool lost) {
    std::vector<TopicPartition> gone;
    for (const auto& [partition, next] : next_) {
        gone.push_back(partition);
    }
    if (!gone.empty()) {
        lock.unlock();
        listener_.on_revoked(gone, lost);
        lock.lock();
    }
    next_.clear();
    paused_.clear();
    lost_.clear();
}

void MemorySource::rebalance(std::unique_lock<std::mutex>& lock) {
    auto& group = broker_.groups_[group_];
    const auto generation = group.generation;
    leave(lock, false);
    if (group.generation != generation || frozen_ || !member_) {
        return;
    }
    group.released.insert(this);
    broker_.changed_.notify_all();
    broker_.changed_.wait(lock, [&] {
        return stopping_ || frozen_ || group.generation != generation || group.released.size() == group.members.size();
    });
    if (stopping_ || frozen_ || group.generation != generation) {
        return;
    }
    auto share = broker_.share_of(group, this);
    std::vector<std::int64_t> starts;
    if (listener_.starts && !share.empty()) {
        lock.unlock();
        auto answer = listener_.starts(share);
        lock.lock();
        if (!answer || stopping_ || frozen_ || group.generation != generation) {
            // Asked for again at the next look.
            broker_.changed_.wait_for(lock, 50ms);
            return;
        }
        starts = std::move(*answer);
    }
    generation_ = generation;
    for (std::size_t i = 0; i < share.size(); ++i) {
        const auto& partition = share[i];
        const auto first = broker_.log_of(partition.topic, partition.partition).first;
        const auto committed = group.committed.find(partition);
        if (!starts.empty()) {
            next_[partition] = starts[i] == kFromBeginning ? first : starts[i];
        } else {
            next_[partition] = committed == group.committed.end() ? first : committed->second;
        }
    }
    if (!share.empty()) {
        lock.unlock();
        listener_.on_assigned(share);
        lock.lock();
    }
}

void MemorySource::run() {
    std::unique_lock lock(broker_.mutex_);
    while (!stopping_) {
        progress_ = core::system_clock().steady();
        if (frozen_) {
            broker_.changed_.wait_for(lock, 100ms, [&] { return stopping_ || !frozen_; });
            continue;
        }
        if (!member_) {
            // Thawed: the group went on without us.
            leave(lock, true);
            auto& group = broker_.groups_[group_];
            group.members.push_back(this);
            ++group.generation;
            group.released.clear();
            member_ = true;
            broker_.changed_.notify_all();
            continue;
        }
        if (generation_ != broker_.groups_[group_].generation) {
            rebalance(lock);
            continue;
        }
        std::vector<TransportRecord> batch;
        std::vector<TopicPartition> gone;
        for (auto& [where, next] : next_) {
            const auto& log = broker_.log_of(where.topic, where.partition);
            if (next < log.first) {
                if (lost_.insert(where).second) {
                    gone.push_back(where);
                }
                continue;
            }
            const auto end = log.first + static_cast<std::int64_t>(log.records.size());
            while (!paused_.contains(where) && next < end && batch.size() < kBatchMax) {
                batch.push_back(log.records[static_cast<std::size_t>(next - log.first)]);
                ++next;
            }
        }
        if (!gone.empty()) {
            lock.unlock();
            for (const auto& where : gone) {
                listener_.on_position_lost(where, {.kind = core::ErrorKind::rejected,
                                                   .code = "offset_gone",
                                                   .message = where.topic + '/' + std::to_string(where.partition),
                                                   .hint = "decide where to go on"});
            }
            lock.lock();
        }
        if (!batch.empty()) {
            handing_over_ = batch.size();
            lock.unlock();
            listener_.on_records(std::move(batch));
            lock.lock();
            handing_over_ = 0;
            continue;
        }
        broker_.changed_.wait_for(lock, 50ms);
    }
    leave(lock, false);
    if (member_) {
        auto& group = broker_.groups_[group_];
        std::erase(group.members, this);
        group.released.clear();
        ++group.generation;
        member_ = false;
    }
    lock.unlock();
    broker_.changed_.notify_all();
}

}  // namespace syncline::kit::testing
