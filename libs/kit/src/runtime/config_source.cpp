#include <fmt/format.h>
#include <syncline/kit/config.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "src/runtime/files.h"
#include "src/runtime/value_text.h"

namespace syncline::kit {
namespace {

constexpr std::size_t kConfigBytesMax = 1024 * 1024;
constexpr std::string_view kEnvironmentPrefix = "SYNCLINE_";

std::string environment_name(std::string_view key) {
    std::string name(kEnvironmentPrefix);
    for (const char c : key) {
        name.push_back(c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    return name;
}

int line_of(const YAML::Node& node) {
    return node.Mark().line + 1;
}

bool is_empty(const ConfigValue& value) {
    return std::visit([](const auto& held) { return held.empty(); }, value);
}

// One value the file or the environment gives.
struct Given {
    ConfigValue value;
    std::string origin;  // The environment variable, empty for the file.
    int line = 0;
};

}  // namespace

struct ConfigSource::Parsed {
    std::string name;
    YAML::Node root;
    Environment environment;

    // Walks the file and sorts what it finds into the declared keys.
    struct Walk {
        const std::map<std::string, const ConfigSchema::Entry*>& declared;
        const std::string& file;
        std::map<std::string, Given>& given;
        std::vector<Problem>& problems;

        void problem(std::string what, std::string cure, const YAML::Node& node, std::string key) {
            problems.push_back(
                {.what = std::move(what), .cure = std::move(cure), .file = file, .line = line_of(node), .key = std::move(key)});
        }

        void unknown(const YAML::Node& node, const std::string& key) {
            std::vector<std::string> names;
            names.reserve(declared.size());
            for (const auto& [name, entry] : declared) {
                names.push_back(name);
            }
            const auto nearest = nearest_name(key, names);
            problem(fmt::format("unknown key {}", key),
                    nearest.empty() ? "remove it; --help lists the keys"
                                    : fmt::format("did you mean {}? --help lists the keys", nearest),
                    node, key);
        }

        void value(const YAML::Node& node, const YAML::Node& at, const std::string& key) {
            Given found{.line = line_of(at)};
            if (node.IsScalar()) {
                found.value = node.Scalar();
            } else if (node.IsSequence()) {
                std::vector<std::string> list;
                for (const auto& element : node) {
                    if (!element.IsScalar()) {
                        return problem(fmt::format("{} is a list of plain values", key), "write one text for each element",
                                       element, key);
                    }
                    list.push_back(element.Scalar());
                }
                found.value = std::move(list);
            } else {
                std::map<std::string, std::string> map;
                for (const auto& pair : node) {
                    if (!pair.first.IsScalar() || !pair.second.IsScalar()) {
                        return problem(fmt::format("{} is a map of plain values", key), "write name: value pairs", pair.first,
                                       key);
                    }
                    map[pair.first.Scalar()] = pair.second.Scalar();
                }
                found.value = std::move(map);
            }
            given[key] = std::move(found);
        }

        void map(const YAML::Node& node, const std::string& prefix) {
            std::set<std::string> seen;
            for (const auto& pair : node) {
                if (!pair.first.IsScalar()) {
                    problem("a key is a plain text", "write key: value", pair.first, prefix);
                    continue;
                }
                const auto key = prefix.empty() ? pair.first.Scalar() : prefix + "." + pair.first.Scalar();
                if (!seen.insert(key).second) {
                    problem(fmt::format("key {} is given twice", key), "keep one of the two", pair.first, key);
                    continue;
                }
                if (declared.contains(key)) {
                    if (!pair.second.IsNull()) {
                        value(pair.second, pair.first, key);
                    }
                    continue;
                }
                const bool section =
                    std::ranges::any_of(declared, [&](const auto& one) { return one.first.starts_with(key + "."); });
                if (section && pair.second.IsMap()) {
                    map(pair.second, key);
                } else if (section && pair.second.IsNull()) {
                    continue;
                } else if (section) {
                    problem(fmt::format("{} is a section, not a value", key), "write its keys below it", pair.first, key);
                } else {
                    unknown(pair.first, key);
                }
            }
        }
    };
};

ConfigSource::ConfigSource(Environment environment) : parsed_(std::make_unique<Parsed>()) {
    parsed_->environment = std::move(environment);
}
ConfigSource::ConfigSource(ConfigSource&&) noexcept = default;
ConfigSource& ConfigSource::operator=(ConfigSource&&) noexcept = default;
ConfigSource::~ConfigSource() = default;

ConfigSource ConfigSource::from_file(const std::string& path, Environment environment) {
    const auto text = read_file(path, kConfigBytesMax);
    if (!text) {
        throw StartError(
            {Problem{.what = text.error().message, .cure = "give a readable YAML file with --config", .file = path}});
    }
    return from_text(*text, path, std::move(environment));
}

ConfigSource ConfigSource::from_text(std::string_view yaml, std::string name, Environment environment) {
    ConfigSource source(std::move(environment));
    source.parsed_->name = std::move(name);
    try {
        source.parsed_->root = YAML::Load(std::string(yaml));
    } catch (const YAML::ParserException& error) {
        throw StartError({Problem{.what = fmt::format("not YAML: {}", error.msg),
                                  .cure = "mend the file at this line",
                                  .file = source.parsed_->name,
                                  .line = error.mark.line + 1}});
    }
    if (!source.parsed_->root.IsNull() && !source.parsed_->root.IsMap()) {
        throw StartError({Problem{.what = "the file holds no key: value pairs",
                                  .cure = "write a YAML map at its top level",
                                  .file = source.parsed_->name,
                                  .line = 1}});
    }
    return source;
}

ConfigSource::Environment ConfigSource::process_environment() {
    Environment environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        const auto equals = text.find('=');
        if (text.starts_with(kEnvironmentPrefix) && equals != std::string_view::npos) {
            environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return environment;
}

std::vector<Problem> ConfigSource::apply(const std::vector<const ConfigSchema*>& schemas) const {
    std::vector<Problem> problems;
    std::map<std::string, const ConfigSchema::Entry*> declared;
    for (const auto* schema : schemas) {
        for (const auto& entry : schema->entries()) {
            if (!declared.emplace(entry.key, &entry).second) {
                problems.push_back({.what = fmt::format("key {} is declared twice in the program", entry.key),
                                    .cure = "rename the service's own key",
                                    .key = entry.key});
            }
        }
    }

    std::map<std::string, Given> given;
    if (parsed_->root.IsMap()) {
        Parsed::Walk{.declared = declared, .file = parsed_->name, .given = given, .problems = problems}.map(parsed_->root, {});
    }
    for (const auto& [key, entry] : declared) {
        const auto name = environment_name(key);
        for (const auto& [variable, value] : parsed_->environment) {
            if (variable == name) {
                given[key] = {.value = value, .origin = variable};
            }
        }
    }

    for (const auto& [key, entry] : declared) {
        const auto found = given.find(key);
        if (found == given.end() || is_empty(found->second.value)) {
            if (entry->options.required && (found != given.end() || entry->default_text.empty())) {
                problems.push_back(
                    {.what =
                         fmt::format("key {} is {}: {}", key, found == given.end() ? "missing" : "empty", entry->options.help),
                     .cure = fmt::format("set {}{} in the file or {} in the environment", key,
                                         entry->options.example.empty() ? "" : " (for example " + entry->options.example + ")",
                                         environment_name(key)),
                     .file = parsed_->name,
                     .line = found == given.end() ? 0 : found->second.line,
                     .key = key});
                continue;
            }
            if (found == given.end()) {
                continue;
            }
        }
        if (auto wrong = entry->set(found->second.value)) {
            const bool from_environment = !found->second.origin.empty();
            problems.push_back({.what = fmt::format("{}: {}", from_environment ? found->second.origin : key, *wrong),
                                .cure = entry->options.help,
                                .file = from_environment ? std::string() : parsed_->name,
                                .line = found->second.line,
                                .key = key});
        }
    }
    if (problems.empty()) {
        for (const auto* schema : schemas) {
            for (const auto& [key, rule] : schema->rules()) {
                if (auto wrong = rule()) {
                    const auto found = given.find(key);
                    problems.push_back({.what = fmt::format("{}: {}", key, *wrong),
                                        .cure = "see --help",
                                        .file = parsed_->name,
                                        .line = found == given.end() ? 0 : found->second.line,
                                        .key = key});
                }
            }
        }
    }
    return problems;
}

void ConfigSource::read(const ConfigSchema& schema) const {
    auto problems = apply({&schema});
    if (!problems.empty()) {
        throw StartError(std::move(problems));
    }
}

}  // namespace syncline::kit
