// How a call travels to Odoo: JSON-2 (19 and later) or JSON-RPC (16 to 18), behind one port.
//
// A Transport makes one attempt per call under a total deadline and translates the answer (reply.h); it never retries. It is
// stateless but for the user id that JSON-RPC needs and may be used from any number of threads. call() blocks until the answer or
// the deadline. connect() asks the server which of the two it wants.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/odoo/reply.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace syncline::odoo {

struct Target {
    std::string url;                       // https://erp.example.com, without a path.
    std::string database;                  // Sent as X-Odoo-Database, or in every JSON-RPC call.
    std::string login;                     // JSON-RPC only.
    std::function<std::string()> api_key;  // Asked for each call: keys are rotated.
};

struct Call {
    std::string model;              // "sale.order"
    std::string method;             // "action_confirm"; names that begin with _ are refused by Odoo.
    std::vector<std::int64_t> ids;  // The records of a record method; empty for a method of the model.
    bool on_records = false;
    std::string params = "{}";   // JSON object: the method's parameters by name.
    std::string context = "{}";  // JSON object.
    bool changes = false;        // Whether it writes: for the fault points of the crash tests.
};

struct Version {
    int major = 0;  // 16 … 19 …
    std::string text;
    [[nodiscard]] bool json2() const { return major >= 19; }
};

class Transport {
public:
    virtual ~Transport() = default;
    [[nodiscard]] virtual core::Result<Answer> call(const Call& call, const core::Deadline& deadline) = 0;
};

// GET /web/version, which only 19 and later have, then common.version over JSON-RPC. No key is sent.
[[nodiscard]] core::Result<Version> probe_version(http::Client& client, const Target& target, const core::Deadline& deadline);

// The transport of that version. `client` must outlive it.
[[nodiscard]] std::unique_ptr<Transport> make_transport(const Version& version, http::Client& client, Target target);

}  // namespace syncline::odoo
