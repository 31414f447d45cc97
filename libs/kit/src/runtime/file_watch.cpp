#include "src/runtime/file_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <syncline/telemetry/log.h>
#include <array>
#include <chrono>
#include <set>

namespace syncline::kit {
namespace {

namespace log = telemetry::log;

constexpr int kPollMs = 5'000;
constexpr int kSettleMs = 50;
constexpr int kSettleTries = 20;
constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;

double unix_seconds(core::SystemTime time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

FileWatch::FileWatch(telemetry::Metrics& metrics, core::Clock& clock)
    : clock_(clock),
      failed_(metrics.gauge("syncline_config_reload_failed",
                            "1 while the newest text of a re-read file is refused and the last good one stays in force.",
                            {"file"})),
      loaded_(metrics.gauge("syncline_config_loaded_timestamp_seconds",
                            "When the text of a re-read file that is in force was loaded.", {"file"})) {}

FileWatch::~FileWatch() {
    stop();
}

core::Result<void> FileWatch::add(const std::string& path, Load load) {
    const auto slash = path.rfind('/');
    File file{.path = path, .label = slash == std::string::npos ? path : path.substr(slash + 1), .load = std::move(load)};
    file.failed_gauge = failed_.with({file.label});
    file.loaded_gauge = loaded_.with({file.label});
    file.stamp = stamp_of(path);
    const auto text = read_file(path, kFileBytesMax);
    if (!text) {
        return std::unexpected(text.error());
    }
    if (auto loaded = file.load(*text); !loaded) {
        return loaded;
    }
    file.failed_gauge.set(0);
    file.loaded_gauge.set(unix_seconds(clock_.now()));
    files_.push_back(std::move(file));
    return {};
}

void FileWatch::start() {
    if (files_.empty() || thread_.joinable()) {
        return;
    }
    stop_event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    notify_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    std::set<std::string> folders;
    for (const auto& file : files_) {
        folders.insert(folder_of(file.path));
    }
    for (const auto& folder : folders) {
        // A folder that cannot be watched is still looked at every few seconds.
        ::inotify_add_watch(notify_, folder.c_str(), IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ATTRIB);
    }
    thread_ = std::thread([this] { run(); });
}

void FileWatch::stop() {
    if (!thread_.joinable()) {
        return;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_, &one, sizeof one);
    thread_.join();
    ::close(stop_event_);
    stop_event_ = -1;
    if (notify_ >= 0) {
        ::close(notify_);
        notify_ = -1;
    }
}

void FileWatch::run() {
    // What changed between the first reading and the watch.
    look();
    while (true) {
        std::array<pollfd, 2> waiting{
            {{.fd = stop_event_, .events = POLLIN, .revents = 0}, {.fd = notify_, .events = POLLIN, .revents = 0}}};
        ::poll(waiting.data(), notify_ >= 0 ? 2 : 1, kPollMs);
        if ((waiting[0].revents & POLLIN) != 0) {
            break;
        }
        if (notify_ >= 0) {
            alignas(inotify_event) std::array<char, 4096> events{};
            while (::read(notify_, events.data(), events.size()) > 0) {
            }
        }
        look();
    }
}

void FileWatch::look() {
    const std::lock_guard lock(mutex_);
    for (auto& file : files_) {
        auto now = stamp_of(file.path);
        if (now == file.stamp) {
            continue;
        }
        // Half a file may be right as YAML and wrong as a list of shops: it is read once it has stood still for a moment.
        for (int tries = 0; tries < kSettleTries; ++tries) {
            pollfd stop{.fd = stop_event_, .events = POLLIN, .revents = 0};
            ::poll(&stop, 1, kSettleMs);
            const auto later = stamp_of(file.path);
            if (later == now) {
                break;
            }
            now = later;
        }
        if (now != file.stamp) {
            file.stamp = now;
            try_load(file);
        }
    }
}

void FileWatch::try_load(File& file) {
    const auto text = read_file(file.path, kFileBytesMax);
    const auto loaded = text ? file.load(*text) : core::Result<void>(std::unexpected(text.error()));
    file.failed_gauge.set(loaded ? 0 : 1);
    if (!loaded) {
        return log::failure(log::Level::error, "config_reload_failed", loaded.error(), {{"file", file.path}});
    }
    file.loaded_gauge.set(unix_seconds(clock_.now()));
    log::info("config_reloaded", {{"file", file.path}});
}

}  // namespace syncline::kit
