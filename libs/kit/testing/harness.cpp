#include <google/protobuf/message_lite.h>
#include <syncline/kit/testing/harness.h>
#include <algorithm>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

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

Harness::Harness(HarnessOptions options)
    : options_(std::move(options)), group_(options_.handlers.front().consumer_group), broker_(options_.partitions) {
    const auto run = [this](std::string_view sql) {
        must(database_.pool().run(within(30s), [&](postgres::Transaction& tx) { return tx.exec_script(sql); }));
    };
    for (const auto& migration : Processor::migrations()) {
        run(migration.sql);
    }
    for (const auto& sql : options_.migrations) {
        run(sql);
    }
    if (options_.processing.service.empty()) {
        options_.processing.service = "test";
    }
    options_.processing.gather_linger = std::min(options_.processing.gather_linger, std::chrono::milliseconds{1});
}

Harness::~Harness() {
    stop();
    // What was "killed" still has threads: they end before the broker and the database do.
    for (auto& member : crashed_) {
        member->processor->drain(within(10s));
    }
}

bool Harness::Member::drain(std::chrono::milliseconds time) {
    return processor->drain(within(time));
}

std::unique_ptr<Harness::Member> Harness::join(std::optional<std::vector<HandlerSpec>> handlers, const std::string& url) {
    auto member = std::make_unique<Member>();
    auto pool = database_.options();
    if (!url.empty()) {
        pool.url = url;
    }
    member->pool = std::make_unique<postgres::Pool>(pool);
    member->source = broker_.join(group_);
    auto made =
        Processor::make(handlers.value_or(options_.handlers), options_.target, options_.resolves_hold, options_.processing,
                        {.clock = clock_,
                         .metrics = member->metrics,
                         .pool = *member->pool,
                         .source = *member->source,
                         .sink = broker_,
                         .reader = broker_});
    if (!made) {
        throw std::runtime_error(made.error().message);
    }
    member->processor = std::move(*made);
    member->processor->add_admin_routes(member->router);
    must(member->processor->start());
    return member;
}

void Harness::start() {
    first_ = join();
}

void Harness::stop() {
    if (first_) {
        first_->processor->drain(within(20s));
        first_.reset();
    }
}

void Harness::crash() {
    // A frozen source commits nothing; its threads stay behind until the harness ends.
    first_->source->freeze();
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
            // The processor hears of its partitions before the source lists them.
            const auto lags = first_->source->lag();
            if (lags.size() < figures.partitions || std::ranges::any_of(lags, [](const auto& lag) { return lag.records != 0; })) {
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
    return first_->router.dispatch(
        {.method = method,
         .path = path.substr(0, question),
         .path_values = {},
         .query = question == std::string::npos ? std::map<std::string, std::string>{} : parsed_query(path.substr(question + 1)),
         .body = body,
         .actor = "tester"});
}

}  // namespace syncline::kit::testing
