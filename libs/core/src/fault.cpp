#include "syncline/core/fault.h"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is POSIX.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "syncline/core/assert.h"
#include "syncline/core/parse.h"

namespace syncline::core {
namespace {

struct Plan {
    std::string point;
    std::string marker;
    long nth = 0;
    int signal = SIGKILL;
};

// Null: no fault is asked for.
std::unique_ptr<const Plan> read_plan() {
    const char* const text = std::getenv("SYNCLINE_FAULT");
    if (text == nullptr || *text == '\0') {
        return nullptr;
    }
    const std::string_view whole(text);
    const auto first = whole.find(':');
    const auto second = first == std::string_view::npos ? first : whole.find(':', first + 1);
    SYNCLINE_ASSERT(second != std::string_view::npos);
    const auto nth = parse_int<long>(whole.substr(first + 1, second - first - 1));
    const auto action = whole.substr(second + 1);
    SYNCLINE_ASSERT(nth && *nth >= 1);
    SYNCLINE_ASSERT(action == "kill" || action == "stop");
    const char* const marker = std::getenv("SYNCLINE_FAULT_MARKER");
    SYNCLINE_ASSERT(marker != nullptr && *marker != '\0');
    return std::make_unique<const Plan>(Plan{.point = std::string(whole.substr(0, first)),
                                             .marker = marker,
                                             .nth = *nth,
                                             .signal = action == "kill" ? SIGKILL : SIGSTOP});
}

void write_marker(const Plan& plan) {
    const int file = ::open(plan.marker.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    SYNCLINE_ASSERT(file >= 0);
    const std::string line = plan.point + "\n";
    SYNCLINE_ASSERT(::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    ::fsync(file);
    ::close(file);
}

}  // namespace

void pass_fault_point(std::string_view point) noexcept {
    static const std::unique_ptr<const Plan> plan = read_plan();
    if (plan == nullptr || plan->point != point) {
        return;
    }
    static std::atomic<long> passes{0};
    if (passes.fetch_add(1) + 1 == plan->nth) {
        write_marker(*plan);
        ::kill(::getpid(), plan->signal);
    }
}

}  // namespace syncline::core
