// What every verb works with: the services that fit the filters, asked one deployment at a time.
#pragma once

#include "admin_port.h"
#include "output.h"
#include "targets.h"

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace synclinectl {

// Options that all verbs share, and the filters of the listing ones. Empty: no filter.
struct Options {
    Format format = Format::table;
    std::chrono::milliseconds timeout{10'000};
    std::string service;
    std::string connection;
    std::string shop;
    std::string error_class;
    std::string code;
    std::string state;
    std::string since;  // RFC 3339.
    std::string key;
    int limit = 100;
    bool dry_run = false;
    std::string reason;
    std::string replay_id;
};

class Services {
public:
    // All outlive it. `err` takes warnings.
    Services(const Targets& targets, const Options& options, syncline::http::Client& client, std::ostream& out,
             std::ostream& err);

    [[nodiscard]] const Options& options() const { return options_; }
    [[nodiscard]] const Targets& targets() const { return targets_; }
    [[nodiscard]] std::ostream& out() const { return out_; }
    [[nodiscard]] std::ostream& err() const { return err_; }

    // The instances that fit --service and --connection, in the order of the file.
    [[nodiscard]] std::vector<ServiceAddress> instances() const;
    [[nodiscard]] AdminPort port(const ServiceAddress& instance) const;

    // Asks each deployment once: its first instance that answers (state is in PostgreSQL, any replica knows it). A deployment
    // that does not have the route or the thing is passed over; one that cannot be reached is a warning and remembered.
    using Ask = std::function<syncline::core::Result<syncline::json::Document>(AdminPort&)>;
    using Take = std::function<void(const std::string& deployment, const syncline::json::Value& root)>;
    void each(const Ask& ask, const Take& take);

    // The answer of the one deployment that has it; errors: not_ready nobody has it, conflict several have (name one with
    // --service and --connection), else what the deployment said.
    struct Found {
        std::string deployment;
        syncline::json::Document answer;
    };
    [[nodiscard]] syncline::core::Result<Found> the_one(const Ask& ask);
    // The same of a deployment found before.
    [[nodiscard]] syncline::core::Result<syncline::json::Document> of(const std::string& deployment, const Ask& ask);

    // kUnreachable if a deployment did not answer, else `otherwise`.
    [[nodiscard]] int exit_code(int otherwise) const { return unreachable_ ? kUnreachable : otherwise; }
    // Says what went wrong and with which exit code the program ends.
    [[nodiscard]] int failed(const syncline::core::Error& error) const;
    // Prints the table, or that there is nothing; the exit code.
    [[nodiscard]] int finish(const Table& table) const;

private:
    [[nodiscard]] std::vector<std::string> deployments() const;

    const Targets& targets_;
    const Options& options_;
    syncline::http::Client& client_;
    std::ostream& out_;
    std::ostream& err_;
    bool unreachable_ = false;
};

// The member as text: strings as they are, numbers and booleans as written, "" for null or absent.
[[nodiscard]] std::string field(const syncline::json::Value& object, std::string_view name);
// The elements of an array member; empty if absent.
[[nodiscard]] std::vector<syncline::json::Value> items(const syncline::json::Value& root, std::string_view name);

}  // namespace synclinectl
