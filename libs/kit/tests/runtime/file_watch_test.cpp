#include "src/runtime/file_watch.h"

#include <syncline/telemetry/log.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <mutex>

#include "tests/runtime/eventually.h"
#include "tests/runtime/temp_folder.h"

using namespace syncline;
using namespace syncline::kit;

namespace {

// A loader that takes every text but those that contain "bad".
struct Loaded {
    std::mutex mutex;
    std::string text;
    int refused = 0;

    FileWatch::Load load() {
        return [this](const std::string& given) -> core::Result<void> {
            const std::lock_guard lock(mutex);
            if (given.find("bad") != std::string::npos) {
                ++refused;
                return core::fail(core::ErrorKind::rejected, "bad_file", "line 1: bad");
            }
            text = given;
            return {};
        };
    }
    std::string now() {
        const std::lock_guard lock(mutex);
        return text;
    }
    int refusals() {
        const std::lock_guard lock(mutex);
        return refused;
    }
};

struct Watch {
    telemetry::log::Capture silence{[](std::string_view) {
    }};
    telemetry::Metrics metrics{"kit-test"};
    FileWatch watch{metrics, core::system_clock()};

    bool failed(const std::string& file) {
        return metrics.to_text().find("syncline_config_reload_failed{file=\"" + file + "\",service=\"kit-test\"} 1") !=
                   std::string::npos ||
               metrics.to_text().find("syncline_config_reload_failed{service=\"kit-test\",file=\"" + file + "\"} 1") !=
                   std::string::npos;
    }
};

}  // namespace

TEST_CASE("file watch: a file that is missing or refused at the start is an error", "[kit]") {
    const TempFolder folder;
    folder.write("a.yaml", "bad");
    Loaded loaded;
    Watch watch;
    const auto missing = watch.watch.add(folder.path("none.yaml"), loaded.load());
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("none.yaml") != std::string::npos);
    CHECK_FALSE(watch.watch.add(folder.path("a.yaml"), loaded.load()));
}

TEST_CASE("file watch: a bad text keeps the last good one, sets the metric, and the next good one clears it", "[kit]") {
    const TempFolder folder;
    folder.write("a.yaml", "one");
    Loaded loaded;
    Watch watch;
    REQUIRE(watch.watch.add(folder.path("a.yaml"), loaded.load()));
    CHECK(loaded.now() == "one");
    CHECK_FALSE(watch.failed("a.yaml"));
    watch.watch.start();

    folder.write("a.yaml", "bad");
    CHECK(eventually([&] { return watch.failed("a.yaml"); }));
    CHECK(loaded.now() == "one");
    CHECK(loaded.refusals() == 1);

    folder.write("a.yaml", "two");
    CHECK(eventually([&] { return loaded.now() == "two" && !watch.failed("a.yaml"); }));
}

TEST_CASE("file watch: a ConfigMap's symlink swap is seen", "[kit]") {
    const TempFolder folder;
    folder.write("..v1/shops.yaml", "one");
    folder.write("..v2/shops.yaml", "two");
    std::filesystem::create_symlink("..v1", folder.path("..data"));
    std::filesystem::create_symlink("..data/shops.yaml", folder.path("shops.yaml"));
    Loaded loaded;
    Watch watch;
    REQUIRE(watch.watch.add(folder.path("shops.yaml"), loaded.load()));
    watch.watch.start();
    std::filesystem::create_symlink("..v2", folder.path("..data_tmp"));
    std::filesystem::rename(folder.path("..data_tmp"), folder.path("..data"));
    // Well before the poll: the folder's event brought it.
    CHECK(eventually([&] { return loaded.now() == "two"; }, std::chrono::seconds{3}));
}

TEST_CASE("file watch: a file that vanishes keeps the last good text and comes back", "[kit]") {
    const TempFolder folder;
    folder.write("a.yaml", "one");
    Loaded loaded;
    Watch watch;
    REQUIRE(watch.watch.add(folder.path("a.yaml"), loaded.load()));
    std::filesystem::remove(folder.path("a.yaml"));
    watch.watch.look();
    CHECK(loaded.now() == "one");
    CHECK(watch.failed("a.yaml"));
    folder.write("a.yaml", "two");
    watch.watch.look();
    CHECK(loaded.now() == "two");
    CHECK_FALSE(watch.failed("a.yaml"));
}

TEST_CASE("file watch: a file written in pieces is read when it stands still", "[kit]") {
    const TempFolder folder;
    folder.write("a.yaml", "one");
    Loaded loaded;
    Watch watch;
    REQUIRE(watch.watch.add(folder.path("a.yaml"), loaded.load()));
    watch.watch.start();
    std::ofstream out(folder.path("a.yaml"), std::ios::trunc);
    out << "bad half, " << std::flush;
    out.seekp(0);
    out << "two half. " << std::flush;
    out.close();
    CHECK(eventually([&] { return loaded.now() == "two half. "; }));
    CHECK(loaded.refusals() == 0);
}
