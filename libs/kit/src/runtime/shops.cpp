#include <fmt/format.h>
#include <syncline/kit/config.h>
#include <syncline/kit/shops.h>
#include <yaml-cpp/yaml.h>

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <algorithm>
#include <array>
#include <cctype>

#include "src/runtime/value_text.h"

namespace syncline::kit {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

bool looks_like_domain(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return text.size() <= 253 && text.find('.') != std::string_view::npos && text.front() != '.' && text.back() != '.' &&
           std::ranges::all_of(text, allowed);
}

bool looks_like_timezone(std::string_view text) {
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '+' || c == '-';
    };
    return !text.empty() && std::isupper(static_cast<unsigned char>(text.front())) != 0 && std::ranges::all_of(text, allowed);
}

bool looks_like_currency(std::string_view text) {
    return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A quarter of Shopify's, or "unstable".
bool looks_like_api_version(std::string_view text) {
    const auto digits = [](std::string_view part) {
        return std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (text == "unstable") {
        return true;
    }
    const auto month = text.size() == 7 ? text.substr(5) : std::string_view();
    return text.size() == 7 && digits(text.substr(0, 4)) && text[4] == '-' &&
           (month == "01" || month == "04" || month == "07" || month == "10");
}

// Origin alone: the path is the API's.
bool looks_like_origin(std::string_view text) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos || (text.substr(0, scheme) != "https" && text.substr(0, scheme) != "http")) {
        return false;
    }
    const auto host = text.substr(scheme + 3);
    return !host.empty() && host.find_first_of("/?#@ \t\"\\") == std::string_view::npos;
}

// Reads the file member by member and collects what is wrong with its line.
class Reader {
public:
    Reader(std::string folder, ShopsSnapshot& out) : folder_(std::move(folder)), out_(out) {}

    void read(const YAML::Node& root) {
        if (!root.IsMap()) {
            return problem(root, "the file holds no apps: and shops:");
        }
        known_members(root, {"apps", "shops"}, "");
        if (!root["shops"].IsDefined()) {
            problem(root, "shops: is missing");
        }
        each(root["apps"], "apps", [this](const std::string& name, const YAML::Node& node) { app(name, node); });
        each(root["shops"], "shops", [this](const std::string& name, const YAML::Node& node) { shop(name, node); });
    }

    [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

private:
    void problem(const YAML::Node& node, const std::string& what) {
        problems_.push_back(fmt::format("line {}: {}", node.Mark().line + 1, what));
    }

    template <typename Fn>
    void each(const YAML::Node& section, std::string_view name, Fn fn) {
        if (!section.IsDefined() || section.IsNull()) {
            return;
        }
        if (!section.IsMap()) {
            return problem(section, fmt::format("{}: is not a map", name));
        }
        for (const auto& pair : section) {
            if (!pair.first.IsScalar() || !pair.second.IsMap()) {
                problem(pair.first, fmt::format("an entry of {}: is not name: {{…}}", name));
                continue;
            }
            if (const auto wrong = must_be_alias(pair.first.Scalar())) {
                problem(pair.first, fmt::format("the name \"{}\" {}", pair.first.Scalar().substr(0, 80), *wrong));
                continue;
            }
            fn(pair.first.Scalar(), pair.second);
        }
    }

    void known_members(const YAML::Node& node, const std::vector<std::string>& names, std::string_view of) {
        for (const auto& pair : node) {
            const auto name = pair.first.IsScalar() ? pair.first.Scalar() : std::string("?");
            if (std::ranges::find(names, name) == names.end()) {
                const auto nearest = nearest_name(name, names);
                problem(pair.first, fmt::format("unknown member {}{}{}", of, name,
                                                nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest)));
            }
        }
    }

    std::string text(const YAML::Node& node, const char* member, const std::string& of, bool required) {
        const auto value = node[member];
        if (!value.IsDefined() || value.IsNull()) {
            if (required) {
                problem(node, fmt::format("{} has no {}", of, member));
            }
            return {};
        }
        if (!value.IsScalar()) {
            problem(value, fmt::format("{} of {} is not a text", member, of));
            return {};
        }
        return value.Scalar();
    }

