#include "syncline/core/fault.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers)
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

struct Ended {
    int status = 0;
    std::string marker;
};

// Passes `point` three times in a child process that has the given plan.
Ended run_child(const std::string& plan, const std::string& point) {
    const auto marker = std::filesystem::temp_directory_path() / ("syncline_fault_test_" + std::to_string(::getpid()));
    std::filesystem::remove(marker);
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("SYNCLINE_FAULT", plan.c_str(), 1);
        ::setenv("SYNCLINE_FAULT_MARKER", marker.c_str(), 1);
        if (::freopen("/dev/null", "w", stderr) == nullptr) {
            ::_exit(9);
        }
        ::signal(SIGABRT, SIG_DFL);
        for (int i = 0; i < 3; ++i) {
            syncline::core::pass_fault_point(point);
        }
        ::_exit(0);
    }
    Ended ended;
    REQUIRE(::waitpid(child, &ended.status, WUNTRACED) == child);
    if (WIFSTOPPED(ended.status)) {
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
    }
    std::ifstream file(marker);
    std::getline(file, ended.marker);
    std::filesystem::remove(marker);
    return ended;
}

}  // namespace

TEST_CASE("fault: a plan that cannot be read stops the process instead of testing nothing", "[core][unit]") {
    for (const std::string plan : {"polled", "polled:1", "polled:x:kill", "polled:0:kill", "polled:1:pause"}) {
        INFO(plan);
        const auto ended = run_child(plan, "polled");
        CHECK(WIFSIGNALED(ended.status));
        CHECK(WTERMSIG(ended.status) == SIGABRT);
    }
}

TEST_CASE("fault: another point or too few passes leave the process and the marker alone", "[core][unit]") {
    for (const std::string plan : {"intent_written:1:kill", "polled:4:kill"}) {
        const auto ended = run_child(plan, "polled");
        CHECK(WIFEXITED(ended.status));
        CHECK(ended.marker.empty());
    }
}

TEST_CASE("fault: the nth pass of the point writes the marker, then kills or stops", "[core][unit]") {
    const auto killed = run_child("polled:3:kill", "polled");
    CHECK(WIFSIGNALED(killed.status));
    CHECK(WTERMSIG(killed.status) == SIGKILL);
    CHECK(killed.marker == "polled");
    const auto stopped = run_child("polled:1:stop", "polled");
    CHECK(WIFSTOPPED(stopped.status));
    CHECK(stopped.marker == "polled");
}
