#include "targets.h"

#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>
#include <string>

using Catch::Matchers::ContainsSubstring;
using synclinectl::read_targets;

namespace {

// A folder of its own, gone with the test.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "synclinectl-targets-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
        const auto path = path_ / name;
        std::ofstream(path) << text;
        return path.string();
    }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("synclinectl: the password of Kafka comes from a file beside the targets", "[synclinectl][unit]") {
    const Folder folder;
    static_cast<void>(folder.write("password", "s3cret\r\n"));
    const auto file = folder.write("targets.yaml",
                                   "kafka:\n  brokers: kafka:9093\n  password_file: password\n"
                                   "  properties: {security.protocol: sasl_ssl, sasl.username: operator}\n");
    const auto targets = read_targets(file);
    REQUIRE(targets);
    CHECK(targets->kafka_properties.at("sasl.password") == "s3cret");
    CHECK(targets->kafka_properties.at("sasl.username") == "operator");
}

TEST_CASE("synclinectl: a password file that is missing or empty is named, and nothing is tried without it",
          "[synclinectl][unit]") {
    const Folder folder;
    const std::string text = "kafka: {brokers: 'kafka:9093', password_file: password}\n";
    const auto file = folder.write("targets.yaml", text);
    const auto missing = read_targets(file);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == "bad_targets");
    CHECK_THAT(missing.error().message, ContainsSubstring("password"));
    static_cast<void>(folder.write("password", "\n"));
    CHECK_FALSE(read_targets(file));
}