    void app(const std::string& name, const YAML::Node& node) {
        known_members(node, {"secret_files"}, fmt::format("apps.{}.", name));
        ShopApp app{.name = name, .secrets = {}};
        const auto files = node["secret_files"];
        if (!files.IsDefined() || !files.IsSequence() || files.size() == 0) {
            problem(node, fmt::format("app {} has no list secret_files", name));
        } else {
            for (const auto& file : files) {
                if (!file.IsScalar() || file.Scalar().empty()) {
                    problem(file, fmt::format("a secret file of app {} is not a path", name));
                    continue;
                }
                app.secrets.emplace_back(file.Scalar().front() == '/' ? file.Scalar() : folder_ + "/" + file.Scalar());
            }
        }
        if (!out_.apps.emplace(name, std::move(app)).second) {
            problem(node, fmt::format("app {} is given twice", name));
        }
    }

    void shop(const std::string& alias, const YAML::Node& node) {
        const auto of = "shop " + alias;
        known_members(node, {"domain", "app", "currency", "timezone", "enabled", "admin"}, fmt::format("shops.{}.", alias));
        Shop shop{.alias = alias,
                  .domain = lower(text(node, "domain", of, true)),
                  .app = text(node, "app", of, true),
                  .currency = text(node, "currency", of, true),
                  .timezone = text(node, "timezone", of, true)};
        const auto enabled = text(node, "enabled", of, false);
        if (!enabled.empty() && enabled != "true" && enabled != "false") {
            problem(node, fmt::format("enabled of {} is neither true nor false", of));
        }
        shop.enabled = enabled != "false";
        if (!shop.domain.empty() && !looks_like_domain(shop.domain)) {
            problem(node, fmt::format("domain of {} is not a host name", of));
        }
        if (!shop.app.empty() && !out_.apps.contains(shop.app)) {
            problem(node, fmt::format("{} names the app \"{}\", which is not under apps:", of, shop.app.substr(0, 80)));
        }
        if (!shop.currency.empty() && !looks_like_currency(shop.currency)) {
            problem(node, fmt::format("currency of {} is not an ISO 4217 code like EUR", of));
        }
        if (!shop.timezone.empty() && !looks_like_timezone(shop.timezone)) {
            problem(node, fmt::format("timezone of {} is not an IANA name like Europe/Berlin", of));
        }
        if (!shop.domain.empty() && !out_.alias_by_domain.emplace(shop.domain, alias).second) {
            problem(node, fmt::format("{} has the domain of shop {}", of, out_.alias_by_domain[shop.domain]));
        }
        if (const auto section = node["admin"]; section.IsDefined() && !section.IsNull()) {
            admin(section, of, shop);
        }
        if (!out_.by_alias.emplace(alias, std::move(shop)).second) {
            problem(node, fmt::format("{} is given twice", of));
        }
    }

    [[nodiscard]] std::string absolute(const std::string& path) const {
        return path.empty() || path.front() == '/' ? path : folder_ + "/" + path;
    }

    void admin(const YAML::Node& node, const std::string& of, Shop& shop) {
        const auto name = "admin of " + of;
        if (!node.IsMap()) {
            return problem(node, fmt::format("{} is not a map", name));
        }
        const auto prefix = fmt::format("shops.{}.admin.", shop.alias);
        known_members(node, {"url", "api_version", "points_per_second", "token_file", "client_credentials", "expiring"}, prefix);
        ShopAdmin admin;
        admin.url = text(node, "url", name, false);
        if (admin.url.empty()) {
            admin.url = "https://" + shop.domain;
        } else if (!looks_like_origin(admin.url)) {
            problem(node, fmt::format("url of {} is not like https://host or http://host:port", name));
        }
        admin.api_version = text(node, "api_version", name, false);
        if (!admin.api_version.empty() && !looks_like_api_version(admin.api_version)) {
            problem(node, fmt::format("api_version of {} is not a version like 2026-10", name));
        }
        if (const auto points = text(node, "points_per_second", name, false); !points.empty()) {
            const auto value = core::parse_int<int>(points);
            if (!value || *value < 1 || *value > 100'000) {
                problem(node, fmt::format("points_per_second of {} is not a number from 1 to 100000", name));
            } else {
                admin.points_per_second = *value;
            }
        }
        const auto token = text(node, "token_file", name, false);
        const auto credentials = node["client_credentials"];
        const auto expiring = node["expiring"];
        if (int{!token.empty()} + int{credentials.IsDefined()} + int{expiring.IsDefined()} != 1) {
            return problem(node, fmt::format("{} needs one of token_file, client_credentials and expiring", name));
        }
        if (!token.empty()) {
            admin.token = SecretFile(absolute(token));
        } else {
            admin.grant = credentials.IsDefined() ? ShopAdmin::Grant::client_credentials : ShopAdmin::Grant::expiring;
            client(credentials.IsDefined() ? credentials : expiring, prefix, name, admin);
        }
        shop.admin = std::move(admin);
    }

