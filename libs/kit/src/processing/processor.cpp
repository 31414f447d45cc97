#include <syncline/kit/processor.h>

#include <syncline/telemetry/metrics.h>
#include <algorithm>

#include "src/batch/group.h"
#include "src/batch/outbox.h"
#include "src/batch/routes.h"
#include "src/processing/admin_routes.h"
#include "src/processing/dead_letter_routes.h"
#include "src/processing/engine.h"
#include "src/processing/scans.h"
#include "src/store/schema.h"

namespace syncline::kit {
namespace {

core::Error wrong(std::string message) {
    return {.kind = core::ErrorKind::bug,
            .code = "handlers_wrong",
            .message = std::move(message),
            .hint = "mend the wiring of the service"};
}

using BatchesByGroup = std::vector<std::pair<std::string, std::vector<BatchHandler>>>;  // In the order they were given.

core::Result<BatchesByGroup> by_group(std::vector<BatchHandler> batches) {
    BatchesByGroup groups;
    for (auto& batch : batches) {
        auto group = std::ranges::find(groups, batch.consumer_group, &BatchesByGroup::value_type::first);
        if (group == groups.end()) {
            group = groups.insert(groups.end(), {batch.consumer_group, {}});
        }
        group->second.push_back(std::move(batch));
    }
    for (const auto& [name, handlers] : groups) {
        if (auto ok = BatchGroup::check(handlers); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    return groups;
}

}  // namespace

// The two shapes of handler side by side, and what they share.
struct Processor::Parts {
    Parts(ProcessorOptions its_options, const ProcessorPorts& its_ports)
        : options(std::move(its_options)), ports(its_ports), meters(its_ports.metrics) {}

    void wake_relay() const {
        if (engine) {
            engine->wake_relay();
        } else {
            outbox->wake();
        }
    }

    void declare_gauges() {
        auto& metrics = ports.metrics;
        metrics.gauge("syncline_in_flight_records", "Records read and not yet settled.",
                      [this] { return static_cast<double>(figures().in_flight_records); });
        metrics.gauge("syncline_in_flight_bytes", "Bytes of records read and not yet settled.",
                      [this] { return static_cast<double>(figures().in_flight_bytes); });
        metrics.gauge("syncline_handlers_running", "Handlers running now.",
                      [this] { return static_cast<double>(figures().running); });
        metrics.gauge("syncline_partitions_paused", "Assigned partitions that are paused.", [this] {
            std::size_t paused = 0;
            if (engine) {
                const auto its = engine->figures();
                paused += its.paused ? its.partitions : 0;
            }
            for (const auto& group : batches) {
                paused += group->paused();
            }
            return static_cast<double>(paused);
        });
        metrics.gauge("syncline_postgres_available", "1 while PostgreSQL answers.",
                      [this] { return figures().postgres_available ? 1.0 : 0.0; });
        metrics.gauge("syncline_consumer_lag_records", "Records not yet read.", {"topic", "partition"}, [this] {
            // A topic that is handled by key and in batches has one figure: that of the group that is further behind.
            std::map<TopicPartition, std::int64_t> lags;
            const auto add = [&](const std::vector<RecordSource::Lag>& more) {
                for (const auto& lag : more) {
                    auto& known = lags[lag.partition];
                    known = std::max(known, lag.records);
                }
            };
            if (engine) {
                add(engine->lag());
            }
            for (const auto& group : batches) {
                add(group->lag());
            }
            std::vector<telemetry::Sample> samples;
            for (const auto& [where, records] : lags) {
                samples.push_back({{where.topic, std::to_string(where.partition)}, static_cast<double>(records)});
            }
            return samples;
        });
    }

    [[nodiscard]] Figures figures() const {
        Figures sum;
        const auto add = [&sum](const Figures& more) {
            sum.in_flight_records += more.in_flight_records;
            sum.in_flight_bytes += more.in_flight_bytes;
            sum.running += more.running;
            sum.circuit_open = sum.circuit_open || more.circuit_open;
            sum.brokers_up = std::max(sum.brokers_up, more.brokers_up);
            sum.postgres_available = sum.postgres_available && more.postgres_available;
            sum.paused = sum.paused || more.paused;
            sum.partitions += more.partitions;
        };
        if (engine) {
            add(engine->figures());
        }
        for (const auto& group : batches) {
            add(group->figures());
        }
        return sum;
    }

    // `ask` of each part, until one has something to say.
    template <typename Ask>
    core::Result<void> each(Ask ask) const {
        if (engine) {
            if (auto answer = ask(*engine); !answer) {
                return answer;
            }
        }
        for (const auto& group : batches) {
            if (auto answer = ask(*group); !answer) {
                return answer;
            }
        }
        return {};
    }

    const ProcessorOptions options;
    const ProcessorPorts ports;
    const EventMeters meters;
    std::unique_ptr<Engine> engine;                    // Null without handlers by key.
    std::unique_ptr<BatchOutbox> outbox;               // Only without an engine.
    std::vector<std::unique_ptr<BatchGroup>> batches;  // Last: they write into the outbox of the others.
};

std::span<const Migration> Processor::migrations() {
    return store::migrations();
}

core::Result<std::unique_ptr<Processor>> Processor::make(std::vector<HandlerSpec> handlers, std::optional<TargetSpec> target,
                                                         ResolvesHold resolves_hold, ProcessorOptions options,
                                                         const ProcessorPorts& ports, std::vector<BatchHandler> batches) {
    auto groups = by_group(std::move(batches));
    if (!groups) {
        return std::unexpected(std::move(groups.error()));
    }
    std::optional<HandlerTable> table;
    if (!handlers.empty() || groups->empty()) {
        auto made = HandlerTable::make(std::move(handlers));
        if (!made) {
            return std::unexpected(std::move(made.error()));
        }
        if (ports.source == nullptr) {
            return std::unexpected(wrong("handlers by key without a source of records"));
        }
        table = std::move(*made);
    }
    for (const auto& [name, its] : *groups) {
        if (table && table->group() == name) {
            return std::unexpected(wrong("handlers by key and batches name one consumer group: " + name));
        }
        if (!ports.batch_sources.contains(name)) {
            return std::unexpected(wrong("batches of a group without a source of records: " + name));
        }
    }
    auto parts = std::make_unique<Parts>(std::move(options), ports);
    if (table) {
        parts->engine = std::make_unique<Engine>(std::move(*table), std::move(target), std::move(resolves_hold), parts->options,
                                                 parts->ports, parts->meters);
    } else {
        parts->outbox = std::make_unique<BatchOutbox>(parts->options, parts->ports, parts->meters);
    }
    if (!groups->empty()) {
        const BatchMeters meters(ports.metrics);
        for (auto& [name, its] : *groups) {
            parts->batches.push_back(std::make_unique<BatchGroup>(std::move(its), parts->options, parts->ports,
                                                                  *ports.batch_sources.at(name), parts->meters, meters,
                                                                  [raw = parts.get()] { raw->wake_relay(); }));
        }
    }
    parts->declare_gauges();
    return std::unique_ptr<Processor>(new Processor(std::move(parts)));
}

Processor::Processor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Processor::~Processor() = default;

void Processor::add_admin_routes(AdminRouter& router) {
    DeadLetterDesk desk{.pool = parts_->ports.pool,
                        .clock = parts_->ports.clock,
                        .service = parts_->options.service,
                        .wake_relay = [parts = parts_.get()] { parts->wake_relay(); },
                        .groups = {}};
    if (parts_->engine) {
        add_key_routes(router, *parts_->engine);
        desk.groups.push_back(dead_letters_of(*parts_->engine));
    }
    std::vector<store::Identity> batch_groups;
    for (const auto& group : parts_->batches) {
        batch_groups.push_back(group->who());
        desk.groups.push_back({.who = group->who(), .replay = [raw = group.get()](auto& tx, const auto& letter) {
                                   return raw->replay(tx, letter);
                               }});
    }
    add_dead_letter_routes(router, std::move(desk));
    if (parts_->engine) {
        add_connection_routes(router, *parts_->engine);
    }
    if (!batch_groups.empty()) {
        add_batch_routes(router, parts_->ports.pool, std::move(batch_groups));
    }
}
core::Result<void> Processor::start() {
    if (parts_->outbox) {
        parts_->outbox->start();
    }
    return parts_->each([](auto& part) { return part.start(); });
}
core::Result<void> Processor::ready() const {
    return parts_->each([](const auto& part) { return part.ready(); });
}
core::Result<void> Processor::alive(std::chrono::nanoseconds stuck_after) const {
    return parts_->each([&](const auto& part) { return part.alive(stuck_after); });
}
void Processor::mappings_changed(std::string version) {
    if (parts_->engine) {
        parts_->engine->mappings_changed(std::move(version));
    }
}
bool Processor::drain(core::Deadline deadline) {
    // The batches first: what they write leaves through the outbox of the others.
    bool complete = true;
    for (const auto& group : parts_->batches) {
        complete = group->drain(deadline) && complete;
    }
    if (parts_->outbox) {
        parts_->outbox->stop(deadline);
    }
    return (parts_->engine == nullptr || parts_->engine->drain(deadline)) && complete;
}
Processor::Figures Processor::figures() const {
    return parts_->figures();
}

}  // namespace syncline::kit
