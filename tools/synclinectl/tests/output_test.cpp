#include "output.h"
#include "admin_port.h"
#include "command_line.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sstream>

using Catch::Matchers::ContainsSubstring;
using namespace synclinectl;

namespace {

std::string printed(const Table& table, Format format) {
    std::ostringstream out;
    print(out, table, format);
    return out.str();
}

struct Ran {
    int code;
    std::string out;
    std::string err;
};

Ran ran(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const auto code = run(arguments, out, err);
    return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("synclinectl: what a foreign system said cannot steer the terminal or a spreadsheet", "[synclinectl][unit]") {
    const Table table{.columns = {"key", "reason"}, .rows = {{"eu/1", "\x1b[2J\nfake"}, {"=cmd()", "a,\"b\""}}};
    CHECK_THAT(printed(table, Format::table), !ContainsSubstring("\x1b"));
    CHECK(printed(table, Format::csv) == "key,reason\r\neu/1, [2J fake\r\n'=cmd(),\"a,\"\"b\"\"\"\r\n");
}

TEST_CASE("synclinectl: a table lines up and json has the columns as members", "[synclinectl][unit]") {
    const Table table{.columns = {"key", "last_at"}, .rows = {{"eu/1", "é"}, {"us-b2b/22", "x"}}};
    CHECK(printed(table, Format::table) == "KEY        LAST AT\neu/1       é\nus-b2b/22  x\n");
    CHECK(printed(table, Format::json) == "[{\"key\":\"eu/1\",\"last_at\":\"é\"},{\"key\":\"us-b2b/22\",\"last_at\":\"x\"}]\n");
    CHECK(printed({.columns = {"a"}, .rows = {}}, Format::json) == "[]\n");
}

TEST_CASE("synclinectl: a path segment with a slash, a space or a percent stays one segment", "[synclinectl][unit]") {
    CHECK(percent_encoded("eu/50 01%") == "eu%2F50%2001%25");
    CHECK(percent_encoded("us-b2b_1.~") == "us-b2b_1.~");
}

TEST_CASE("synclinectl: a command line that makes no sense ends with 2", "[synclinectl][unit]") {
    CHECK(ran({}).code == kUsage);
    CHECK(ran({"dlq"}).code == kUsage);
    CHECK(ran({"dlq", "lst"}).code == kUsage);
    CHECK(ran({"dlq", "list", "--since", "yesterday"}).code == kUsage);
    CHECK(ran({"dlq", "list", "--limit", "0"}).code == kUsage);
    CHECK(ran({"order", "eu"}).code == kUsage);
    CHECK(ran({"-o", "xml", "hold", "list"}).code == kUsage);
    const auto missing = ran({"--targets", "/nonexistent/targets.yaml", "hold", "list"});
    CHECK(missing.code == kUsage);
    CHECK_THAT(missing.err, ContainsSubstring("tools/dev up"));
}

TEST_CASE("synclinectl: every verb explains itself with an example", "[synclinectl][unit]") {
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{{"dlq", "list"},
                                                                                      {"dlq", "show"},
                                                                                      {"dlq", "replay"},
                                                                                      {"dlq", "discard"},
                                                                                      {"hold", "list"},
                                                                                      {"hold", "show"},
                                                                                      {"hold", "release"},
                                                                                      {"hold", "override"},
                                                                                      {"parked", "list"},
                                                                                      {"connection", "pause"},
                                                                                      {"connection", "resume"},
                                                                                      {"order"},
                                                                                      {"redrive"},
                                                                                      {"doctor"}}) {
        auto arguments = verb;
        arguments.emplace_back("--help");
        const auto help = ran(arguments);
        CAPTURE(verb);
        CHECK(help.code == kOk);
        CHECK_THAT(help.out, ContainsSubstring("synclinectl " + verb.front()));
    }
    CHECK(ran({"--version"}).code == kOk);
}
