#include "src/runtime/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <syncline/core/parse.h>
#include <limits>

#include "src/runtime/files.h"

namespace syncline::kit {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double processor_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// The second figure of statm, in pages.
double resident_bytes() {
    const auto text = read_file("/proc/self/statm", 4096);
    if (!text) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const auto from = text->find(' ') + 1;
    const auto pages = core::parse_int<std::int64_t>(std::string_view(*text).substr(from, text->find(' ', from) - from));
    return pages ? static_cast<double>(*pages) * static_cast<double>(::sysconf(_SC_PAGESIZE))
                 : std::numeric_limits<double>::quiet_NaN();
}

double open_files() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    // Not counted: ".", ".." and the descriptor that reads the folder.
    double count = -3;
    while (::readdir(folder) != nullptr) {
        ++count;
    }
    ::closedir(folder);
    return count;
}

}  // namespace

void declare_process_metrics(telemetry::Metrics& metrics, std::string_view version, core::SystemTime now) {
    metrics.gauge("syncline_build_info", "1; the version of the program is its label.", {"version"}).with({version}).set(1);
    metrics.gauge("process_start_time_seconds", "When the process was started, as unix time.")
        .set(std::chrono::duration<double>(now.time_since_epoch()).count());
    metrics.gauge("process_resident_memory_bytes", "Resident memory.", resident_bytes);
    metrics.gauge("process_open_fds", "Open file descriptors.", open_files);
    metrics.counter("process_cpu_seconds_total", "Processor time used, user and system.", {},
                    [] { return std::vector{telemetry::Sample{{}, processor_seconds()}}; });
}

}  // namespace syncline::kit
