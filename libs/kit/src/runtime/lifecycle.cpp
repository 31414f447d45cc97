#include "src/runtime/lifecycle.h"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <syncline/core/clock.h>
#include <syncline/kafka/admin.h>
#include <syncline/telemetry/log.h>
#include <syncline/telemetry/trace.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/runtime/describe.h"
#include "src/runtime/topic_check.h"
#include "src/runtime/version.h"

namespace syncline::kit {
namespace {

namespace log = telemetry::log;
using namespace std::chrono_literals;

constexpr auto kAttempt = 3s;
constexpr auto kMigration = 600s;
constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 2'000ms;
constexpr auto kLogEvery = 5s;
constexpr auto kChoresEvery = 1'000ms;
constexpr auto kSignalEvery = 250ms;
constexpr auto kClockEvery = 10s;
// A difference that is worth a line.
constexpr auto kClockJump = 1s;

// Part of the drain's time kept for what comes after the parts that may use all they are given.
constexpr auto kReserve = 500ms;

bool may_come_back(const core::Error& error) {
    return error.kind == core::ErrorKind::transient || error.kind == core::ErrorKind::unauthorized ||
           error.kind == core::ErrorKind::unknown_outcome || error.kind == core::ErrorKind::conflict ||
           error.kind == core::ErrorKind::throttled;
}

}  // namespace

Lifecycle::Lifecycle(ServiceCore& service, core::SteadyTime began) : service_(service), clock_(service.clock()), began_(began) {
    postgres_.used = service.uses_postgres();
    kafka_.used = service.uses_kafka();
}

Lifecycle::~Lifecycle() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (upkeep_.joinable()) {
        upkeep_.join();
    }
    {
        const std::lock_guard lock(watchdog_mutex_);
        watchdog_off_ = true;
    }
    watchdog_wake_.notify_all();
    if (watchdog_.joinable()) {
        watchdog_.join();
    }
}

int Lifecycle::serve() {
    try {
        open();
    } catch (...) {
        // What was opened before the part that failed goes down the same way, quickly.
        stop_runnables(core::Deadline(clock_, 1s));
        throw;
    }
    wait_for_end();
    const int code = drain();
    if (!final_problems_.empty()) {
        throw StartError(final_problems_);
    }
    return code;
}

void Lifecycle::open() {
    log::info("service_starting", {{"version", version()}, {"source", source()}});
    telemetry::trace::start(service_.name());
    door_ = std::make_unique<AdminDoor>(AdminDoorOptions{.listen = service_.common().admin_listen,
                                                         .token_file = service_.common().admin_token_file,
                                                         .version_json = version_json(service_),
                                                         .live = [this] { return live(); },
                                                         .ready = [this] { return ready(); },
                                                         .started =
                                                             [this] {
                                                                 return started();
                                                             }},
                                        service_.admin(), service_.metrics());
    if (const auto opened = door_->open(); !opened) {
        throw StartError({Problem{
            .what = fmt::format("admin port {}: {}", service_.common().admin_listen, opened.error().message),
            .cure = "set admin.listen to a free host:port" + (opened.error().hint.empty() ? "" : "; " + opened.error().hint),
            .key = "admin.listen"}});
    }
    log::info("admin_listening", {{"url", door_->url()}});
    if (!postgres_.used) {
        start_runnables();
    }
    service_.files().start();
    upkeep_ = std::thread([this] { upkeep(); });
}

void Lifecycle::start_runnables() {
    for (const auto& runnable : service_.runnables()) {
        runnable.start();
        ++runnables_started_;
    }
}

void Lifecycle::stop_runnables(const core::Deadline& deadline) {
    while (runnables_started_ > 0) {
        service_.runnables()[--runnables_started_].stop(deadline);
    }
}

void Lifecycle::wait_for_end() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    const timespec timeout{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(kSignalEvery).count()};
    while (true) {
        const int signal = ::sigtimedwait(&signals, nullptr, &timeout);
        if (signal > 0) {
            log::info("drain_started", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
            return;
        }
        {
            const std::lock_guard lock(mutex_);
            if (!final_problems_.empty()) {
                return;
            }
        }
        if (started_ && service_.processor() != nullptr) {
            // Only what no patience mends counts here; a slow loop is for /livez to tell.
            if (const auto alive = service_.processor()->alive(std::chrono::hours{24 * 365}); !alive) {
                log::failure(log::Level::error, "service_broken", alive.error());
                const std::lock_guard lock(mutex_);
                broken_ = true;
                return;
            }
        }
    }
}

void Lifecycle::arm_watchdog(core::SteadyTime until) {
    watchdog_ = std::thread([this, until] {
        std::unique_lock lock(watchdog_mutex_);
        if (!clock_.wait_until(lock, watchdog_wake_, until, [this] { return watchdog_off_; })) {
            log::error("drain_deadline_missed",
                       {{"drain_seconds", std::chrono::duration<double>(service_.common().drain).count()},
                        {"hint", "raise drain_seconds and the pod's grace period, or look for a handler that blocks"}});
            ::_exit(1);
        }
    });
}

