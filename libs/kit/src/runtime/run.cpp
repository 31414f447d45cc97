#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <syncline/kafka/client.h>
#include <syncline/kit/service.h>
#include <syncline/postgres/migrations.h>
#include <syncline/telemetry/log.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "src/runtime/command_line.h"
#include "src/runtime/describe.h"
#include "src/runtime/lifecycle.h"
#include "src/runtime/service_core.h"
#include "src/runtime/version.h"

namespace syncline::kit {
namespace {

namespace log = telemetry::log;
using namespace std::chrono_literals;

constexpr int kOk = 0;
constexpr int kStartFailed = 2;

std::string place_of(const Problem& problem) {
    if (problem.file.empty()) {
        return {};
    }
    return problem.line > 0 ? fmt::format("{}:{}: ", problem.file, problem.line) : problem.file + ": ";
}

// One line for machines (only where stdout is the log), one paragraph for the person at the terminal.
int start_failed(const std::string& name, const std::vector<Problem>& problems, bool stdout_is_log) {
    std::string whats;
    std::string cures;
    for (const auto& problem : problems) {
        whats += (whats.empty() ? "" : "; ") + place_of(problem) + problem.what;
        if (!problem.cure.empty()) {
            cures += (cures.empty() ? "" : "; ") + problem.cure;
        }
    }
    if (stdout_is_log) {
        log::error("start_failed", {{"message", whats}, {"hint", cures}, {"problems", problems.size()}});
    }
    std::string text = fmt::format("{}: cannot start: {} problem{}\n", name, problems.size(), problems.size() == 1 ? "" : "s");
    for (const auto& problem : problems) {
        text += fmt::format("  {}{}\n", place_of(problem), problem.what);
        if (!problem.cure.empty()) {
            text += fmt::format("    cure: {}\n", problem.cure);
        }
    }
    std::fputs(text.c_str(), stderr);
    return kStartFailed;
}

void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    // Every thread made from here on inherits this; the main thread alone takes them.
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

int migrate(ServiceCore& service) {
    if (!service.uses_postgres()) {
        print("this service has no database\n");
        return kOk;
    }
    const core::Deadline deadline(service.clock(), 600s);
    const core::Deadline reachable(service.clock(), 30s);
    std::mutex mutex;
    std::condition_variable never;
    core::Result<void> there = service.pool()->ping(core::Deadline(service.clock(), 3s));
    while (!there && there.error().kind == core::ErrorKind::transient && !reachable.passed()) {
        log::failure(log::Level::warn, "waiting_for_postgres", there.error());
        std::unique_lock lock(mutex);
        service.clock().wait_until(lock, never, service.clock().steady() + 1s, [] { return false; });
        lock.unlock();
        there = service.pool()->ping(core::Deadline(service.clock(), 3s));
    }
    if (!there) {
        throw StartError(there.error());
    }
    const auto applied = postgres::migrate(*service.pool(), deadline, service.migrations());
    if (!applied) {
        throw StartError(applied.error());
    }
    for (const auto& name : *applied) {
        log::info("migration_applied", {{"migration", name}});
    }
    log::info("migrated", {{"applied", applied->size()}, {"schema", service.id()}});
    return kOk;
}

int run_mode(const std::string& name, const CommandLine& line, Mode mode, core::SteadyTime began,
             const std::function<void(Service&)>& wire) {
    auto environment = ConfigSource::process_environment();
    auto source = line.config_file.empty() ? ConfigSource(std::move(environment))
                                           : ConfigSource::from_file(line.config_file, std::move(environment));
    ServiceCore service(name, mode, std::move(source), core::system_clock());
    wire(service);
    service.finish_wiring();
    switch (mode) {
        case Mode::serve: {
            Lifecycle lifecycle(service, began);
            return lifecycle.serve();
        }
        case Mode::migrate:
            return migrate(service);
        case Mode::check:
            print(check_table(service));
            return kOk;
        case Mode::describe:
            print(line.help ? line.usage_text + "\n" + keys_text(service) : describe_json(service) + "\n");
            return kOk;
    }
    return kStartFailed;
}

}  // namespace

int run(std::string_view name, int argc, char** argv, const std::function<void(Service&)>& wire) {
    const auto began = core::system_clock().steady();
    const std::string service(name);
    // Each arena keeps what its threads freed; hundreds of worker threads would otherwise each get one.
    ::mallopt(M_ARENA_MAX, static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2U, 8U)));
    // Compressing a batch of records takes buffers of some 100 KB for a moment. Given back to the system each time, their pages
    // cost more than the compression.
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
    ::signal(SIGPIPE, SIG_IGN);

    const auto line = parse_command_line(service, argc, argv);
    if (!line.wrong.empty()) {
        std::fputs(fmt::format("{}: {}; --help shows what there is\n", service, line.wrong).c_str(), stderr);
        return kStartFailed;
    }
    if (line.version) {
        print(fmt::format("{} {}{} ({})\n", service, version(), source().empty() ? "" : fmt::format(" {}", source()),
                          kafka::library_version()));
        return kOk;
    }
    const auto mode = line.describe || line.help ? Mode::describe
                      : line.check_config        ? Mode::check
                      : line.migrate             ? Mode::migrate
                                                 : Mode::serve;
    const bool stdout_is_log = mode == Mode::serve || mode == Mode::migrate;
    log::start(service, stdout_is_log ? log::Level::info : log::Level::off);
    if (mode == Mode::serve) {
        block_signals();
    }
    try {
        return run_mode(service, line, mode, began, wire);
    } catch (const StartError& error) {
        return start_failed(service, error.problems(), stdout_is_log);
    } catch (const std::exception& error) {
        return start_failed(
            service,
            {Problem{.what = fmt::format("unexpected: {}", error.what()), .cure = "this is a fault of the program: report it"}},
            stdout_is_log);
    } catch (...) {
        return start_failed(service,
                            {Problem{.what = "unexpected exception", .cure = "this is a fault of the program: report it"}},
                            stdout_is_log);
    }
}

}  // namespace syncline::kit
