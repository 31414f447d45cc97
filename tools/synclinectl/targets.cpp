#include "targets.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;
using syncline::core::fail;

std::string text(const YAML::Node& node, const char* name, std::string otherwise = {}) {
    return node[name] ? node[name].as<std::string>() : std::move(otherwise);
}

// `name:token` as the service reads it, or the token alone. Comments begin with #.
std::string token_in(std::istream& lines) {
    std::string line;
    while (std::getline(lines, line)) {
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        if (!line.empty() && line.front() != '#') {
            const auto colon = line.find(':');
            return colon == std::string::npos ? line : line.substr(colon + 1);
        }
    }
    return {};
}

// Without what an editor adds at the end.
std::string password_in(std::istream& in) {
    std::string text;
    std::getline(in, text);
    if (text.ends_with('\r')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

syncline::core::Result<Targets> read_targets(const std::string& file) {
    Targets out;
    try {
        const auto root = YAML::LoadFile(file);
        if (const auto kafka = root["kafka"]) {
            out.brokers = text(kafka, "brokers");
            out.prefix = text(kafka, "prefix", out.prefix);
            for (const auto& property : kafka["properties"]) {
                out.kafka_properties[property.first.as<std::string>()] = property.second.as<std::string>();
            }
            if (const auto named = text(kafka, "password_file"); !named.empty()) {
                const auto path = std::filesystem::path(file).parent_path() / named;
                std::ifstream in(path);
                out.kafka_properties["sasl.password"] = password_in(in);
                if (out.kafka_properties["sasl.password"].empty()) {
                    return fail(ErrorKind::malformed, "bad_targets", fmt::format("{}: no password in {}", file, path.string()));
                }
            }
        }
        for (const auto& service : root["services"]) {
            out.services.push_back(
                {.name = text(service, "name"), .connection = text(service, "connection"), .admin = text(service, "admin")});
            if (out.services.back().name.empty() || out.services.back().admin.empty()) {
                return fail(ErrorKind::malformed, "bad_targets", fmt::format("{}: every service needs name and admin", file));
            }
        }
        if (const auto named = text(root, "token_file"); !named.empty()) {
            // Relative to the file that names it.
            const auto path = std::filesystem::path(file).parent_path() / named;
            std::ifstream lines(path);
            out.token = token_in(lines);
            if (out.token.empty()) {
                return fail(ErrorKind::malformed, "bad_targets", fmt::format("{}: no token in {}", file, path.string()));
            }
        }
    } catch (const YAML::BadFile&) {
        return fail(ErrorKind::malformed, "no_targets", fmt::format("{} cannot be read", file),
                    "start the stack with tools/dev up, or name a file with --targets or SYNCLINE_TARGETS");
    } catch (const YAML::Exception& error) {
        return fail(ErrorKind::malformed, "bad_targets", fmt::format("{}: {}", file, error.what()));
    }
    return out;
}

}  // namespace synclinectl
