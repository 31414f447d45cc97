#include <syncline/kit/config.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace syncline::kit;
using namespace std::chrono_literals;

namespace {

struct Sample {
    std::string connection;
    std::string mode = "dry";
    std::string password;
    int workers = 4;
    std::size_t rows = 50;
    bool strict = true;
    std::chrono::milliseconds timeout = 8s;
    Bytes body{.value = 8 << 20};
    std::vector<std::string> hosts{"a:1"};
    std::map<std::string, std::string> extra;
    SecretFile key;

    void declare(ConfigSchema& schema) {
        schema.add("connection", connection, {.help = "Name of the target.", .required = true, .validate = must_be_alias});
        schema.add("target.mode", mode, {.help = "Dry or wet.", .choices = {"dry", "wet"}});
        schema.add("target.password", password, {.help = "Password.", .secret = true, .validate = [](std::string_view text) {
                                                     return text.size() < 4 ? std::optional<std::string>("is too short")
                                                                            : std::nullopt;
                                                 }});
        schema.add("target.workers", workers, {.help = "Calls at once.", .unit = "calls", .min = 1, .max = 16});
        schema.add("target.rows", rows, {.help = "Rows a call.", .max = 1000});
        schema.add("target.strict", strict, {.help = "Strict."});
        schema.add("target.timeout", timeout, {.help = "Total time.", .min = 100, .max = 60'000});
        schema.add("limits.body", body, {.help = "Largest body.", .max = 64 << 20});
        schema.add("kafka.brokers", hosts, {.help = "Brokers.", .max = 3, .validate = must_be_host_port});
        schema.add("kafka.properties", extra, {.help = "More."});
        schema.add("target.key_file", key, {.help = "Key."});
        schema.check("target.rows", [this]() -> std::optional<std::string> {
            return mode == "wet" && rows > 500 ? std::optional<std::string>("wet takes 500 rows at most") : std::nullopt;
        });
    }
};

std::vector<Problem> problems_of(std::string_view yaml, ConfigSource::Environment environment = {}) {
    Sample sample;
    ConfigSchema schema;
    sample.declare(schema);
    return ConfigSource::from_text(yaml, "sample.yaml", std::move(environment)).apply({&schema});
}

Sample read(std::string_view yaml, ConfigSource::Environment environment = {}) {
    Sample sample;
    ConfigSchema schema;
    sample.declare(schema);
    ConfigSource::from_text(yaml, "sample.yaml", std::move(environment)).read(schema);
    return sample;
}

bool any_says(const std::vector<Problem>& problems, std::string_view key, int line, std::string_view words) {
    return std::ranges::any_of(problems, [&](const Problem& problem) {
        return problem.key == key && problem.line == line &&
               (problem.what + " / " + problem.cure).find(words) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("config: an unknown key is named with file, line and its nearest relative", "[kit][unit]") {
    const auto problems = problems_of("connection: odoo-main\nkafka:\n  broker: [a:1]\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].file == "sample.yaml");
    CHECK(any_says(problems, "kafka.broker", 3, "did you mean kafka.brokers?"));
}

TEST_CASE("config: an unknown section and a section that is a value are problems", "[kit][unit]") {
    CHECK(any_says(problems_of("connection: a\nzebra: {stripes: 3}\n"), "zebra", 2, "unknown key zebra"));
    CHECK(any_says(problems_of("connection: a\ntarget: yes\n"), "target", 2, "is a section"));
}

TEST_CASE("config: every problem of a file is reported at once", "[kit][unit]") {
    const auto problems = problems_of(
        "target:\n"
        "  mode: damp\n"
        "  workers: many\n"
        "  rows: -1\n"
        "  strict: yes\n"
        "  timeout: 8\n"
        "  password: abc\n"
        "limits: {body: 1GiB}\n"
        "kafka: {brokers: [a:1, b], properties: [x]}\n"
        "conection: x\n");
    CHECK(any_says(problems, "connection", 0, "SYNCLINE_CONNECTION"));
    CHECK(any_says(problems, "target.mode", 2, "is not one of: dry, wet"));
    CHECK(any_says(problems, "target.workers", 3, "not a whole number"));
    CHECK(any_says(problems, "target.rows", 4, "not a whole number"));
    CHECK(any_says(problems, "target.strict", 5, "neither true nor false"));
    CHECK(any_says(problems, "target.timeout", 6, "write 500ms, 8s"));
    CHECK(any_says(problems, "target.password", 7, "too short"));
    CHECK(any_says(problems, "limits.body", 8, "above the largest value"));
    CHECK(any_says(problems, "kafka.brokers", 9, "\"b\" is not host:port"));
    CHECK(any_says(problems, "kafka.properties", 9, "a list stands where a map belongs"));
    CHECK(any_says(problems, "conection", 10, "did you mean connection?"));
    CHECK(problems.size() == 11);
}

TEST_CASE("config: the value of a secret is never in a problem", "[kit][unit]") {
    for (const auto& problem : problems_of("connection: a\ntarget: {password: xyz}\n")) {
        CHECK(problem.what.find("xyz") == std::string::npos);
    }
}

TEST_CASE("config: a key given twice, an empty required key and a broken rule are problems", "[kit][unit]") {
    CHECK(any_says(problems_of("connection: a\nconnection: b\n"), "connection", 2, "given twice"));
    CHECK(any_says(problems_of("connection: ''\n"), "connection", 1, "is empty"));
    CHECK(any_says(problems_of("connection: a\ntarget: {mode: wet, rows: 501}\n"), "target.rows", 2, "500 rows at most"));
}

TEST_CASE("config: a file that is not YAML stops the start with its line", "[kit][unit]") {
    try {
        static_cast<void>(problems_of("connection: a\n  target: [\n"));
        FAIL("no StartError");
    } catch (const StartError& error) {
        REQUIRE(error.problems().size() == 1);
        CHECK(error.problems()[0].line >= 2);
        CHECK(error.problems()[0].what.find("not YAML") != std::string::npos);
    }
    CHECK_THROWS_AS(problems_of("- a\n- b\n"), StartError);
}

TEST_CASE("config: a bad value in the environment names the variable", "[kit][unit]") {
    const auto problems = problems_of("connection: a\n", {{"SYNCLINE_TARGET_WORKERS", "17"}});
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].what.find("SYNCLINE_TARGET_WORKERS") != std::string::npos);
    CHECK(problems[0].file.empty());
}

TEST_CASE("config: without a file defaults stand and the environment is enough", "[kit][unit]") {
    const auto sample = read("", {{"SYNCLINE_CONNECTION", "odoo-main"}, {"SYNCLINE_KAFKA_PROPERTIES", "client.rack=a,x=y"}});
    CHECK(sample.connection == "odoo-main");
    CHECK(sample.workers == 4);
    CHECK(sample.timeout == 8s);
    CHECK(sample.hosts == std::vector<std::string>{"a:1"});
    CHECK(sample.extra == std::map<std::string, std::string>{{"client.rack", "a"}, {"x", "y"}});
}

TEST_CASE("config: values of every type are read and the environment wins over the file", "[kit][unit]") {
    const auto sample = read(
        "connection: odoo-main\n"
        "target: {mode: wet, workers: 16, rows: 500, strict: false, timeout: 500ms, key_file: /run/key}\n"
        "limits.body: 64KiB\n"
        "kafka:\n  brokers: [b:1, c:2]\n  properties: {client.rack: zone-a}\n",
        {{"SYNCLINE_KAFKA_BROKERS", "d:3, e:4"}, {"SYNCLINE_UNRELATED", "x"}});
    CHECK(sample.mode == "wet");
    CHECK(sample.workers == 16);
    CHECK(sample.rows == 500);
    CHECK_FALSE(sample.strict);
    CHECK(sample.timeout == 500ms);
    CHECK(sample.body.value == 64U * 1024);
    CHECK(sample.hosts == std::vector<std::string>{"d:3", "e:4"});
    CHECK(sample.extra.at("client.rack") == "zone-a");
    CHECK(sample.key.path() == "/run/key");
}

TEST_CASE("config: a null value leaves the default", "[kit][unit]") {
    CHECK(read("connection: a\ntarget:\n  workers:\n").workers == 4);
    CHECK(read("connection: a\ntarget:\n").workers == 4);
}

TEST_CASE("config: defaults are shown as people write them and secrets are masked", "[kit][unit]") {
    Sample sample;
    sample.password = "hunter22";
    ConfigSchema schema;
    sample.declare(schema);
    for (const auto& entry : schema.entries()) {
        if (entry.key == "target.timeout") {
            CHECK(entry.default_text == "8s");
        } else if (entry.key == "limits.body") {
            CHECK(entry.default_text == "8MiB");
        } else if (entry.key == "target.password") {
            CHECK(entry.default_text.empty());
            CHECK(entry.shown() == "****");
        }
    }
}

TEST_CASE("config: addresses are judged", "[kit][unit]") {
    for (const char* text : {"kafka", ":1", "a:", "a:70000", "a:b", "::1:80"}) {
        CAPTURE(text);
        CHECK(must_be_host_port(text));
    }
    CHECK_FALSE(must_be_host_port("kafka-1:9092"));
    CHECK_FALSE(must_be_host_port("[::1]:9092"));
    CHECK(must_be_url("ftp://a"));
    CHECK(must_be_url("https://"));
    CHECK_FALSE(must_be_url("https://erp.example"));
    CHECK(must_be_alias("EU"));
    CHECK(must_be_alias(""));
    CHECK_FALSE(must_be_alias("us-b2b"));
}