int Lifecycle::drain() {
    draining_ = true;
    const core::Deadline deadline(clock_, service_.common().drain);
    const core::Deadline parts(clock_, deadline.at() - kReserve);
    arm_watchdog(deadline.at());
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (!postgres_.used) {
        stop_runnables(parts);
    }
    upkeep_.join();
    // Those of a stateful service are upkeep's until it has ended.
    stop_runnables(parts);
    bool complete = true;
    if (started_ && service_.processor() != nullptr) {
        complete = service_.processor()->drain(parts);
    }
    for (auto stop = service_.stops().rbegin(); stop != service_.stops().rend(); ++stop) {
        (*stop)();
    }
    if (auto* producer = service_.producer_if_any(); producer != nullptr) {
        if (const auto flushed = producer->flush(parts); !flushed) {
            log::failure(log::Level::error, "flush_failed", flushed.error());
            complete = false;
        }
    }
    door_->close(core::Deadline(clock_, 200ms).sooner_of(deadline));
    telemetry::trace::stop(
        std::min<std::chrono::milliseconds>(2s, std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left())));
    service_.release();
    const bool good = complete && !broken_;
    log::info("service_drained", {{"complete", complete}});
    return good ? 0 : 1;
}

bool Lifecycle::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !clock_.wait_until(lock, wake_, clock_.steady() + time, [this] { return stopping_; });
}

void Lifecycle::give_up(std::vector<Problem> problems) {
    const std::lock_guard lock(mutex_);
    final_problems_ = std::move(problems);
}

void Lifecycle::upkeep() {
    try {
        if (!await_postgres() || !await_kafka()) {
            return;
        }
        if (postgres_.used) {
            start_runnables();
        }
        start_processor();
    } catch (const StartError& error) {
        return give_up(error.problems());
    } catch (const std::exception& error) {
        return give_up(
            {Problem{.what = fmt::format("unexpected: {}", error.what()), .cure = "this is a fault of the program: report it"}});
    }
    started_ = true;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - began_);
    log::info("service_ready", {{"startup_ms", took.count()}});
    // Start-up leaves a few megabytes of freed memory behind that an idle service never needs again.
    ::malloc_trim(0);
    do {
        chores();
    } while (pause(kChoresEvery));
}

bool Lifecycle::await(Dependency& dependency, const char* event, const std::function<core::Result<void>()>& attempt) {
    auto wait = std::chrono::milliseconds(kFirstPause);
    std::optional<core::SteadyTime> logged;
    while (true) {
        const auto result = attempt();
        {
            const std::lock_guard lock(mutex_);
            dependency.there = result.has_value();
            if (!result) {
                dependency.error = result.error();
            }
        }
        if (result) {
            return true;
        }
        if (!may_come_back(result.error())) {
            throw StartError(result.error());
        }
        if (!logged || clock_.steady() - *logged >= kLogEvery) {
            logged = clock_.steady();
            log::failure(log::Level::warn, event, result.error());
        }
        if (!pause(wait)) {
            return false;
        }
        wait = std::min<std::chrono::milliseconds>(wait * 2, kLongestPause);
    }
}

bool Lifecycle::await_postgres() {
    if (!postgres_.used) {
        return true;
    }
    return await(postgres_, "waiting_for_postgres", [this] { return prepare_schema(); });
}

core::Result<void> Lifecycle::prepare_schema() {
    auto& pool = *service_.pool();
    if (service_.common().postgres_url_file.configured()) {
        service_.common().postgres_url_file.refresh();
        url_in_use_ = service_.common().postgres_url_now();
        pool.use_url(url_in_use_);
    }
    if (auto there = pool.ping(core::Deadline(clock_, kAttempt)); !there) {
        return there;
    }
    // Before anything of this instance writes a time that another one will judge.
    if (auto followed = follow_database_clock(); !followed) {
        return followed;
    }
    if (!service_.common().migrate_at_start) {
        const auto pending = postgres::pending_migrations(pool, core::Deadline(clock_, kAttempt), service_.migrations());
        if (!pending) {
            return std::unexpected(pending.error());
        }
        if (!pending->empty()) {
            throw StartError(
                fmt::format("the database schema {} is older than this program: {} is missing", service_.id(),
                            fmt::join(*pending, ", ")),
                fmt::format("run {} --migrate with this configuration, or set postgres.migrate_at_start", service_.name()));
        }
        return {};
    }
    const auto applied = postgres::migrate(pool, core::Deadline(clock_, kMigration), service_.migrations());
    if (!applied) {
        return std::unexpected(applied.error());
    }
    for (const auto& name : *applied) {
        log::info("migration_applied", {{"migration", name}});
    }
    return {};
}

bool Lifecycle::await_kafka() {
    if (!kafka_.used) {
        return true;
    }
    return await(kafka_, "waiting_for_kafka", [this] { return check_topics(); });
}

