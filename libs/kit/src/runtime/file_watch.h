// Files that are re-read while the service runs: shops.yaml and mappings. Internal to the runtime.
//
// One thread watches their folders (inotify) and looks every five seconds besides, so that a swapped symlink (a ConfigMap's
// ..data), a network file system and a missed event all end the same way. A file is read when it has stood still for a moment;
// what its loader refuses, and a file that is gone, changes nothing, is logged once and sets syncline_config_reload_failed{file}
// until a good one comes.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/telemetry/metrics.h>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/runtime/files.h"

namespace syncline::kit {

class FileWatch {
public:
    // Takes the whole text; an error leaves what was loaded before.
    using Load = std::function<core::Result<void>(const std::string& text)>;

    // `metrics` and `clock` outlive the watch.
    FileWatch(telemetry::Metrics& metrics, core::Clock& clock);
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;
    ~FileWatch();

    // Reads the file now, on the caller's thread; an error is the start's problem. Before start() only.
    core::Result<void> add(const std::string& path, Load load);
    // Begins to watch; no thread is made when there is nothing to watch.
    void start();
    void stop();
    // One look at every file, on the caller's thread; for the watch itself and for tests.
    void look();

private:
    struct File {
        std::string path;
        std::string label;
        Load load;
        std::optional<FileStamp> stamp;  // Of what was last tried; nothing if it was gone.
        telemetry::Gauge failed_gauge;
        telemetry::Gauge loaded_gauge;
    };

    void run();
    void try_load(File& file);

    core::Clock& clock_;
    telemetry::GaugeFamily failed_;
    telemetry::GaugeFamily loaded_;
    std::mutex mutex_;  // Guards files_ after start().
    std::vector<File> files_;
    int stop_event_ = -1;
    int notify_ = -1;
    std::thread thread_;
};

}  // namespace syncline::kit