    void client(const YAML::Node& node, const std::string& prefix, const std::string& of, ShopAdmin& admin) {
        const bool stored = admin.grant == ShopAdmin::Grant::expiring;
        const std::string grant = stored ? "expiring" : "client_credentials";
        if (!node.IsMap()) {
            return problem(node, fmt::format("{} of {} is not a map", grant, of));
        }
        auto members = std::vector<std::string>{"client_id", "client_secret_file"};
        if (stored) {
            members.emplace_back("store");
        }
        known_members(node, members, fmt::format("{}{}.", prefix, grant));
        admin.client_id = text(node, "client_id", grant, true);
        admin.client_secret = SecretFile(absolute(text(node, "client_secret_file", grant, true)));
        if (stored) {
            admin.store = absolute(text(node, "store", grant, true));
        }
    }

    const std::string folder_;
    ShopsSnapshot& out_;
    std::vector<std::string> problems_;
};

}  // namespace

const Shop* ShopsSnapshot::find(std::string_view alias) const {
    const auto found = by_alias.find(alias);
    return found == by_alias.end() ? nullptr : &found->second;
}

const Shop* ShopsSnapshot::find_by_domain(std::string_view domain) const {
    auto found = alias_by_domain.find(domain);
    if (found == alias_by_domain.end()) {
        found = alias_by_domain.find(lower(domain));
    }
    return found == alias_by_domain.end() ? nullptr : find(found->second);
}

const ShopApp* ShopsSnapshot::app_of(const Shop& shop) const {
    const auto found = apps.find(shop.app);
    return found == apps.end() ? nullptr : &found->second;
}

std::string_view ShopsSnapshot::label_of(std::string_view alias) const {
    const auto found = by_alias.find(alias);
    if (found == by_alias.end()) {
        return "other";
    }
    if (by_alias.size() > Shops::kLabelsMax &&
        static_cast<std::size_t>(std::distance(by_alias.begin(), found)) >= Shops::kLabelsMax) {
        return "other";
    }
    return found->first;
}

Shops::Shops() : current_(std::make_shared<const ShopsSnapshot>()) {}

std::shared_ptr<const ShopsSnapshot> Shops::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

core::Result<void> Shops::load(std::string_view yaml, const std::string& folder, core::SystemTime now) {
    auto next = std::make_shared<ShopsSnapshot>();
    Reader reader(folder, *next);
    try {
        reader.read(YAML::Load(std::string(yaml)));
    } catch (const YAML::Exception& error) {
        return core::fail(core::ErrorKind::rejected, "bad_shops_file",
                          fmt::format("line {}: not YAML: {}", error.mark.line + 1, error.msg));
    }
    if (!reader.problems().empty()) {
        return core::fail(core::ErrorKind::rejected, "bad_shops_file", fmt::format("{}", fmt::join(reader.problems(), "; ")));
    }
    next->version = core::hex_encode(core::bytes_of(core::sha256(yaml)));
    next->loaded_at = now;
    std::vector<std::function<void(const ShopsSnapshot&)>> listeners;
    {
        const std::lock_guard lock(mutex_);
        // A secret that was already read keeps its content: a handle for the same path is carried over.
        for (auto& [name, app] : next->apps) {
            const auto before = current_->apps.find(name);
            for (auto& secret : app.secrets) {
                if (before == current_->apps.end()) {
                    break;
                }
                const auto same = std::ranges::find(before->second.secrets, secret.path(), &SecretFile::path);
                if (same != before->second.secrets.end()) {
                    secret = *same;
                }
            }
        }
        for (auto& [alias, shop] : next->by_alias) {
            const auto before = current_->by_alias.find(alias);
            if (!shop.admin || before == current_->by_alias.end() || !before->second.admin) {
                continue;
            }
            const auto keep = [](SecretFile& secret, const SecretFile& known) {
                if (secret.path() == known.path()) {
                    secret = known;
                }
            };
            keep(shop.admin->token, before->second.admin->token);
            keep(shop.admin->client_secret, before->second.admin->client_secret);
        }
        current_ = next;
        listeners = listeners_;
    }
    for (const auto& listener : listeners) {
        listener(*next);
    }
    return {};
}

void Shops::on_change(std::function<void(const ShopsSnapshot&)> listener) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(std::move(listener));
}

}  // namespace syncline::kit