core::Result<void> Lifecycle::check_topics() {
    auto client = service_.common().kafka_client(service_.name());
    client.on_log = nullptr;
    const auto brokers = client.brokers;
    auto admin = kafka::Admin::create(std::move(client));
    if (!admin) {
        return std::unexpected(admin.error());
    }
    std::vector<std::string> names;
    for (const auto& topic : service_.topics()) {
        names.push_back(service_.topic_name(topic));
    }
    const auto found = (*admin)->find(names, core::Deadline(clock_, kAttempt));
    if (!found) {
        return std::unexpected(found.error());
    }
    auto missing = missing_topics(*found, service_.common().topic_prefix, brokers);
    if (!missing.empty()) {
        throw StartError(std::move(missing));
    }
    if (auto* producer = service_.producer_if_any(); producer != nullptr) {
        std::vector<std::string> written;
        for (const auto& publication : service_.publications()) {
            written.push_back(service_.topic_name(publication.topic));
        }
        // Only so that the first record finds its leader known; a broker that answers slowly is no reason to wait.
        static_cast<void>(producer->warm_up(written, core::Deadline(clock_, 200ms)));
    }
    return {};
}

void Lifecycle::start_processor() {
    if (service_.processor() == nullptr) {
        return;
    }
    if (const auto started = service_.processor()->start(); !started) {
        throw StartError(started.error());
    }
    // What was held under an older mapping may resolve under the one this process began with.
    for (const auto& mappings : service_.all_mappings()) {
        service_.processor()->mappings_changed(mappings->snapshot()->version);
    }
}

void Lifecycle::chores() {
    if (brokers_up() > 0) {
        brokers_seen_ = true;
    }
    if (!postgres_.used) {
        return;
    }
    if (const auto& file = service_.common().postgres_url_file; file.configured()) {
        auto url = file.current();
        if (!url.empty() && url != url_in_use_) {
            url_in_use_ = url;
            service_.pool()->use_url(std::move(url));
            log::info("postgres_url_rotated");
        }
    }
    if (clock_.steady() - clock_looked_at_ >= kClockEvery) {
        // Whoever needs the database says when it is away.
        static_cast<void>(follow_database_clock());
    }
}

core::Result<void> Lifecycle::follow_database_clock() {
    auto& shared = service_.shared_clock();
    const auto before = shared.ahead();
    clock_looked_at_ = clock_.steady();
    if (auto followed = shared.follow(*service_.pool(), core::Deadline(clock_, kAttempt)); !followed) {
        return followed;
    }
    if (std::chrono::abs(shared.ahead() - before) >= kClockJump) {
        log::warn("clock_follows_postgres", {{"ahead_seconds", std::chrono::duration<double>(shared.ahead()).count()},
                                             {"hint", "the clocks of this machine and of PostgreSQL differ: look after NTP"}});
    }
    return {};
}

// A producer that has nothing to send is connected to nobody, so consumers count as well.
std::int64_t Lifecycle::brokers_up() {
    auto* producer = service_.producer_if_any();
    auto* processor = service_.processor();
    return std::max(producer != nullptr ? producer->stats().brokers_up : 0,
                    started_ && processor != nullptr ? processor->figures().brokers_up : 0);
}

std::vector<Check> Lifecycle::live() const {
    if (started_ && !draining_ && service_.processor() != nullptr) {
        return {{"loop", service_.processor()->alive(service_.common().stuck_after)}};
    }
    return {{"process", {}}};
}

std::vector<Check> Lifecycle::started() const {
    if (started_) {
        return {{"started", {}}};
    }
    std::vector<Check> checks;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, dependency] : {std::pair{"postgres", &postgres_}, std::pair{"kafka", &kafka_}}) {
        if (dependency->used) {
            checks.push_back({name, dependency->there ? core::Result<void>{} : std::unexpected(dependency->error)});
        }
    }
    checks.push_back({"started", core::fail(core::ErrorKind::not_ready, "starting", "the service is starting")});
    return checks;
}

std::vector<Check> Lifecycle::ready() {
    if (draining_) {
        return {{"draining", core::fail(core::ErrorKind::not_ready, "draining", "the service is going down")}};
    }
    if (!started_) {
        return started();
    }
    std::vector<Check> checks{{"started", {}}};
    if (service_.processor() != nullptr) {
        checks.push_back({"processor", service_.processor()->ready()});
        if (service_.processor()->figures().circuit_open) {
            checks.push_back({.name = "target",
                              .result = core::fail(core::ErrorKind::transient, "target_unavailable",
                                                   "the target is considered away; Kafka keeps what is for it"),
                              .advisory = true});
        }
    }
    auto* producer = service_.producer_if_any();
    if (producer != nullptr || service_.processor() != nullptr) {
        core::Result<void> result;
        if (producer != nullptr && !producer->usable()) {
            result = core::fail(core::ErrorKind::transient, "producer_rebuilding",
                                "the producer had a fatal error and is being rebuilt");
        } else if (brokers_seen_ && brokers_up() == 0) {
            // Figures come every few seconds: before the first ones nothing is known.
            result = core::fail(core::ErrorKind::transient, "kafka_unavailable", "no broker is connected");
        }
        checks.push_back({"kafka", std::move(result)});
    }
    for (const auto& check : service_.ready_checks()) {
        checks.push_back({check.name, check.check()});
    }
    return checks;
}

}  // namespace syncline::kit
