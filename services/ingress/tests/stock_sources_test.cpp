#include "adapters/stock/stock_sources_file.h"

#include <syncline/telemetry/log.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace ingress;

namespace {

std::string problem(const std::string& yaml) {
    StockSourcesFile sources;
    const auto loaded = sources.load(yaml, ".");
    return loaded ? "loaded" : loaded.error().message;
}

bool says(const std::string& message, const std::string& words) {
    return message.find(words) != std::string::npos;
}

constexpr const char* kGood = R"(
sources:
  wms-north: {proof: api_key, basis: physical, secret_files: [north]}
  erp: {proof: hmac, basis: net_of_own, secret_files: [/etc/erp]}
  old: {proof: hmac, basis: net_of_all, secret_files: [/etc/old], enabled: false}
)";

}  // namespace

TEST_CASE("stock sources: a file with sources of every kind", "[ingress][unit]") {
    std::string lines;
    const syncline::telemetry::log::Capture capture([&](std::string_view line) { lines.append(line); });
    StockSourcesFile sources;
    CHECK(sources.by_name("wms-north") == nullptr);
    REQUIRE(sources.load(kGood, "/config"));
    CHECK(sources.count() == 2);
    const auto north = sources.by_name("wms-north");
    REQUIRE(north);
    CHECK(north->proof == StockProof::api_key);
    CHECK(north->basis == StockBasis::physical);
    CHECK(north->label == "wms-north");
    CHECK(sources.by_name("erp")->basis == StockBasis::net_of_own);
    CHECK(sources.by_name("old") == nullptr);
    CHECK(sources.by_name("") == nullptr);
    CHECK(sources.by_name("wms-north/x") == nullptr);
    // A secret that is not there is no reason to refuse the file, but said; not of a source that is off.
    CHECK(lines.find("stock_secret_unreadable") != std::string::npos);
    CHECK(lines.find("/config/north") != std::string::npos);
    CHECK(lines.find("/etc/old") == std::string::npos);
}

TEST_CASE("stock sources: a bad file is refused with its line and the last good one stays", "[ingress][unit]") {
    CHECK(says(problem("sources: [1]"), "line 1"));
    CHECK(says(problem("shops: {}"), "no sources"));
    CHECK(says(problem(": :\n  - ["), "not YAML"));
    CHECK(says(problem("sources:\n  a: {proof: password, basis: physical, secret_files: [x]}"), "neither api_key nor hmac"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: gross, secret_files: [x]}"), "none of physical"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, secret_files: [x]}"), "has no basis"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: physical}"), "no list secret_files"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: physical, secret_files: []}"), "no list secret_files"));
    CHECK(
        says(problem("sources:\n  a: {proof: hmac, basis: physical, secret_files: [x], secrets: y}"), "unknown member secrets"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: physical, basis: net_of_all, secret_files: [x]}"), "given twice"));
    CHECK(says(problem("sources:\n  A/B: {proof: hmac, basis: physical, secret_files: [x]}"), "line 2"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: physical, secret_files: [x]}\n"
                       "  a: {proof: hmac, basis: physical, secret_files: [x]}"),
               "twice"));
    CHECK(says(problem("sources:\n  a: {proof: hmac, basis: physical, secret_files: [x], enabled: maybe}"),
               "neither true nor false"));
    CHECK(problem("sources:\n") == "loaded");

    const syncline::telemetry::log::Capture quiet([](std::string_view) {});
    StockSourcesFile sources;
    REQUIRE(sources.load(kGood, "/config"));
    CHECK_FALSE(sources.load("sources: 7", "/config"));
    CHECK(sources.by_name("erp"));
}

TEST_CASE("stock sources: secrets come from files, several at once, re-read when asked", "[ingress][unit]") {
    const auto folder = std::filesystem::temp_directory_path() / ("ingress-sources-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto write = [&](const char* name, const char* text) {
        std::ofstream(folder / name) << text << '\n';
    };
    write("now", "one");
    write("next", "two");
    StockSourcesFile sources;
    const auto* const yaml = "sources:\n  a: {proof: api_key, basis: physical, secret_files: [now, next]}";
    REQUIRE(sources.load(yaml, folder.string()));
    const auto source = sources.by_name("a");
    CHECK(sources.secrets(*source) == std::vector<std::string>{"one", "two"});
    CHECK_FALSE(sources.refresh_secrets(*source));
    write("now", "three");
    CHECK(sources.refresh_secrets(*source));
    CHECK(sources.secrets(*source) == std::vector<std::string>{"three", "two"});
    // A source that was taken out has no secrets any more, whoever still holds it.
    REQUIRE(sources.load("sources: {}", folder.string()));
    CHECK(sources.secrets(*source).empty());
    std::filesystem::remove_all(folder);
}

TEST_CASE("stock sources: from the hundred and first on they share a label", "[ingress][unit]") {
    std::string yaml = "sources:\n";
    for (int i = 0; i < 120; ++i) {
        yaml += "  s" + std::to_string(1000 + i) + ": {proof: hmac, basis: physical, secret_files: [x]}\n";
    }
    const syncline::telemetry::log::Capture quiet([](std::string_view) {});
    StockSourcesFile sources;
    REQUIRE(sources.load(yaml, "."));
    CHECK(sources.by_name("s1099")->label == "s1099");
    CHECK(sources.by_name("s1100")->label == "other");
    CHECK(sources.by_name("s1119")->name == "s1119");
}
