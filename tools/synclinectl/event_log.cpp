#include "event_log.h"

#include <fmt/format.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/orders/v1/events.pb.h>
#include <algorithm>
#include <set>

namespace synclinectl {
namespace {

using syncline::core::Result;
using syncline::kafka::Position;
using syncline::kafka::Record;

syncline::kafka::ClientOptions client_of(const Targets& targets) {
    return {.brokers = targets.brokers, .client_id = "synclinectl", .overrides = targets.kafka_properties};
}

class KafkaEventLog final : public EventLog {
public:
    KafkaEventLog(const Targets& targets, std::chrono::milliseconds timeout) : targets_(targets), timeout_(timeout) {}

    Result<std::vector<Record>> records_of(const std::string& key, const std::vector<Position>& positions,
                                           const std::vector<std::string>& topics, int scan) override {
        auto fetcher = syncline::kafka::Fetcher::create(client_of(targets_));
        if (!fetcher) {
            return std::unexpected(std::move(fetcher.error()));
        }
        const syncline::core::Deadline deadline(syncline::core::system_clock(), timeout_);
        std::vector<Record> out;
        std::set<Position> seen;
        const auto keep = [&](Record record) {
            record.topic.erase(0, targets_.prefix.size() + 1);
            if (record.key == key && seen.insert({record.topic, record.partition, record.offset}).second) {
                out.push_back(std::move(record));
            }
        };
        std::vector<Position> full;
        for (const auto& position : positions) {
            full.push_back({targets_.prefix + "." + position.topic, position.partition, position.offset});
        }
        for (auto& answer : (*fetcher)->read_many(full, deadline)) {
            if (answer) {
                keep(std::move(*answer));
            } else if (answer.error().code != "offset_gone" && answer.error().code != "offset_not_written") {
                return std::unexpected(std::move(answer.error()));
            }
        }
        for (const auto& topic : topics) {
            auto newest = (*fetcher)->tail(targets_.prefix + "." + topic, scan, deadline);
            if (!newest) {
                return std::unexpected(std::move(newest.error()));
            }
            for (auto& record : *newest) {
                keep(std::move(record));
            }
        }
        return out;
    }

private:
    const Targets& targets_;
    std::chrono::milliseconds timeout_;
};

class KafkaClusterView final : public ClusterView {
public:
    KafkaClusterView(const Targets& targets, std::chrono::milliseconds timeout)
        : admin_(syncline::kafka::Admin::create(client_of(targets))), timeout_(timeout) {}

    Result<syncline::kafka::ClusterDescription> ping() override {
        if (!admin_) {
            return std::unexpected(admin_.error());
        }
        return (*admin_)->ping(deadline());
    }
    Result<std::vector<syncline::kafka::TopicDescription>> describe(const std::vector<std::string>& topics) override {
        if (!admin_) {
            return std::unexpected(admin_.error());
        }
        return (*admin_)->describe(topics, deadline());
    }
    Result<std::vector<syncline::kafka::Acl>> acls(const std::string& prefix) override {
        if (!admin_) {
            return std::unexpected(admin_.error());
        }
        return (*admin_)->acls(prefix, deadline());
    }

private:
    [[nodiscard]] syncline::core::Deadline deadline() const { return {syncline::core::system_clock(), timeout_}; }

    Result<std::unique_ptr<syncline::kafka::Admin>> admin_;
    std::chrono::milliseconds timeout_;
};

// CAUSE_PAID → paid
std::string short_name(std::string_view full, std::string_view prefix) {
    std::string out(full.starts_with(prefix) ? full.substr(prefix.size()) : full);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

template <typename Event>
std::optional<Event> decoded(const Record& record, std::string_view type) {
    Event event;
    if (type != Event::descriptor()->full_name() || !record.value || !event.ParseFromString(*record.value)) {
        return std::nullopt;
    }
    return event;
}

}  // namespace

std::unique_ptr<EventLog> kafka_event_log(const Targets& targets, std::chrono::milliseconds timeout) {
    return std::make_unique<KafkaEventLog>(targets, timeout);
}

std::unique_ptr<ClusterView> kafka_cluster_view(const Targets& targets, std::chrono::milliseconds timeout) {
    return std::make_unique<KafkaClusterView>(targets, timeout);
}

std::string summary_of(const Record& record) {
    namespace orders = syncline::orders::v1;
    namespace exports = syncline::exports::v1;
    const auto type = record.header("ce_type").value_or("?");
    const std::string name(type.substr(type.rfind('.') + 1));
    if (const auto event = decoded<orders::OrderChanged>(record, type)) {
        return name + " " + short_name(orders::Cause_Name(event->cause()), "CAUSE_");
    }
    if (const auto event = decoded<exports::OrderExported>(record, type)) {
        return fmt::format("{} {} as {} ({})", name, short_name(exports::ExportAction_Name(event->action()), "EXPORT_ACTION_"),
                           event->document().name(), event->context().connection());
    }
    if (const auto event = decoded<exports::OrderExportHeld>(record, type)) {
        return fmt::format("{} {} {} ({})", name, event->code(), event->waits_for(), event->context().connection());
    }
    if (const auto event = decoded<exports::OrderExportFailed>(record, type)) {
        return fmt::format("{} {} ({})", name, event->code(), event->context().connection());
    }
    if (const auto event = decoded<exports::RefundExported>(record, type)) {
        return fmt::format("{} {} as {} ({})", name, event->refund_id(), event->document().name(), event->context().connection());
    }
    if (const auto event = decoded<exports::RefundExportHeld>(record, type)) {
        return fmt::format("{} {} {} {} ({})", name, event->refund_id(), event->code(), event->waits_for(),
                           event->context().connection());
    }
    if (const auto event = decoded<exports::ExportHoldEnded>(record, type)) {
        return fmt::format("{} {} ({})", name, event->subject(), event->context().connection());
    }
    if (const auto event = decoded<exports::DocumentStateChanged>(record, type)) {
        return fmt::format("{} {} {} {} {} ({})", name, event->document().name(), event->document().state(), event->invoicing(),
                           event->delivery(), event->context().connection());
    }
    return name;
}

}  // namespace synclinectl
