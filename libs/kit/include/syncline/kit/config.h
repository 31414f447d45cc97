// The configuration of a service: every key is declared once, in C++, and everything else (--help, --describe, the reference in
// docs/configuration.md, the chart's schema, the check of the file) comes from that declaration.
//
//   struct Config {
//       std::string connection;
//       std::chrono::milliseconds timeout = 8s;
//       void declare(kit::ConfigSchema& schema) {
//           schema.add("connection", connection, {.help = "Name of the target, part of every stored key.", .required = true});
//           schema.add("target.timeout", timeout, {.help = "Total time of one call.", .min = 100, .max = 120'000});
//       }
//   };
//
// The value a member has when it is declared is its default. A value comes from the YAML file (--config) or from the environment,
// which wins: target.timeout is SYNCLINE_TARGET_TIMEOUT (dots become underscores, upper case). Lists are comma-separated there,
// maps are comma-separated name=value. Durations are written 500ms, 8s, 5m, 2h; a key that ends in _ms or _seconds also takes a
// bare number. Sizes are written 64KiB, 8MiB or as a number of bytes. An unknown key stops the start and names its nearest
// relative.
//
// The kit's own keys (kafka.*, postgres.*, admin.*, log.*, limits.*, http.*, shops_file, mappings_dir, drain_seconds) are
// declared by run(). Main thread only, before anything starts.
#pragma once

#include <syncline/core/error.h>
#include <syncline/kit/secret_file.h>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace syncline::kit {

// One thing that keeps a service from starting, and its cure.
struct Problem {
    std::string what;
    std::string cure;
    std::string file;  // Empty when it is not about a file.
    int line = 0;      // From 1; 0 if unknown.
    std::string key;   // Configuration key or environment name; may be empty.
};

// Thrown while starting (wire, configuration, migrations, ports), caught once in run(): one log line with every problem, exit
// code 2.
class StartError : public std::runtime_error {
public:
    explicit StartError(std::string what, std::string cure = {});
    explicit StartError(std::vector<Problem> problems);  // At least one.
    explicit StartError(const core::Error& error);
    [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

private:
    std::vector<Problem> problems_;
};

// A size in bytes, so that `.unit` and "8MiB" follow from the type.
struct Bytes {
    std::uint64_t value = 0;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

// What is said of a key besides its name, type and default.
struct KeyOptions {
    std::string help;                      // One sentence for a person; required.
    std::string unit = {};                 // "orders", "connections"; milliseconds and bytes follow from the type.
    bool required = false;                 // A missing or empty value stops the start.
    bool secret = false;                   // Masked wherever it would be printed. Prefer a SecretFile.
    std::optional<std::int64_t> min = {};  // Of numbers, of milliseconds, of bytes; of the length of lists.
    std::optional<std::int64_t> max = {};
    std::vector<std::string> choices = {};  // The only texts allowed.
    // Says what is wrong with a text (each element of a list), or nothing.
    std::function<std::optional<std::string>(std::string_view text)> validate = {};
    std::string example = {};  // Shown where the default says little.
};

// What the file or the environment holds under a key.
using ConfigValue = std::variant<std::string, std::vector<std::string>, std::map<std::string, std::string>>;

class ConfigSchema {
public:
    struct Entry {
        std::string key;
        std::string type;  // string, bool, integer, duration, bytes, list, map, secret_file
        std::string default_text;
        KeyOptions options;
        std::function<std::optional<std::string>(const ConfigValue&)> set;  // Sets the member or says what is wrong.
        std::function<void(const std::string&)> fill;  // Only of type string: sets the member unchecked (--describe).
        std::function<std::string()> shown;            // The member's present value, masked if secret.
        std::function<SecretFile()> secret;            // Only of type secret_file: the member's handle.
    };

    // `member` must live until the configuration has been read (Service::config sees to that).
    void add(std::string key, bool& member, KeyOptions options);
    void add(std::string key, int& member, KeyOptions options);
    void add(std::string key, std::int64_t& member, KeyOptions options);
    void add(std::string key, std::size_t& member, KeyOptions options);
    void add(std::string key, std::string& member, KeyOptions options);
    void add(std::string key, std::chrono::milliseconds& member, KeyOptions options);
    void add(std::string key, Bytes& member, KeyOptions options);
    void add(std::string key, std::vector<std::string>& member, KeyOptions options);
    void add(std::string key, std::map<std::string, std::string>& member, KeyOptions options);
    void add(std::string key, SecretFile& member, KeyOptions options);

    // A rule over several keys, checked when every single one is right; names the key it is about.
    void check(std::string key, std::function<std::optional<std::string>()> rule);

    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    [[nodiscard]] const std::vector<std::pair<std::string, std::function<std::optional<std::string>()>>>& rules() const {
        return rules_;
    }

private:
    void add_entry(Entry entry);
    std::vector<Entry> entries_;
    std::vector<std::pair<std::string, std::function<std::optional<std::string>()>>> rules_;
};

// The text of a configuration: a YAML file and the environment over it. run() makes one; the test harness makes one from a text.
class ConfigSource {
public:
    using Environment = std::vector<std::pair<std::string, std::string>>;

    // No file: defaults and environment alone.
    explicit ConfigSource(Environment environment = {});
    ConfigSource(ConfigSource&&) noexcept;
    ConfigSource& operator=(ConfigSource&&) noexcept;
    ~ConfigSource();
    // Throws StartError when the file cannot be read or is not YAML (with its line).
    static ConfigSource from_file(const std::string& path, Environment environment = {});
    static ConfigSource from_text(std::string_view yaml, std::string name = "config", Environment environment = {});
    // The SYNCLINE_* variables of this process.
    static Environment process_environment();

    // Sets the members of all schemas and returns everything that is wrong, keys that none of them declares included.
    [[nodiscard]] std::vector<Problem> apply(const std::vector<const ConfigSchema*>& schemas) const;
    // As apply, but throws StartError when anything is wrong.
    void read(const ConfigSchema& schema) const;

private:
    struct Parsed;
    std::unique_ptr<Parsed> parsed_;
};

// Validators for KeyOptions::validate.
[[nodiscard]] std::optional<std::string> must_be_url(std::string_view text);        // http(s)://host…
[[nodiscard]] std::optional<std::string> must_be_host_port(std::string_view text);  // host:port, [::1]:8080
[[nodiscard]] std::optional<std::string> must_be_alias(std::string_view text);      // [a-z0-9-]{1,63}

}  // namespace syncline::kit
