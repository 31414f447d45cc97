#include "adapters/stock/stock_sources_file.h"

#include <fmt/format.h>
#include <syncline/kit/config.h>
#include <syncline/telemetry/log.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>

namespace ingress {

namespace core = syncline::core;
namespace kit = syncline::kit;
namespace log = syncline::telemetry::log;

// Reads the file source by source and collects what is wrong with its line.
class StockSourcesFile::Reader {
public:
    Reader(std::string folder, Snapshot& out) : folder_(std::move(folder)), out_(out) {}

    void read(const YAML::Node& root) {
        if (!root.IsMap() || !root["sources"].IsDefined()) {
            return problem(root, "the file holds no sources:");
        }
        known_members(root, {"sources"});
        const auto sources = root["sources"];
        if (sources.IsNull()) {
            return;
        }
        if (!sources.IsMap()) {
            return problem(sources, "sources: is not a map");
        }
        for (const auto& pair : sources) {
            if (!pair.first.IsScalar() || !pair.second.IsMap()) {
                problem(pair.first, "an entry of sources: is not name: {…}");
            } else if (const auto wrong = kit::must_be_alias(pair.first.Scalar())) {
                problem(pair.first, fmt::format("the name \"{}\" {}", pair.first.Scalar().substr(0, 80), *wrong));
            } else {
                source(pair.first.Scalar(), pair.second);
            }
        }
    }

    [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

private:
    void problem(const YAML::Node& node, const std::string& what) {
        problems_.push_back(fmt::format("line {}: {}", node.Mark().line + 1, what));
    }

    void known_members(const YAML::Node& node, const std::vector<std::string_view>& names) {
        std::vector<std::string> seen;
        for (const auto& pair : node) {
            const auto name = pair.first.IsScalar() ? pair.first.Scalar() : std::string("?");
            if (std::ranges::find(names, name) == names.end()) {
                problem(pair.first, fmt::format("unknown member {}, known are {}", name.substr(0, 80), fmt::join(names, ", ")));
            } else if (std::ranges::find(seen, name) != seen.end()) {
                problem(pair.first, fmt::format("{} is given twice", name));
            }
            seen.push_back(name);
        }
    }

    std::string text(const YAML::Node& node, const char* member, const std::string& of, bool required) {
        const auto value = node[member];
        if (!value.IsDefined() || value.IsNull()) {
            if (required) {
                problem(node, fmt::format("source {} has no {}", of, member));
            }
            return {};
        }
        if (!value.IsScalar()) {
            problem(value, fmt::format("{} of source {} is not a text", member, of));
            return {};
        }
        return value.Scalar();
    }

    void source(const std::string& name, const YAML::Node& node) {
        known_members(node, {"proof", "basis", "secret_files", "enabled"});
        auto known = std::make_shared<KnownSource>();
        known->name = name;
        known->label = name;
        if (const auto word = text(node, "proof", name, true); !word.empty()) {
            if (const auto proof = stock_proof_from(word)) {
                known->proof = *proof;
            } else {
                problem(node, fmt::format("proof of source {} is neither api_key nor hmac", name));
            }
        }
        if (const auto word = text(node, "basis", name, true); !word.empty()) {
            if (const auto basis = stock_basis_from(word)) {
                known->basis = *basis;
            } else {
                problem(node, fmt::format("basis of source {} is none of physical, net_of_own, net_of_all", name));
            }
        }
        Entry entry{.source = known, .secrets = secret_files(name, node)};
        const auto enabled = text(node, "enabled", name, false);
        if (!enabled.empty() && enabled != "true" && enabled != "false") {
            problem(node, fmt::format("enabled of source {} is neither true nor false", name));
        }
        entry.enabled = enabled != "false";
        if (!out_.emplace(name, std::move(entry)).second) {
            problem(node, fmt::format("source {} is given twice", name));
        }
    }

    std::vector<kit::SecretFile> secret_files(const std::string& name, const YAML::Node& node) {
        std::vector<kit::SecretFile> secrets;
        const auto files = node["secret_files"];
        if (!files.IsDefined() || !files.IsSequence() || files.size() == 0) {
            problem(node, fmt::format("source {} has no list secret_files", name));
            return secrets;
        }
        for (const auto& file : files) {
            if (!file.IsScalar() || file.Scalar().empty()) {
                problem(file, fmt::format("a secret file of source {} is not a path", name));
                continue;
            }
            secrets.emplace_back(file.Scalar().front() == '/' ? file.Scalar() : folder_ + "/" + file.Scalar());
        }
        return secrets;
    }

    const std::string folder_;
    Snapshot& out_;
    std::vector<std::string> problems_;
};

core::Result<void> StockSourcesFile::load(std::string_view yaml, const std::string& folder) {
    auto next = std::make_shared<Snapshot>();
    Reader reader(folder, *next);
    try {
        reader.read(YAML::Load(std::string(yaml)));
    } catch (const YAML::Exception& error) {
        return core::fail(core::ErrorKind::rejected, "bad_sources_file",
                          fmt::format("line {}: not YAML: {}", error.mark.line + 1, error.msg));
    }
    if (!reader.problems().empty()) {
        return core::fail(core::ErrorKind::rejected, "bad_sources_file", fmt::format("{}", fmt::join(reader.problems(), "; ")));
    }
    std::size_t number = 0;
    for (auto& [name, entry] : *next) {
        for (const auto& secret : entry.secrets) {
            if (const auto readable = secret.check(); !readable && entry.enabled) {
                // No reason to refuse the file: the secret may be mounted later, and until then it proves nobody.
                log::failure(log::Level::warn, "stock_secret_unreadable", readable.error(), {{"source", name}});
            }
        }
        if (++number > kLabelsMax) {
            auto other = std::make_shared<KnownSource>(*entry.source);
            other->label = "other";
            entry.source = std::move(other);
        }
    }
    const std::lock_guard lock(mutex_);
    // A secret that was already read keeps its content: a handle for the same path is carried over.
    for (auto& [name, entry] : *next) {
        const auto before = current_->find(name);
        if (before == current_->end()) {
            continue;
        }
        for (auto& secret : entry.secrets) {
            const auto same = std::ranges::find(before->second.secrets, secret.path(), &kit::SecretFile::path);
            if (same != before->second.secrets.end()) {
                secret = *same;
            }
        }
    }
    current_ = std::move(next);
    return {};
}

std::shared_ptr<const StockSourcesFile::Snapshot> StockSourcesFile::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

std::shared_ptr<const KnownSource> StockSourcesFile::by_name(std::string_view name) const {
    const auto all = current();
    const auto found = all->find(name);
    return found == all->end() || !found->second.enabled ? nullptr : found->second.source;
}

std::vector<std::string> StockSourcesFile::secrets(const KnownSource& source) const {
    std::vector<std::string> secrets;
    const auto all = current();
    if (const auto found = all->find(source.name); found != all->end()) {
        for (const auto& file : found->second.secrets) {
            secrets.push_back(file.current());
        }
    }
    return secrets;
}

bool StockSourcesFile::refresh_secrets(const KnownSource& source) const {
    bool changed = false;
    const auto all = current();
    if (const auto found = all->find(source.name); found != all->end()) {
        for (const auto& file : found->second.secrets) {
            changed = file.refresh() || changed;
        }
    }
    return changed;
}

std::size_t StockSourcesFile::count() const {
    const auto all = current();
    return static_cast<std::size_t>(std::ranges::count_if(*all, [](const auto& entry) { return entry.second.enabled; }));
}

}  // namespace ingress
