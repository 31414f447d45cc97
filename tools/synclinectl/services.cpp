#include "services.h"

#include <fmt/format.h>
#include <algorithm>
#include <ostream>

namespace synclinectl {

using syncline::core::ErrorKind;
using syncline::core::fail;
using syncline::core::Result;
using syncline::json::Document;
using syncline::json::Value;

Services::Services(const Targets& targets, const Options& options, syncline::http::Client& client, std::ostream& out,
                   std::ostream& err)
    : targets_(targets), options_(options), client_(client), out_(out), err_(err) {}

std::vector<ServiceAddress> Services::instances() const {
    std::vector<ServiceAddress> out;
    for (const auto& service : targets_.services) {
        if ((options_.service.empty() || options_.service == service.name) &&
            (options_.connection.empty() || options_.connection == service.connection)) {
            out.push_back(service);
        }
    }
    return out;
}

AdminPort Services::port(const ServiceAddress& instance) const {
    return {client_, instance.admin, targets_.token, options_.timeout};
}

std::vector<std::string> Services::deployments() const {
    std::vector<std::string> out;
    for (const auto& instance : instances()) {
        if (std::ranges::find(out, instance.deployment()) == out.end()) {
            out.push_back(instance.deployment());
        }
    }
    return out;
}

Result<Document> Services::of(const std::string& deployment, const Ask& ask) {
    auto error = fail(ErrorKind::transient, "unreachable", "no instance");
    for (const auto& instance : instances()) {
        if (instance.deployment() != deployment) {
            continue;
        }
        auto admin = port(instance);
        auto answer = ask(admin);
        if (answer || answer.error().kind != ErrorKind::transient) {
            return answer;
        }
        error = std::unexpected(std::move(answer.error()));
    }
    return error;
}

void Services::each(const Ask& ask, const Take& take) {
    for (const auto& deployment : deployments()) {
        const auto answer = of(deployment, ask);
        if (answer) {
            take(deployment, answer->root());
        } else if (answer.error().kind == ErrorKind::transient) {
            unreachable_ = true;
            err_ << "warning: " << deployment << " does not answer: " << answer.error().message << '\n';
        } else if (answer.error().kind != ErrorKind::not_ready) {
            err_ << "warning: " << deployment << ": " << answer.error().code << ": " << answer.error().message << '\n';
        }
    }
}

Result<Services::Found> Services::the_one(const Ask& ask) {
    std::vector<Found> found;
    syncline::core::Error worst{.kind = ErrorKind::not_ready, .code = "not_found", .message = "no service knows it"};
    for (const auto& deployment : deployments()) {
        auto answer = of(deployment, ask);
        if (answer) {
            found.push_back({deployment, std::move(*answer)});
        } else if (answer.error().kind != ErrorKind::not_ready) {
            worst = answer.error();
        }
    }
    if (found.size() == 1) {
        return std::move(found.front());
    }
    if (found.empty()) {
        return std::unexpected(std::move(worst));
    }
    std::string names;
    for (const auto& one : found) {
        names += (names.empty() ? "" : ", ") + one.deployment;
    }
    return fail(ErrorKind::conflict, "ambiguous", fmt::format("several services know it: {}", names),
                "name one with --service and --connection");
}

int Services::failed(const syncline::core::Error& error) const {
    err_ << "synclinectl: " << error.code << ": " << error.message << '\n';
    if (!error.hint.empty()) {
        err_ << "  " << error.hint << '\n';
    }
    switch (error.kind) {
        case ErrorKind::transient:
        case ErrorKind::unknown_outcome:
            return kUnreachable;
        case ErrorKind::malformed:
            return kUsage;
        default:
            return error.code == "ambiguous" ? kUsage : kNothing;
    }
}

int Services::finish(const Table& table) const {
    if (table.rows.empty() && options_.format == Format::table) {
        err_ << "nothing found\n";
    } else {
        print(out_, table, options_.format);
    }
    return exit_code(table.rows.empty() ? kNothing : kOk);
}

std::string field(const Value& object, std::string_view name) {
    const auto value = object.get_present(name);
    if (!value) {
        return {};
    }
    if (value->is_string()) {
        return std::string(*value->string());
    }
    if (value->is_number()) {
        return std::string(*value->number_text());
    }
    return value->is_bool() ? (*value->boolean() ? "true" : "false") : std::string{};
}

std::vector<Value> items(const Value& root, std::string_view name) {
    std::vector<Value> out;
    if (const auto array = root.get_present(name)) {
        for (const auto element : array->elements()) {
            out.push_back(element);
        }
    }
    return out;
}

}  // namespace synclinectl
