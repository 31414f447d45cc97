#include <google/protobuf/message_lite.h>
#include <syncline/kit/service.h>
#include <syncline/kit/testing/harness.h>
#include <algorithm>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "src/runtime/service_core.h"

namespace syncline::kit::testing {
namespace {

using namespace std::chrono_literals;

core::Deadline within(std::chrono::milliseconds time) {
    return {core::system_clock(), time};
}

void must(const core::Result<void>& result) {
    if (!result) {
        throw std::runtime_error(result.error().code + ": " + result.error().message);
    }
}

}  // namespace

// A service as its main() wires it, on the harness's transport.
struct Harness::Member::Wired {
    explicit Wired(std::unique_ptr<ServiceCore> its) : core(std::move(its)) {}
    // As run() goes down: parts first, the last one first.
    void stop_runnables(const core::Deadline& deadline) {
        const auto& runnables = core->runnables();
        while (started > 0) {
            runnables[--started].stop(deadline);
        }
    }
    std::unique_ptr<ServiceCore> core;
    std::size_t started = 0;
};

Harness::Member::Member() = default;
Harness::Member::~Member() {
    if (wired_) {
        wired_->stop_runnables(within(5s));
        wired_->core->release();
    }
}

bool Harness::Member::drain(std::chrono::milliseconds time) {
    if (wired_) {
        wired_->stop_runnables(within(time));
    }
    const bool complete = processor == nullptr || processor->drain(within(time));
    if (wired_) {
        for (auto stop = wired_->core->stops().rbegin(); stop != wired_->core->stops().rend(); ++stop) {
            (*stop)();
        }
    }
    return complete;
}

void Harness::Member::freeze() {
    for (auto* one : sources) {
        one->freeze();
    }
}

void Harness::Member::thaw() {
    for (auto* one : sources) {
        one->thaw();
    }
}

telemetry::Metrics& Harness::Member::metrics() {
    return wired_ ? wired_->core->metrics() : own_metrics_;
}

AdminReply Harness::Member::admin(const AdminRequest& request) {
    return (wired_ ? wired_->core->admin() : own_router_).dispatch(request);
}

Harness::Harness(HarnessOptions options) : options_(std::move(options)), broker_(options_.partitions) {
    options_.processing.gather_linger = std::min(options_.processing.gather_linger, std::chrono::milliseconds{1});
    if (options_.wire) {
        // Its tables are known when it was wired once.
        const auto member = made(std::nullopt, {});
        std::vector<std::string> scripts;
        for (const auto& migration : member->wired_->core->migrations()) {
            scripts.push_back(migration.sql);
        }
        run_migrations(scripts);
        return;
    }
    group_ = options_.handlers.empty() ? options_.batches.front().consumer_group : options_.handlers.front().consumer_group;
    if (options_.processing.service.empty()) {
        options_.processing.service = options_.service;
    }
    std::vector<std::string> scripts;
    for (const auto& migration : Processor::migrations()) {
        scripts.emplace_back(migration.sql);
    }
    scripts.insert(scripts.end(), options_.migrations.begin(), options_.migrations.end());
    run_migrations(scripts);
}

void Harness::run_migrations(const std::vector<std::string>& scripts) {
    for (const auto& sql : scripts) {
        must(database_.pool().run(within(30s), [&](postgres::Transaction& tx) { return tx.exec_script(sql); }));
    }
}

Harness::~Harness() {
    stop();
    // What was "killed" still has threads: they end before the broker and the database do.
    for (auto& member : crashed_) {
        member->drain(10s);
    }
}

void Harness::wire_into(Member& member, const std::string& url) {
    Surroundings surroundings{.schema = database_.schema(),
                              .source =
                                  [this, &member](const std::string& group) {
                                      auto source = broker_.join(group);
                                      if (group_.empty()) {
                                          group_ = group;
                                      }
                                      member.sources.push_back(source.get());
                                      return std::unique_ptr<RecordSource>(std::move(source));
                                  },
                              .sink = &broker_,
                              .reader = &broker_,
                              .adjust =
                                  [this](ProcessorOptions& processing) {
                                      processing = options_.processing;
                                  }};
    auto source = ConfigSource::from_text(options_.config, "config",
                                          {{"SYNCLINE_POSTGRES_URL", url.empty() ? database_.options().url : url}});
    member.wired_ = std::make_unique<Member::Wired>(
        std::make_unique<ServiceCore>(options_.service, Mode::serve, std::move(source), clock_, std::move(surroundings)));
    options_.wire(*member.wired_->core);
    member.wired_->core->finish_wiring();
    member.processor = member.wired_->core->processor();
}

std::unique_ptr<Harness::Member> Harness::made(std::optional<std::vector<HandlerSpec>> handlers, const std::string& url) {
    auto member = std::make_unique<Member>();
    if (options_.wire) {
        wire_into(*member, url);
        return member;
    }
    auto pool = database_.options();
    if (!url.empty()) {
        pool.url = url;
    }
    member->pool = std::make_unique<postgres::Pool>(pool);
    auto its = handlers.value_or(options_.handlers);
    ProcessorPorts ports{
        .clock = clock_, .metrics = member->own_metrics_, .pool = *member->pool, .sink = broker_, .reader = broker_};
    if (!its.empty()) {
        member->source = broker_.join(its.front().consumer_group);
        ports.source = member->source.get();
        member->sources.push_back(member->source.get());
    }
    for (const auto& batch : options_.batches) {
        auto& source = member->batch_sources[batch.consumer_group];
        if (!source) {
            source = broker_.join(batch.consumer_group);
            ports.batch_sources[batch.consumer_group] = source.get();
            member->sources.push_back(source.get());
        }
    }
    auto processor =
        Processor::make(std::move(its), options_.target, options_.resolves_hold, options_.processing, ports, options_.batches);
    if (!processor) {
        throw std::runtime_error(processor.error().message);
    }
    member->own_processor_ = std::move(*processor);
    member->processor = member->own_processor_.get();
    member->processor->add_admin_routes(member->own_router_);
    return member;
}

std::unique_ptr<Harness::Member> Harness::join(std::optional<std::vector<HandlerSpec>> handlers, const std::string& url) {
    auto member = made(std::move(handlers), url);
    if (member->wired_) {
        for (const auto& runnable : member->wired_->core->runnables()) {
            runnable.start();
            ++member->wired_->started;
        }
    }
    if (member->processor != nullptr) {
        must(member->processor->start());
    }
    return member;
}

void Harness::start() {
    first_ = join();
}

void Harness::stop() {
    if (first_) {
        first_->drain(20s);
        first_.reset();
    }
}

void Harness::crash() {
    // A frozen source commits nothing; its threads stay behind until the harness ends.
    first_->freeze();
    crashed_.push_back(std::move(first_));
}

Position Harness::publish(const std::string& topic, const std::string& key, const google::protobuf::MessageLite& event,
                          EventMeta meta) {
    const auto now = core::format_rfc3339_utc(clock_.now());
    return broker_.publish(topic, key, event.SerializeAsString(),
                           {{"content-type", "application/protobuf"},
                            {"ce_specversion", "1.0"},
                            {"ce_id", meta.id.empty() ? core::uuid_v4() : meta.id},
                            {"ce_type", meta.type.empty() ? event.GetTypeName() : meta.type},
                            {"ce_source", "test"},
                            {"ce_subject", key},
                            {"ce_time", now},
                            {"ce_correlationid", meta.correlation_id},
                            {"syncline-received-at", now}});
}

bool Harness::eventually(const std::function<bool()>& true_now, std::chrono::milliseconds time) {
    const auto deadline = within(time);
    while (!true_now()) {
        if (deadline.passed()) {
            return false;
        }
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

bool Harness::settle(std::chrono::milliseconds time) {
    return eventually(
        [&] {
            const auto figures = first_->processor->figures();
            if (figures.in_flight_records != 0 || figures.running != 0 || figures.partitions == 0) {
                return false;
            }
            // The processor hears of its partitions before a source lists them.
            std::size_t listed = 0;
            for (const auto* source : first_->sources) {
                const auto lags = source->lag();
                listed += lags.size();
                if (lags.empty() || std::ranges::any_of(lags, [](const auto& lag) { return lag.records != 0; })) {
                    return false;
                }
            }
            if (listed < figures.partitions) {
                return false;
            }
            return count("SELECT count(*) FROM outbox") == 0 && first_->processor->figures().in_flight_records == 0;
        },
        time);
}

void Harness::advance(std::chrono::nanoseconds by, std::chrono::nanoseconds step) {
    while (by.count() > 0) {
        const auto part = std::min(by, step);
        clock_.advance(part);
        by -= part;
        // Scans look once a second of the manual clock; the threads need a moment of the machine's.
        std::this_thread::sleep_for(15ms);
        eventually([&] { return first_->processor->figures().running == 0; }, 5s);
    }
}

bool Harness::advance_until(const std::function<bool()>& holds, std::chrono::nanoseconds step, std::chrono::milliseconds time) {
    return eventually(
        [&] {
            if (holds()) {
                return true;
            }
            clock_.advance(step);
            std::this_thread::sleep_for(10ms);
            return false;
        },
        time);
}

std::int64_t Harness::count(std::string_view sql) {
    return std::stoll(database_.value(sql));
}

std::int64_t Harness::inbox(std::string_view state) {
    return std::stoll(database_.value("SELECT count(*) FROM inbox WHERE state = $1", postgres::Params{}.add(state)));
}

std::int64_t Harness::parked(std::string_view state) {
    return std::stoll(database_.value("SELECT count(*) FROM parked_events WHERE state = $1", postgres::Params{}.add(state)));
}

AdminReply Harness::admin(const std::string& method, const std::string& path, const std::string& body) {
    const auto question = path.find('?');
    return first_->admin(
        {.method = method,
         .path = path.substr(0, question),
         .path_values = {},
         .query = question == std::string::npos ? std::map<std::string, std::string>{} : parsed_query(path.substr(question + 1)),
         .body = body,
         .actor = "tester"});
}

}  // namespace syncline::kit::testing
